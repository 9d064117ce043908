// The answer to the last act: ground, sign, words, sound and buzz, and what can be done next. It
// stays until the next act. Undoing is on the left, checking in on the right: one never stands
// where the other stood.

import { doorName, el, name, press, put } from "./elements.js";
import { noise } from "./noises.js";

const GOOD = ["ok", "✓", "high"];
const MIND = ["mind", "!", "low"];
const BAD = ["bad", "✕", "long"];
const CALM = ["calm", "", null];
const LOOKS = {
  "checked-in": GOOD, "late": GOOD, "walked-in": GOOD, "seated": GOOD, "restored": GOOD,
  "gift-given": GOOD, "unsure": ["mind", "?", "high"],
  "already-in": MIND, "waiting": MIND, "cancelled": MIND, "released": MIND, "early": MIND,
  "no-seat": MIND, "not-in": MIND, "gift-already": MIND, "no-gift-left": MIND, "no-gift": MIND,
  "not-found": ["mind", "!", "long"], "gone": MIND,
  "other-event": BAD, "damaged": BAD, "not-saved": BAD,
  "seats-released": GOOD, "release-early": MIND,
  "ask-open": ["mind", "?", null], "party": ["calm", "", "high"]
};
const PLAIN = {
  "undone": "told_undone", "gone": "told_gone", "renamed": "screen_renamed",
  "name-confirmed": "screen_confirmed", "seated": "screen_seated", "restored": "screen_restored",
  "no-seat": "screen_no_seat", "present": "screen_present", "not-in": "screen_not_in",
  "walked-in": "screen_walked_in", "walked-in-waiting": "screen_walked_in_waiting",
  "gift-given": "told_gift_given", "gift-undone": "told_gift_undone",
  "gift-owed": "told_gift_owed", "no-gift-left": "gifts_none_left", "no-gift": "screen_no_gift",
  "unsure": "screen_unsure", "other-event": "screen_other_ticket", "damaged": "screen_damaged",
  "not-saved": "screen_not_saved", "seats-released": "screen_seats_released",
  "not-found": "told_not_found", "ask-open": "screen_ask_open"
};

// Other words for the same answers.
const SAME = {
  "gift-not-in": "not-in", "gift-none": "no-gift-left", "gift-not-given": "no-gift",
  "confirmed": "name-confirmed", "not-sent": "not-saved"
};
export const meant = told => Object.assign({}, told, { kind: SAME[told.kind] || told.kind });

// What is said of a person in that state. Also the list says it of people who are no news.
export function sentence(told, say, time) {
  const at = time(told.at);
  if (told.kind === "checked-in") return say("told_checked_in");
  if (told.kind === "late") return `${say("told_checked_in")} · ${say("told_late")}`;
  if (told.kind === "already-in") {
    return told.door ? say("screen_already_in", { time: at, door: doorName(say, told.door) })
      : say("told_already_in", { time: at });
  }
  if (told.kind === "waiting") {
    if (told.number) return say("screen_number", { number: told.number });
    return told.position ? say("door_waiting", { position: told.position }) : say("told_waiting");
  }
  if (told.kind === "walked-in-waiting" && told.number) {
    return `${say("screen_number", { number: told.number })} · ${say(PLAIN[told.kind])}`;
  }
  if (told.kind === "cancelled") return say("told_cancelled", { time: at });
  if (told.kind === "released") return say("screen_released", { time: at });
  if (told.kind === "release-early") return say("screen_release_early", { time: at });
  if (told.kind === "early") return say("told_early", { time: at });
  if (told.kind === "gift-already") return say("gift_given_at", { time: at });
  if (told.kind === "party") return say("screen_party");
  return PLAIN[told.kind] ? say(PLAIN[told.kind]) : say("screen_saved");
}

// Notes the number of somebody who walked in, once the server has given it. Returns whether the
// panel has to be drawn again.
export function isNumbered(told, people) {
  if (!told || told.kind !== "walked-in-waiting" || told.number || !told.person) return false;
  const isSame = one => one.attendee === told.person.attendee || one.name === told.person.name;
  const known = [...people.values()].find(one => isSame(one) && one.number);
  if (known) told.number = known.number;
  return Boolean(known);
}

// What the state of a person on the list is called among the answers; null for one to check in.
export function kindOf(person) {
  if (person.arrivedAt) return "already-in";
  if (person.state === "waitlisted") return "waiting";
  if (person.state === "cancelled") return person.releasedAt ? "released" : "cancelled";
  return null;
}

