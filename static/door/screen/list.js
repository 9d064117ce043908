// The people that a search finds, or everybody: a row for each with its button, and a card for each
// who is no news. At most fifty are drawn, and a row whose person is unchanged is kept as it is. After
// a key, the rows of one screen are drawn at once, and the others when nothing is typed for a moment.

import { el, name, press, put } from "./elements.js";
import { choices, kindOf, sentence } from "./panel.js";

export const MOST = 50;
const SCREEN = 16;
const MOMENT = 100; // milliseconds

function told(person) {
  const kind = kindOf(person);
  const at = { "already-in": person.arrivedAt, "cancelled": person.cancelledAt,
    "released": person.releasedAt };
  return { kind, person, at: at[kind], door: person.door, position: person.position,
    number: person.number };
}

// Code and last digits under the name.
function below(person, page) {
  const tail = person.tail ? page.say("tail", { tail: person.tail }) : "";
  return el("small", {}, [person.code, tail].filter(Boolean).join(" · "));
}

// The others of the party who have not come: one tap checks in all of them.
function beside(person, page) {
  const rest = page.partyOf(person).filter(one => one.state === "confirmed" && !one.arrivedAt);
  if (!rest.length || person.arrivedAt || person.state !== "confirmed") return null;
  const names = rest.map(one => one.name).join(page.say("list_comma"));
  const all = () => page.doesAll("checkIn", [person, ...rest].map(one => one.attendee));
  return el("div", { class: "beside-them" }, el("p", {}, `${page.say("same_party")} `, name(names)),
    press("in second", page.say("check_in_too"), all, `${person.name} ${names}`));
}

function row(person, page, isCard) {
  const known = told(person);
  const made = known.kind ? choices(known, page) : {};
  const right = known.kind ? (made.right || []).filter(Boolean)
    : [press("in", page.say("check_in"), () => page.does("checkIn", person.attendee), person.name)];
  const line = known.kind ? el("p", { class: "state" }, el("span", { "aria-hidden": "true" }, "! "),
    sentence(known, page.say, page.time)) : null;
  return el("li", { "data-attendee": person.attendee, "data-state": person.state,
    class: known.kind ? (isCard ? "mind" : "known") : "" },
  el("div", { class: "name" }, name(person.name), below(person, page), line, made.left || null,
    isCard && known.kind ? el("div", { class: "choose" }, ...right) : null,
    isCard ? beside(person, page) : null),
  known.kind ? null : right[0]);
}

// The row of somebody on the gifts view.
function giftRow(person, page) {
  const given = person.giftAt;
  const line = given ? `☑ ${page.say("gift_given_at", { time: page.time(given) })}`
    : person.owedAt ? page.say("gift_is_owed") : "";
  const id = person.attendee;
  return el("li", { "data-attendee": id, "data-state": person.state, class: given ? "known" : "" },
    el("div", { class: "name" }, name(person.name), below(person, page),
      line ? el("p", { class: "state" }, line) : null,
      given ? press("undo", page.say("undo"), () => page.does("undoGift", id), person.name) : null),
    given ? null
      : press("in", page.say("gift_give"), () => page.does("gift", id), person.name));
}

// What a row depends on.
function signature(person, page, isCard, isGift) {
  const party = isCard ? page.partyOf(person).map(one => [one.attendee, one.arrivedAt]) : 0;
  return JSON.stringify([person.name, person.state, person.arrivedAt, person.giftAt, person.owedAt,
    person.presentAt, person.position, person.number, person.door, person.code, person.tail, isCard,
    isGift, page.state().free > 0, party]);
}

// Draws lists into `ul`. The rows are kept between drawings.
export function lister(page) {
  const kept = new Map();
  const rowOf = (person, isCard, isGift) => {
    const sign = signature(person, page, isCard, isGift);
    const old = kept.get(person.attendee);
    if (old && old.sign === sign) return old.made;
    const made = isGift ? giftRow(person, page) : row(person, page, isCard);
    kept.set(person.attendee, { sign, made });
    return made;
  };
  const fill = (ul, people, isCard, isGift) => {
    const rows = people.map(person => rowOf(person, isCard, isGift));
    const there = ul.children;
    const isSame = rows.length === there.length && rows.every((one, i) => there[i] === one);
    if (!isSame) put(ul, rows);
  };
  const waiting = new Map(); // what is still to be drawn, by list
  const asked = new Map();
  const rest = ul => {
    const draw = waiting.get(ul);
    waiting.delete(ul);
    if (draw) draw();
  };
  const show = (ul, people, isCard, isGift, isBelow) => {
    const shown = people.slice(0, MOST);
    const all = () => fill(ul, shown, isCard, isGift);
    const isTyped = page.seen.query !== asked.get(ul);
    asked.set(ul, page.seen.query);
    waiting.delete(ul);
    const room = isBelow && waiting.size ? 0 : SCREEN; // the list above it is not complete yet
    if (isTyped && shown.length > room) {
      fill(ul, shown.slice(0, room), isCard, isGift);
      waiting.set(ul, all);
      setTimeout(() => { if (waiting.get(ul) === all) rest(ul); }, MOMENT);
    } else {
      all();
    }
    return people.length - shown.length;
  };
  return Object.assign(show, { rest: () => [...waiting.keys()].forEach(rest) });
}
