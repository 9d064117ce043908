// Doors that meet without a network: one telephone shows its acts that are not uploaded as QR codes
// in turn, another takes them over with its camera and uploads them later. An act that arrives twice
// is one act; a code that no door of this event made is not believed.

import * as database from "./database.js";
import { drawing } from "./detector.js";
import { doorName } from "./elements.js";
import { MARK, pack, unpack } from "./packets.js";
import { openScanView } from "./scan_view.js";
import { hasEffect } from "./state.js";

const SHOWN = 900; // ms for each code: a camera needs two or three frames of it
const QUIET_ZONE = 4;

function pageWords() {
  const found = document.getElementById("words");
  return found ? JSON.parse(found.textContent) : {};
}

function sayer() {
  const words = pageWords();
  return (key, values) => (words[key] || key).replace(/\{(\w+)\}/g, (whole, name) =>
    values && name in values ? String(values[name]) : whole);
}

function element(name, className, parent, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text || "";
  parent.append(made);
  return made;
}

function doorOf(facts) {
  return {
    slug: facts.slug,
    device: facts.device,
    meetKey: facts.meet_key,
    serverOffset: facts.server_offset || 0,
    nameOf: (act) => act.from || facts.device_name || "",
  };
}

// The server knows a person who walked in under an id of its own, and later acts may name that id.
function named(act) {
  const id = act.act === "walk-in" && act.answered && act.answered.attendee;
  return id ? Object.assign({}, act, { known_as: id }) : act;
}

// The texts of the codes that this device has to show: first for its acts that are not uploaded,
// then for the others, so that a door that never gets a network learns of these, too.
export async function textsToShow(facts) {
  // What the server refused changed nothing, and is settled at this door or at the desk.
  const all = await database.acts(facts.slug);
  const isWalkIn = (act) => act.act === "walk-in"; // without a seat, the person waits
  const acts = all.filter((act) => !act.sent || isWalkIn(act) || hasEffect(act)).map(named);
  const packed = await pack(acts, doorOf(facts));
  return { texts: packed.texts, left: packed.left, count: acts.length };
}

// Takes over what a code says. Returns {kind: "taken", fresh, part, parts, door}; or other-event,
// forged, damaged, not-a-packet or not-written, and then nothing was taken over. It is called from
// the screen for taking over, and from nowhere else.
export async function takeText(text, facts) {
  if (text.slice(0, MARK.length) !== MARK) {
    return { kind: "not-a-packet" };
  }
  const found = await unpack(text, doorOf(facts));
  if (found.kind !== "acts") {
    return found;
  }
  try {
    const known = new Set((await database.acts(facts.slug)).map((act) => act.key));
    const again = found.acts.filter((act) => known.has(act.key));
    const fresh = found.acts.filter((act) => !known.has(act.key) && act.origin !== facts.device);
    await database.takeOver(facts.slug, fresh.concat(again));
    return {
      kind: "taken", fresh: fresh.length, part: found.part, parts: found.parts, door: found.name,
    };
  } catch (_) {
    return { kind: "not-written" };
  }
}

function draw(canvas, text, encodeQR) {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET_ZONE });
  // Whole pixels for each module: a camera reads no blurred edges.
  const scale = Math.max(2, Math.floor((canvas.parentNode.clientWidth || 320) / rows.length));
  canvas.width = canvas.height = rows.length * scale;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((isDark, x) => {
    if (isDark) pen.fillRect(x * scale, y * scale, scale, scale);
  }));
}

function panel(container, className, heading) {
  container.textContent = "";
  const box = element("section", className, container);
  box.setAttribute("aria-label", heading);
  return box;
}

