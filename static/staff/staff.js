// Additions to the staff pages. Every page works without them.

// Taking a call: shows who is registered under this number, and how the name is read.
const entry = document.getElementById("entry");
if (entry) {
  const phone = entry.elements.phone, name = entry.elements.name, pinyin = entry.elements.pinyin;
  const known = document.getElementById("known");
  let filled = pinyin.value;
  const ask = async () => {
    if (phone.value.length < 7 && !name.value) return;
    const asked = new URLSearchParams({ phone: phone.value, name: name.value });
    let told;
    try {
      // Sent in the body, because addresses with names and numbers would be logged.
      const headers = { "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content };
      const answer = await fetch(entry.dataset.hint, { method: "POST", headers, body: asked });
      if (!answer.ok) return;
      told = await answer.json();
    } catch {
      return; // No network: the server says the same after saving.
    }
    known.hidden = !told.known.length;
    known.lastElementChild.replaceChildren(...told.known.flatMap((person) => {
      const link = document.createElement("a");
      link.href = person.address;
      link.textContent = person.name;
      return [link, " "];
    }));
    if (pinyin.value === filled) pinyin.value = filled = told.reading;
  };
  // The card of surnames that sound alike: only the line of the one that was typed.
  const lines = [...document.querySelectorAll("[data-alike]")];
  const follow = () => {
    const typed = name.value.trim().toLowerCase();
    const surname = /^[a-z]/.test(typed) ? typed.split(/\s/)[0] : typed.slice(0, 1);
    const theirs = lines.filter((line) => line.dataset.alike.split(" ").includes(surname));
    // Nothing is shown for a Chinese surname that no other sounds like.
    const known = theirs.length > 0 || /[\u3400-\u9fff]/.test(typed);
    for (const line of lines) {
      line.hidden = known && !theirs.includes(line);
      line.parentElement.hidden = known && theirs.length === 0;
    }
  };
  name.addEventListener("input", follow);
  follow();
  let waiting;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, 250); };
  phone.addEventListener("input", soon);
  name.addEventListener("input", soon);
}

// Buttons that copy a link, a message or all numbers.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      document.execCommand("copy"); // the clipboard API needs https
    }
    button.textContent = button.dataset.done;
  });
}

// The attendee list: tick all rows.
const all = document.getElementById("all");
if (all) {
  all.addEventListener("change", () => {
    const boxes = document.querySelectorAll('input[name="registration"][form="chosen"]');
    for (const box of boxes) box.checked = all.checked;
  });
}

// The call desk: the keys 1 to 4 press the buttons of the call that has the focus.
for (const task of document.querySelectorAll(".task")) {
  task.addEventListener("keydown", (event) => {
    const button = task.querySelectorAll('button[name="outcome"]')[Number(event.key) - 1];
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (button && plain && event.key >= "1" && event.key <= "4") {
      event.preventDefault();
      button.click();
    }
  });
}

// Typing in the paper list, one key for each line: 1 came, 2 came and got the gift,
// 0 neither. Arrows move up and down.
const lines = [...document.querySelectorAll("[data-line]")];
const go = (place) => {
  if (place === lines.length) document.getElementById("compare").focus();
  else lines[Math.max(0, place)].focus();
};
lines.forEach((line, place) => {
  const [arrived, gift] = line.querySelectorAll("input");
  line.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { 0: 1, 1: 1, 2: 1, Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (event.key >= "0" && event.key <= "2") {
      arrived.checked = event.key !== "0";
      gift.checked = event.key === "2";
    }
    go(place + step);
  });
});
if (lines.length) lines[0].focus();

// Buttons that show a password.
for (const button of document.querySelectorAll("[data-show]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const box = document.getElementById(button.dataset.show);
    box.type = box.type === "password" ? "text" : "password";
  });
}

// Buttons that print one part of the page, such as the recovery codes, and nothing else.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.querySelector("main").classList.add("print-part");
    document.getElementById(button.dataset.print).classList.add("printed");
    window.print();
  });
}
