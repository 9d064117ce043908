// The screen of the door: bar, panel, box, list, and what opens in the place of the list. It shows
// what `door` knows and calls its actions; it never speaks to the network itself.

import { acting } from "./acts.js";
import { button, clock, el, put, speaker } from "./elements.js";
import { listen } from "./keys.js";
import { lister } from "./list.js";
import { draw, isNumbered, meant, sounds } from "./panel.js";
import { openScanView } from "./scan_view.js";
import { find, scanned } from "./search.js";
import * as views from "./views.js";

const OLD = 12 * 3600 * 1000;

// A setting of this device. A browser that keeps nothing forgets it.
function kept(name, otherwise) {
  try {
    const value = localStorage.getItem(`eventreg-door-${name}`);
    return value === null ? otherwise : value === "yes";
  } catch (e) {
    return otherwise;
  }
}
function keep(name, value) {
  try {
    localStorage.setItem(`eventreg-door-${name}`, value ? "yes" : "no");
  } catch (e) {
    // Kept until the page is left.
  }
}

// Everybody by party, without those who cancelled; made once for each state.
const parties = new WeakMap();
function besides(state) {
  if (!parties.has(state)) {
    const made = new Map();
    state.people.forEach(one => {
      if (!made.has(one.party)) made.set(one.party, []);
      if (one.state !== "cancelled") made.get(one.party).push(one);
    });
    parties.set(state, made);
  }
  return parties.get(state);
}

function parts(say, does) {
  const made = {
    mine: el("span", {}), all: el("b", {}), pill: button("", does.network, { class: "pill" }),
    notes: el("div", { class: "notes" }),
    panel: el("div", { class: "panel calm", tabindex: "-1", hidden: true }),
    box: el("input", { id: "find", name: "q", type: "search", autocomplete: "off",
      autocapitalize: "none", spellcheck: "false", enterkeyhint: "search" }),
    last: button(say("screen_last"), does.last, { class: "link", hidden: true }),
    count: el("p", { class: "found" }), list: el("ul", { class: "people" }),
    near: el("ul", { class: "people" }), rest: el("p", {}),
    sheet: el("section", { class: "sheet-open", hidden: true })
  };
  made.nearHeading = el("h2", { hidden: true }, say("near_heading"));
  made.finder = el("div", { class: "finder" },
    el("label", { for: "find" }, say("screen_search"), made.box),
    el("div", { class: "tools" }, button(say("screen_scan"), does.scan),
      button(say("walk_in_heading"), () => does.walkIn("")),
      button(say("screen_more"), does.more)), made.last);
  made.found = el("div", { class: "found-people" }, made.count, made.list, made.nearHeading,
    made.near, made.rest);
  made.left = el("div", { class: "left" }, made.notes,
    el("div", { role: "status", "aria-live": "polite" }, made.panel), made.finder);
  return made;
}