// The screen that shows the codes in turn. `store` is {facts(), texts(), take(text),
// changed()}. Returns {close, onClosed}.
export function openMeetShow(container, store) {
  const say = sayer();
  const box = panel(container, "meet meet-show", say("meet_show"));
  const how = element("p", "meet-how", box);
  how.setAttribute("role", "status");
  const frame = element("div", "meet-frame", box);
  const canvas = element("canvas", "meet-code", frame);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", say("meet_code"));
  const part = element("p", "meet-part", box);
  const shut = element("button", "meet-close", box, say("meet_close"));
  const view = { close, onClosed: (listener) => { onClosed = listener; } };
  let onClosed = () => {};
  let timer = 0;
  let isOpen = true;
  let lock = null;

  function close() {
    isOpen = false;
    clearTimeout(timer);
    if (lock) Promise.resolve(lock.release()).catch(() => {});
    container.textContent = "";
  }

  async function keepAwake() {
    try {
      lock = navigator.wakeLock ? await navigator.wakeLock.request("screen") : null;
      if (!isOpen && lock) lock.release();
    } catch (_) {
      lock = null;
    }
  }

  async function begin() {
    const facts = store.facts();
    canvas.hidden = true;
    if (!facts.meet_key || !window.crypto.subtle) {
      how.textContent = say("meet_no_key");
      return;
    }
    const loaded = await drawing();
    const shown = await store.texts();
    if (!loaded || shown.texts.length === 0) {
      how.textContent = say(shown.texts.length ? "meet_no_library" : "meet_show_none");
      return;
    }
    how.textContent = say("meet_show_how", { count: shown.count - shown.left });
    if (shown.left) element("p", "meet-left", box, say("meet_show_left", { count: shown.left }));
    canvas.hidden = false;
    keepAwake();
    turn(shown.texts, 0, loaded.encodeQR);
  }

  function turn(texts, place, encodeQR) {
    if (!isOpen) return;
    draw(canvas, texts[place], encodeQR);
    canvas.dataset.part = String(place + 1);
    part.textContent = say("meet_show_part", { part: place + 1, parts: texts.length });
    if (texts.length > 1) {
      timer = setTimeout(() => turn(texts, (place + 1) % texts.length, encodeQR), SHOWN);
    }
  }

  shut.type = "button";
  shut.addEventListener("click", () => {
    close();
    onClosed();
  });
  begin().catch(() => { how.textContent = say("meet_no_library"); });
  return view;
}

// The screen that takes over, with the camera.
export function openMeetTake(container, store) {
  const say = sayer();
  const box = panel(container, "meet meet-take", say("meet_take"));
  const told = element("p", "meet-how", box, say("meet_take_how"));
  told.setAttribute("role", "status");
  const camera = element("div", "meet-camera", box);
  const facts = store.facts();
  if (!facts.meet_key || !(window.crypto && window.crypto.subtle)) {
    told.textContent = say("meet_no_key");
  }
  let fresh = 0;
  let parts = new Set();
  let total = 0;
  let last = Promise.resolve();

  function tell(found) {
    if (found.kind !== "taken") {
      told.className = "meet-how meet-refused";
      told.textContent = say(`meet_${found.kind.replace(/-/g, "_")}`);
      return;
    }
    fresh += found.fresh;
    parts.add(found.part);
    const isAll = parts.size >= found.parts;
    const values = { got: parts.size, parts: found.parts, count: fresh, door: doorName(say, found.door) };
    told.className = `meet-how${isAll ? " meet-done" : ""}`;
    told.textContent = say(isAll ? "meet_taken_all" : "meet_taken", values);
    if (found.fresh) store.changed();
  }

  // One after the other: two codes at once must not both think that an act is new.
  const take = (text) => {
    last = last.then(() => store.take(text)).then((found) => {
      if (found.kind === "taken" && total !== found.parts) {
        parts = new Set(); // the other telephone has more acts now, or is another one
        total = found.parts;
      }
      tell(found);
    });
    return last;
  };
  const view = openScanView(camera, take, { take: true });
  const close = () => {
    view.close();
    container.textContent = "";
  };
  let onClosed = () => {};
  view.onClosed(() => {
    close();
    onClosed();
  });
  return { close, take, onClosed: (listener) => { onClosed = listener; } };
}
