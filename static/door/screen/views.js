// What opens in the place of the list: the form for somebody who walked in, the spelling of a name,
// the network and what is to be settled, and the menu.

import { button, doorName, el, name } from "./elements.js";

function field(id, label, given) {
  return el("label", { for: id }, label,
    el("input", Object.assign({ id, autocomplete: "off", spellcheck: "false" }, given)));
}

function form(fields, label, act) {
  return el("form", { onsubmit: event => { event.preventDefault(); act(event.target); } },
    ...fields, el("button", { class: "main" }, label));
}

// Four taps: the button, the name, save; the number can stay empty.
export function walkIn(page, typed) {
  const { say } = page;
  const isName = typed && !/\d/.test(typed);
  return {
    title: say("walk_in_heading"),
    parts: [
      el("p", {}, say("screen_free", { free: page.state().free })),
      form([
        field("walk-in-name", say("name_label"),
          { name: "name", required: true, maxlength: 40, value: isName ? typed : "" }),
        field("walk-in-phone", say("walk_in_phone"), { name: "phone", type: "tel", maxlength: 30 })
      ], say("walk_in_save"), sent => {
        const called = sent.elements.name.value.trim();
        if (called) page.does("walkIn", { name: called, phone: sent.elements.phone.value.trim() });
      })
    ],
    first: "#walk-in-name"
  };
}

export function rename(page, person) {
  const { say } = page;
  return {
    title: say("screen_unsure"),
    parts: [form([field("new-name", say("screen_new_name"),
      { name: "name", required: true, maxlength: 40, value: person.name })], say("walk_in_save"),
    sent => {
      const called = sent.elements.name.value.trim();
      if (called) page.does("rename", person.attendee, called);
    })],
    first: "#new-name"
  };
}

const ADVICE = ["no-network", "session-expired", "revoked", "other-event", "busy", "too-large",
  "foreign", "over"];

// What the pill says: what is the matter, and how much waits.
export function pillText(status, say) {
  const waits = status.unsent ? say("pill_unsent", { unsent: status.unsent }) : "";
  const settle = status.toSettle ? say("pill_to_settle", { count: status.toSettle }) : "";
  if (status.kind === "uploading") {
    return [say("pill_uploading", { unsent: status.unsent }), settle].filter(Boolean).join(" · ");
  }
  const calm = status.kind === "synced" || status.kind === "to-settle";
  const words = {
    "no-network": "pill_no_network", "session-expired": "pill_session_expired",
    "revoked": "pill_revoked", "other-event": "pill_other_event", "busy": "pill_busy",
    "too-large": "pill_too_large", "foreign": "pill_foreign", "over": "pill_over"
  };
  const first = say(calm ? "pill_synced" : words[status.kind] || "pill_no_network");
  return [calm && settle ? "" : first, waits, settle].filter(Boolean).join(" · ");
}

const NEXT = {
  "no-network": "sheet_next_no_network", "session-expired": "sheet_next_session_expired",
  "revoked": "sheet_next_revoked", "other-event": "sheet_next_other_event",
  "busy": "sheet_next_busy", "too-large": "sheet_next_too_large", "foreign": "sheet_next_foreign",
  "over": "sheet_next_over"
};

// `toSettle` are the acts that a person has to look at.
export function network(page, toSettle) {
  const { say } = page;
  const status = page.status();
  const last = status.lastUpload ? say("sheet_last", { time: page.ours(status.lastUpload) })
    : say("sheet_never");
  const listed = status.listedAt ? page.ours(status.listedAt) : page.time(page.facts().roster_at);
  const link = page.facts().links && status.kind === "session-expired"
    ? el("a", { class: "button", href: page.facts().links.sign_in }, say("sheet_sign_in")) : null;
  return {
    title: say("sheet_heading"),
    keepsPanel: true,
    parts: [
      el("p", {}, el("b", {}, pillText(status, say))),
      ADVICE.includes(status.kind) ? el("p", {}, say(NEXT[status.kind])) : null,
      el("p", {}, last), listed ? el("p", {}, say("door_list", { time: listed })) : null,
      el("p", { class: "actions" }, link,
        status.unsent ? button(say("sheet_export"), page.exportUnsent) : null),
      el("h2", {}, say("settle_heading")), ...settling(page, toSettle)
    ]
  };
}

