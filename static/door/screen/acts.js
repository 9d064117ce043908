// What the buttons and keys of the screen do: an act, then what is told of it.

import * as meeting from "./meet.js";
import { button, el } from "./elements.js";
import { ending } from "./views.js";

function save(file, text) {
  const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  const link = el("a", { href: address, download: file });
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

export function acting(page) {
  const { say, seen, door } = page;
  const undoes = { "checkIn": "undo", "gift": "undoGift" };
  let latest = null;

  // One act; `again` is offered if it could not be written.
  async function act(what, ...given) {
    try {
      return await door.actions[what](...given);
    } catch (error) {
      return { told: { kind: "not-saved" }, written: false };
    }
  }

  function finish(told, again) {
    const isRed = told.kind === "not-saved" || told.kind === "not-sent";
    const rest = told.person && !told.party ? page.partyOf(told.person) : told.party;
    if (!isRed) {
      page.emptied();
      if (!(seen.view && seen.view.keepsPanel)) page.close(); // the camera goes on
    }
    page.tell(Object.assign({ again: isRed ? again : null }, told, { party: rest }));
  }

  async function does(what, ...given) {
    const { told, written } = await act(what, ...given);
    if (written && undoes[what]) latest = [undoes[what], given[0]];
    const anyway = Boolean(given[1] && given[1].anyway);
    finish(Object.assign({ anyway }, told), () => does(what, ...given));
  }

  // The whole party with one tap: the last answer stands for all, the others by name below it.
  async function doesAll(what, people, options) {
    const all = [];
    for (const one of people) all.push(await act(what, one, options));
    const bad = all.find(one => one.told.kind === "not-saved") ||
      all.find(one => !one.written && one.told.kind !== "already-in");
    const shown = (bad || all[0]).told;
    if (all.some(one => one.written)) latest = [undoes[what], ...people];
    const also = bad ? [] : all.slice(1).map(one => one.told.person).filter(Boolean);
    const inThen = shown.party ? shown.party.filter(one => !people.includes(one.attendee)) : null;
    const anyway = Boolean(options && options.anyway);
    finish(Object.assign({ people, anyway }, shown, { also, party: bad ? shown.party : inThen }),
      () => doesAll(what, people, options));
  }

  async function undoLast() {
    if (!latest) return;
    const [what, ...people] = latest;
    latest = null;
    let told = null;
    for (const one of people) ({ told } = await act(what, one));
    finish(told);
  }

  // Enter: only a single match or the highlighted row, never one of several.
  function choose() {
    const isGift = seen.mode === "gifts";
    const chosen = seen.mark >= 0 ? seen.rows[seen.mark]
      : seen.query && seen.rows.length === 1 && seen.how === "fits" ? seen.rows[0] : null;
    if (chosen) return does(isGift ? "gift" : "checkIn", chosen.attendee);
    const hasList = Boolean(page.facts().roster_at);
    const nobody = hasList && seen.query && !seen.rows.length && !seen.near.length;
    if (nobody) {
      page.tell({ kind: "not-found", query: seen.query });
      page.redraw();
    }
    return null;
  }

  // A scanned ticket: one person is checked in, a party is shown with one button for all. If it
  // `asks`, one person has a button too: an address that somebody opened is no decision yet.
  function ticket(digest, asks) {
    const people = [...page.state().people.values()].filter(one => one.ticket === digest);
    if (!people.length) return page.tell({ kind: "other-event" });
    const absent = people.filter(one => one.state === "confirmed" && !one.arrivedAt);
    if (seen.mode === "gifts" && people.length === 1) return does("gift", people[0].attendee);
    if (absent.length > (asks ? 0 : 1)) return page.tell({ kind: "party", party: absent });
    return does("checkIn", (absent[0] || people.find(one => one.state !== "cancelled") ||
      people[0]).attendee);
  }

  async function openNow() {
    const isOpen = await door.openNow().catch(() => false);
    page.tell(isOpen ? null : { kind: "gone" });
    page.redraw();
  }

  async function exportUnsent() {
    const { told } = await act("exportUnsent");
    if (told.csv) save(told.file, told.csv);
  }

  async function end() {
    const { told } = await act("end");
    if (told.kind !== "ended") page.open(ending(page, told));
  }

  async function settle(key) {
    await act("settle", key);
    page.network();
  }

  function meet(which) {
    const place = el("div", {});
    const view = meeting[which](place, door.meetStore);
    const title = say(which === "openMeetShow" ? "meet_show" : "meet_take");
    page.open({ title, parts: [place], close: () => view.close() });
    view.onClosed(page.close);
  }

  // Lines above the panel: before the window, an old list, no list, a new version.
  function notes() {
    const facts = page.facts();
    const opens = Date.parse(facts.check_in_opens_at);
    const minutes = Math.ceil((opens - door.now()) / 60000);
    const made = [];
    if (seen.mode === "gifts") {
      made.push(button(say("screen_back"), page.atDoor, { class: "link" }));
    } else if (minutes > 0 && !facts.check_in_opened_at) {
      made.push(el("div", { class: "note amber" }, el("p", {}, say("screen_before", { minutes })),
        page.isOnline() ? button(say("open_now"), page.askOpen) : null));
    }
    const status = page.status();
    if (page.isOld && page.isOld() && !["over", "revoked"].includes(status.kind)) {
      made.push(el("p", { class: "note amber" }, say("door_list_old")));
    }
    if (status.newVersion) {
      made.push(el("div", { class: "note" }, el("p", {}, say("screen_new_version")),
        button(say("screen_update"), door.update)));
    }
    const problem = { "denied": "screen_denied", "no-worker": "screen_no_worker" }[status.storage];
    if (problem) made.push(el("p", { class: "note amber" }, say(problem)));
    return made;
  }

  return {
    does, doesAll, undoLast, choose, ticket, openNow, exportUnsent, end, settle, meet, notes,
    askOpen: () => page.tell({ kind: "ask-open" }),
    endNow: () => act("end", true),
    giftCount: () => {
      const view = page.state();
      const left = view.giftsLeft == null ? "" : ` · ${say("gifts_left_count")} ${view.giftsLeft}`;
      return `${say("gifts_given_count")} ${view.given}${left}`;
    }
  };
}
