// The screen of the scanner: the picture, one line that says what the camera does, and its buttons.
// It keeps scanning while the answers to codes are shown elsewhere on the page.

import { openScanner } from "./scan.js";

// What one telephone shows to another begins so: records, not a ticket (packets.js).
const PACKET = /^ERDOOR1\./;
const PACKET_SHOWN = 5000;
const STOPPED = ["paused", "refused", "in_use", "no_camera", "failed", "no_decoder"];

function pageWords() {
  const found = document.getElementById("words");
  return found ? JSON.parse(found.textContent) : {};
}

function element(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent.append(made);
  return made;
}

function button(className, text, parent, act) {
  const made = element("button", className, parent);
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

// Fills the container and opens the camera. onText gets the text of each code. Options: `words`, by
// their keys (otherwise those of the page), and `take` for the screen that takes over the records of
// another telephone: without it they are not handed on. Returns {close, onClosed, say}: `say` shows
// one line for a moment.
export function openScanView(container, onText, options) {
  const given = options || {};
  const words = given.words || pageWords();
  const say = (key) => words[key] || key;
  let onClosed = () => {};
  let told = 0;
  let now = { kind: "starting" };

  container.textContent = "";
  const box = element("section", "scan", container);
  box.setAttribute("aria-label", say("scan_heading"));
  const video = element("video", "scan-video", box);
  video.setAttribute("aria-hidden", "true");
  const line = element("p", "scan-state", box);
  line.setAttribute("role", "status");
  const row = element("div", "scan-buttons", box);
  const again = button("main scan-again", "", row, () => scanner.resume());
  const light = button("scan-torch", say("scan_torch_on"), row, () => scanner.torch(!now.lit));
  button("scan-close", say("scan_close"), row, () => leave());

  function draw() {
    const isStopped = STOPPED.indexOf(now.kind) >= 0;
    box.dataset.state = now.kind;
    box.dataset.decoder = now.decoder || "";
    // Some engines give no frames to a video that is not shown.
    video.hidden = now.kind !== "scanning" && now.kind !== "starting";
    // The button says the sentence itself where a tap is all that is to be done.
    again.hidden = !isStopped;
    again.textContent = say(now.kind === "paused" ? "scan_paused" : "scan_again");
    light.hidden = !now.torch;
    light.textContent = say(now.lit ? "scan_torch_off" : "scan_torch_on");
    light.setAttribute("aria-pressed", String(Boolean(now.lit)));
    line.hidden = now.kind === "paused";
    if (!told) {
      line.textContent = say(now.hint ? "scan_hint" : `scan_${now.kind}`);
      line.classList.toggle("scan-hint", Boolean(now.hint) || isStopped);
    }
  }

  function sayForAMoment(text) {
    clearTimeout(told);
    line.textContent = text;
    line.classList.add("scan-hint");
    told = setTimeout(() => {
      told = 0;
      draw();
    }, PACKET_SHOWN);
  }

  function onState(state) {
    now = state;
    draw();
  }

  function onCode(text) {
    if (PACKET.test(text) && !given.take) {
      sayForAMoment(say("scan_is_packet"));
    } else {
      onText(text);
    }
  }

  function close() {
    clearTimeout(told);
    scanner.close();
    container.textContent = "";
    document.removeEventListener("keydown", onKey, true);
  }

  function leave() {
    close();
    onClosed();
  }

  function onKey(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      leave();
    }
  }

  draw();
  // The focus stays where it is: a scanner that works as a keyboard must not press a button here.
  document.addEventListener("keydown", onKey, true);
  const scanner = openScanner(video, onCode, onState);
  return { close, say: sayForAMoment, onClosed: (listener) => { onClosed = listener; } };
}
