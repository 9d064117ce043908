// Additions to the public pages. Every page works without them. ES2017, for old phones.
(function (page) {
  var problems = page.getElementById("errors");
  if (problems) problems.focus();
  // Browsers empty a form on reload. So what is typed stays with this step of the history.
  var form = page.getElementById("form"), later;
  if (form) {
    var boxes = Array.from(form.querySelectorAll("input:not([type=hidden])"));
    form.onsubmit = function () {
      clearTimeout(later);
      history.replaceState(boxes.map(function (one) { return one.value; }), "");
    };
    form.oninput = function () {
      clearTimeout(later);
      later = setTimeout(form.onsubmit, 300);
    };
    (history.state || []).forEach(function (typed, place) {
      if (typed && boxes[place]) boxes[place].value = typed;
    });
  }
  // Back puts back what was typed; a companion's name must not stay folded away.
  window.addEventListener("pageshow", function () {
    page.querySelectorAll("details input").forEach(function (one) {
      if (one.value) one.closest("details").open = true;
    });
  });
  function offer(id, act) {
    var button = page.getElementById(id);
    if (!button) return null;
    button.hidden = false;
    button.onclick = act;
    return button;
  }
  offer("print", function () { window.print(); });
  if (navigator.share) offer("share", function () {
    navigator.share({ title: page.title, url: location.href.split("#")[0] }).catch(function () {});
  });
  var speech = window.speechSynthesis, button, name;
  var language = page.documentElement.lang.slice(0, 2);
  function silent() { button.textContent = name; }
  function read() {
    if (speech.speaking) return speech.cancel();
    var words = Array.from(page.querySelectorAll("[data-aloud]"), function (one) {
      return one.dataset.aloud || one.textContent.trim();
    });
    var said = new SpeechSynthesisUtterance(words.join("\n"));
    said.voice = voice();
    said.lang = said.voice.lang;
    said.rate = 0.85;
    said.onend = said.onerror = silent;
    button.textContent = button.dataset.stop;
    speech.speak(said);
  }
  function voice() {
    return speech.getVoices().find(function (one) { return one.lang.slice(0, 2) === language; });
  }
  // Voices load late. Without a voice for this language the button stays hidden.
  function look() {
    if (button || !voice()) return;
    button = offer("listen", read);
    if (button) name = button.textContent;
  }
  if (speech) {
    look();
    speech.onvoiceschanged = look;
  }
})(document);