const REASONS = {
  "admitted_cancelled": "settle_cancelled", "already_in": "settle_twice",
  "unknown": "settle_unknown", "no_seat": "settle_no_seat", "waiting": "settle_waiting",
  "revoked": "settle_revoked"
};

// Nothing that the server refused disappears until a person has settled it.
function settling(page, toSettle) {
  const { say } = page;
  if (!toSettle.length) return [el("p", {}, say("settle_none"))];
  return [el("ul", { class: "people" }, ...toSettle.map(act => {
    const person = page.state().people.get(act.attendee) || act.who;
    const who = act.name || (person && person.name) || "?";
    const what = page.say(REASONS[act.reason] || REASONS[act.result] || "settle_refused");
    return el("li", { "data-act": act.key },
      el("div", { class: "name" }, name(who), el("p", { class: "state" }, what),
        el("small", {}, [page.ours(Date.parse(act.at)), doorName(say, act.from)]
          .filter(Boolean).join(" · "))),
      button(say("settle_done"), () => page.settle(act.key), { "aria-label":
        `${say("settle_done")} ${who}` }));
  }))];
}

function tick(label, isOn, change) {
  return el("label", { class: "choice" },
    el("input", { type: "checkbox", checked: isOn,
      onchange: event => change(event.target.checked) }),
    label);
}

export function more(page) {
  const { say } = page;
  const offered = [
    page.facts().gift ? button(say("gift_label"), page.gifts) : null,
    button(say("release_heading"), page.release),
    button(say("sheet_heading"), page.network),
    button(say("more_script"), page.script),
    page.canMeet ? button(say("meet_show"), () => page.meet("openMeetShow")) : null,
    page.canMeet ? button(say("meet_take"), () => page.meet("openMeetTake")) : null
  ];
  return {
    title: say("screen_more"),
    parts: [
      el("div", { class: "stack" }, ...offered),
      el("p", {}, tick(say("more_private"), page.isPrivate(), page.setPrivate)),
      el("p", {}, tick(say("more_sound"), page.isLoud(), page.setLoud)),
      el("p", {}, button(say("more_end"), page.end, { class: "danger" }))
    ]
  };
}

// Who has not come, and who waits here for a seat. Without a network the device writes the release
// down, and the first door with a network makes it real.
export function release(page) {
  const { say } = page;
  const state = page.state();
  const all = [...state.people.values()];
  const absent = all.filter(one => one.state === "confirmed" && !one.arrivedAt);
  const waiting = all.filter(one => one.state === "waitlisted" && one.presentAt);
  const listed = people => el("ul", {}, ...people.map(one => el("li", {}, name(one.name))));
  return {
    title: say("release_heading"),
    parts: [
      el("p", {}, say("screen_release_counts", { absent: absent.length, free: state.free,
        waiting: waiting.length })),
      page.isOnline() ? null : el("p", { class: "note amber" }, say("screen_release_offline")),
      el("details", {}, el("summary", {}, say("release_whose")), listed(absent)),
      waiting.length ? el("div", {}, el("p", {}, say("release_next")), listed(waiting)) : null,
      absent.length ? el("p", {}, button(say("screen_release_now", { absent: absent.length }),
        () => page.does("release", absent.map(one => one.attendee)), { class: "danger" })) : null
    ]
  };
}

export function script(page) {
  const { say } = page;
  const spoken = text => el("p", { class: "spoken" }, text);
  return {
    title: say("more_script"),
    parts: [spoken(say("script_name")), el("p", {}, say("script_two")), spoken(say("script_tail")),
      el("p", {}, say("script_not_found")), spoken(say("script_wait")),
      el("p", {}, button(say("script_done"), page.scriptRead, { class: "main" }))]
  };
}

// Ends the work of this device; asks first, and says how much is not uploaded.
export function ending(page, told) {
  const { say } = page;
  const waits = told.unsent ? el("p", {}, say("more_end_unsent", { unsent: told.unsent })) : null;
  return {
    title: say("more_end"),
    parts: [el("p", {}, say("more_end_ask")), waits,
      el("p", { class: "actions" }, button(say("screen_no"), page.close),
        told.kind === "unsent" ? button(say("sheet_export"), page.exportUnsent)
          : button(say("more_end_yes"), () => page.endNow(), { class: "danger" }))]
  };
}