export function openPage(root, door) {
  const say = speaker(door.words);
  const main = root.closest("main");
  const seen = { query: "", last: "", mark: -1, rows: [], told: null, view: null, mode: "door" };
  const page = {
    say, state: door.state, facts: door.facts, status: door.status, seen, door,
    time: clock(door.facts, door.now),
    ours: moment => page.time(typeof moment === "number"
      ? moment + (door.facts().server_offset || 0) : moment),
    isOnline: () => door.status().kind === "synced" || door.status().kind === "uploading",
    partyOf: person => besides(door.state()).get(person.party).filter(one =>
      one.attendee !== person.attendee),
    isPrivate: () => kept("private", window.innerWidth < 900),
    setPrivate: on => { keep("private", on); redraw(); },
    isLoud: () => kept("sound", true), setLoud: on => keep("sound", on),
    walkIn: typed => open(views.walkIn(page, typed)),
    rename: person => open(views.rename(page, person)),
    network: async () => open(views.network(page, await door.toSettle()), "network"),
    more: () => open(views.more(page)), script: () => open(views.script(page)),
    scriptRead: () => { keep("script-read", true); close(); },
    release: () => open(views.release(page)),
    gifts: () => turn("gifts"), atDoor: () => turn("door"),
    canMeet: Boolean(door.facts().meet_key && window.crypto && window.crypto.subtle),
    scan, open, close, tell, redraw, last, emptied
  };
  Object.assign(page, acting(page));
  const made = parts(say, page);
  const show = lister(page);
  const box = () => made.box;
  let waits = false;

  // The list for the table at the exit, or that of the door.
  function turn(mode) {
    seen.mode = mode;
    close();
    tell(null);
    emptied();
    box().focus();
  }

  function open(view, named) {
    if (seen.view && seen.view.close) seen.view.close();
    seen.view = Object.assign({ named }, view);
    if (!view.keepsPanel) tell(null);
    const title = el("h1", { tabindex: "-1" }, view.title);
    put(made.sheet, [title, ...view.parts,
      el("p", {}, button(say("sheet_close"), close, { class: "link" }))]);
    made.sheet.hidden = false;
    root.classList.add("opened");
    (view.first ? made.sheet.querySelector(view.first) : title).focus();
  }

  function close() {
    if (!seen.view) return;
    if (seen.view.close) seen.view.close();
    seen.view = null;
    made.sheet.hidden = true;
    made.sheet.textContent = "";
    root.classList.remove("opened");
    box().focus();
  }

  function scan() {
    const place = el("div", {});
    const view = openScanView(place, page.scanned, { words: door.words });
    open({ title: say("screen_scan"), parts: [place], keepsPanel: true,
      close: () => view.close() });
    view.onClosed(() => { if (seen.view && seen.view.parts[0] === place) close(); });
  }

  // What is told stays until the next act.
  function tell(told) {
    Object.assign(seen, { told: told ? meant(told) : null, isTyping: false });
    root.classList.remove("searching");
    if ((made.panel.hidden = !told)) return;
    draw(made.panel, seen.told, page);
    sounds(seen.told, page.isLoud());
    if (!made.panel.parentNode.contains(document.activeElement) &&
        document.activeElement === document.body) made.panel.focus({ preventScroll: true });
    if (made.panel.scrollIntoView) made.panel.scrollIntoView({ block: "nearest" });
  }

  // The box is empty after an act, and the last search one key away.
  function emptied() {
    if (seen.query) seen.last = seen.query;
    seen.query = box().value = "";
    seen.mark = -1;
    redraw();
  }

  function last() {
    if (!seen.last) return;
    box().value = seen.last;
    search(seen.last);
    box().focus();
  }

  function search(text) {
    Object.assign(seen, { query: text.trim(), mark: -1, isTyping: true });
    redraw();
  }

  // Many keys in one moment, as a scanner sends them, are drawn once.
  function redraw() {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      render();
    });
  }

  // Draws at once what was typed: the next key may already be about it.
  function drawn() {
    if (box().value.trim() !== seen.query) search(box().value);
    if (waits) render();
    show.rest();
  }

  function render() {
    const state = door.state();
    const { arrived, expected } = state;
    const isGifts = seen.mode === "gifts";
    Object.assign(main.dataset, { arrived, expected });
    document.title = say("door_title", { arrived, expected });
    put(made.mine, [isGifts ? page.giftCount() : say("screen_mine", { mine: state.mine })]);
    put(made.all, [isGifts ? "" : `${state.arrived} / ${state.expected}`]);
    pill();
    put(made.notes, page.notes());
    people(state, isGifts);
    made.last.hidden = !seen.last || Boolean(seen.query);
  }
  function pill() {
    const status = door.status();
    made.pill.className = `pill ${status.kind === "synced" && !status.toSettle ? "good" : "mind"}`;
    put(made.pill, [views.pillText(status, say)]);
  }

  function people(state, isGifts) {
    const asked = seen.query;
    root.classList.toggle("searching", asked !== "" && seen.isTyping);
    const hidden = !asked && page.isPrivate() && !isGifts;
    const among = new Map([...state.people].filter(([, one]) => (isGifts
      ? one.arrivedAt : asked || one.state !== "cancelled")));
    const found = hidden ? { rows: [], near: [], how: "fits" } : find(among, asked);
    seen.rows = found.how === "none" ? [] : found.rows;
    seen.how = found.how;
    seen.near = found.near;
    const isCard = Boolean(asked);
    const rest = show(made.list, found.rows, isCard, isGifts);
    show(made.near, found.near, true, isGifts, true);
    made.nearHeading.hidden = !found.near.length;
    put(made.rest, [rest > 0 ? say("screen_rest", { rest }) : ""]);
    put(made.count, [counted(found, hidden, isGifts)]);
    mark();
  }

  function counted(found, hidden, isGifts) {
    const asked = seen.query;
    if (hidden) return say("screen_list_hidden");
    if (found.how === "sounds-like") return say("nobody_exactly", { query: asked });
    if (found.how === "close") return say("nobody_but_close", { query: asked });
    if (asked && !found.rows.length && /^\d{1,3}$/.test(asked)) return "";
    if (asked && !found.rows.length) {
      if (found.near.length) return say("nobody_exactly", { query: asked });
      return seen.told && seen.told.query === asked ? "" : notFound(asked);
    }
    return found.rows.length ? "" : say(isGifts ? "gifts_nobody" : "nobody_here");
  }

  // Never that somebody is not on the list: whoever it is may be written in another way.
  function notFound(asked) {
    return el("span", { class: "note amber" }, say("told_not_found"), " ",
      button(say("walk_in_heading"), () => page.walkIn(asked)));
  }

  function mark() {
    [...made.list.children].forEach((one, i) => {
      one.classList.toggle("marked", i === seen.mark);
      if (i === seen.mark) one.scrollIntoView({ block: "nearest" });
    });
  }

  // Also the digest of a ticket, of which a telephone's own camera opened the address.
  page.scanned = text => {
    if (/^[0-9a-f]{24}$/.test(text)) return page.ticket(text);
    const read = scanned(text, location.origin);
    if (read.kind === "typed") return search(text);
    if (read.kind !== "ticket") {
      return tell({ kind: read.kind === "foreign" ? "other-event" : "damaged" });
    }
    return page.ticket(read.digest);
  };

  listen(box(), {
    search, last, scan: page.scanned, undo: page.undoLast, isOpen: () => !seen.view,
    choose: () => { drawn(); page.choose(); },
    clear: () => {
      if (seen.view) return close();
      if (box().value) return emptied();
      return tell(null);
    },
    move: step => {
      drawn();
      const most = Math.min(seen.rows.length, made.list.children.length) - 1;
      seen.mark = Math.max(-1, Math.min(most, seen.mark + step));
      mark();
    }
  });

  put(root, [
    el("div", { class: "bar" }, el("p", {}, made.mine, " ", made.all), made.pill),
    el("div", { class: "columns" }, made.left, made.sheet, made.found)
  ]);
  window.addEventListener("resize", redraw);
  setTimeout(() => find(door.state().people, "a")); // so that the first key finds all prepared
  door.changed(() => {
    redraw();
    if (isNumbered(seen.told, door.state().people)) draw(made.panel, seen.told, page);
    if (seen.view && seen.view.named === "network") page.network();
  });
  page.isOld = () => {
    const listed = door.status().listedAt || door.facts().roster_at;
    return !listed || Date.now() - new Date(listed).getTime() > OLD;
  };
  render();
  if (!kept("script-read", false)) open(views.script(page));
  else if (window.innerWidth >= 900) box().focus();
  return { scanned: page.scanned, ticket: page.ticket, told: tell, redraw };
}