// The buttons that change a person who is no news, each with an act that works without a network.
export function choices(told, page) {
  const { say, does, state } = page;
  const person = told.person;
  const id = person.attendee;
  const who = person.name;
  const free = state().free > 0;
  const inButton = (label, act) => press("in", label, act, who);
  const undo = press("undo", say("undo"), () => does("undo", id), who);
  switch (told.kind) {
    case "already-in": return { left: undo };
    case "checked-in": case "late": case "walked-in":
      return { left: undo };
    case "seated": case "restored":
      return { left: person.arrivedAt ? undo : null };
    case "undone": return { right: [inButton(say("check_in"), () => does("checkIn", id))] };
    case "waiting":
      return { right: [
        free ? inButton(say("screen_seat"), () => does("seat", id)) : null,
        person.presentAt ? null
          : press("in second", say("screen_wait"), () => does("present", id), who)
      ] };
    case "cancelled": case "released":
      return { right: [
        free ? inButton(say("screen_restore"), () => does("restore", id)) : null,
        press("in second", say("walk_in_heading"), () => page.walkIn(who), who)
      ] };
    case "unsure":
      return { left: undo, right: [
        press("in second", say("screen_change"), () => page.rename(person), who),
        inButton(say("screen_right"), () => does("confirmName", id))
      ] };
    case "early":
      return { right: [
        inButton(say("check_in_anyway"), () => page.doesAll("checkIn", told.people || [id],
          { anyway: true })),
        page.isOnline() ? press("in second", say("open_now"), page.askOpen) : null
      ] };
    case "no-gift-left":
      return { right: [inButton(say("gift_owe"), () => does("oweGift", id))] };
    case "gift-given":
      return { left: press("undo", say("undo"), () => does("undoGift", id), who) };
    default: return {};
  }
}

// Acts that are about nobody in particular.
function others(told, page) {
  const { say } = page;
  const walkIn = () => press("in", say("walk_in_heading"), () => page.walkIn(told.query || ""));
  switch (told.kind) {
    case "not-found": return { right: [walkIn()] };
    case "ask-open":
      return { left: press("undo", say("screen_no"), () => page.tell(null)),
        right: [press("in", say("screen_yes_open"), page.openNow)] };
    case "not-saved":
      return told.again ? { right: [press("in", say("screen_try_again"), told.again)] } : {};
    default: return {};
  }
}

// The others of the party who have a seat and have not come: each by name, all by one button.
function together(told, page) {
  const rest = told.party || [];
  const absent = rest.filter(one => one.state === "confirmed" && !one.arrivedAt);
  if (!absent.length || told.kind === "early") return null;
  const names = [];
  absent.forEach((one, i) => names.push(i ? page.say("list_comma") : "", name(one.name)));
  const options = { anyway: Boolean(told.anyway) };
  const all = () => page.doesAll("checkIn", absent.map(one => one.attendee), options);
  const label = page.say(told.kind === "party" && absent.length > 1 ? "screen_together"
    : told.kind === "party" ? "check_in" : "check_in_too");
  const spoken = absent.map(one => one.name).join(" ");
  return el("div", { class: "with" },
    el("p", {}, told.kind === "party" ? "" : `${page.say("same_party")} `, ...names),
    press("in", label, all, spoken));
}

// Draws the answer into the panel. `page` has what the buttons do.
export function draw(panel, told, page) {
  const look = LOOKS[told.kind] || CALM;
  panel.className = `panel ${look[0]}`;
  panel.dataset.kind = told.kind;
  const made = told.person ? choices(told, page) : others(told, page);
  const words = sentence(told, page.say, page.time);
  const who = told.person ? name(told.person.name) : words;
  const lines = told.person ? [el("p", { class: "line" }, words)] : [];
  if (told.also) lines.push(...told.also.map(one => el("p", { class: "line" }, name(one.name))));
  if (told.kind === "other-event" || told.kind === "damaged") {
    lines.push(el("p", {}, page.say("screen_ask_name")));
  }
  put(panel, [
    el("p", { class: "who" },
      el("span", { class: "sign", "aria-hidden": "true" }, look[1]), who),
    ...lines,
    el("div", { class: made.left ? "acts" : "acts alone" }, made.left, together(told, page),
      el("div", { class: "with row" }, ...(made.right || []).filter(Boolean)))
  ]);
  if (told.kind === "party") {
    const alone = each(told, page);
    if (alone) panel.querySelector(".acts").appendChild(alone);
  }
}

// In a party each can also be checked in alone.
function each(told, page) {
  const absent = told.party.filter(one => one.state === "confirmed" && !one.arrivedAt);
  if (absent.length < 2) return "";
  return el("div", { class: "with row" }, ...absent.map(one =>
    press("in second", one.name, () => page.does("checkIn", one.attendee), page.say("check_in"))));
}

export function sounds(told, isLoud) {
  const look = LOOKS[told.kind];
  if (look) noise(look[2], isLoud);
}

