// What the door shows: the server's list, with the acts of this device laid over it that the list
// does not know yet. Pure: it touches neither page nor network nor store.

const DONE_NOT = ["no_seat", "waiting", "unknown", "invalid", "refused", "not_in"];
const SETTLED_BY_ITSELF = ["already_in", "gift_already"];

// Whether the server took the act back: it must not be shown as done.
export function wasRefused(act) {
  return Boolean(act.sent) && DONE_NOT.includes(act.result) &&
    !(act.act === "walk-in" && act.result === "no_seat");
}

// Whether a person still has to look at the act.
export function needsSettling(act) {
  if (!act.sent || act.settled) return false;
  return wasRefused(act) || act.result === "admitted_cancelled" ||
    (Boolean(act.reason) && !SETTLED_BY_ITSELF.includes(act.result));
}

// A time of the device, as the server's clock would tell it.
export function corrected(at, offset) {
  return new Date(Date.parse(at) + (offset || 0)).toISOString();
}

// Whether the act still has to be laid over the list.
function isNews(act, facts) {
  if (wasRefused(act)) return false;
  return !act.sent || !facts.roster_at || Date.parse(facts.roster_at) <= Date.parse(act.received);
}

function fromRoster(person) {
  return Object.assign({}, person, {
    arrivedAt: person.checked_in_at || null,
    giftAt: person.gift_at || null,
    owedAt: person.owed_at || null,
    presentAt: person.present_at || null,
    unsure: Boolean(person.unsure),
    number: person.number || null,
    local: false,
  });
}

const CHANGES = {
  "check-in": (person, act) => {
    if (!person.arrivedAt) Object.assign(person, { arrivedAt: act.at, mine: true, door: "" });
  },
  undo: (person) => Object.assign(person, { arrivedAt: null, mine: false }),
  gift: (person, act) => {
    if (!person.giftAt) person.giftAt = act.at;
    person.owedAt = null;
  },
  "gift-undo": (person) => Object.assign(person, { giftAt: null }),
  "gift-owed": (person, act) => Object.assign(person, { owedAt: person.owedAt || act.at }),
  rename: (person, act) => Object.assign(person, { name: act.name, unsure: false }),
  "confirm-name": (person) => Object.assign(person, { unsure: false }),
  seat: (person) => Object.assign(person, { state: "confirmed" }),
  restore: (person) => Object.assign(person, { state: "confirmed", released: false }),
  present: (person, act) => Object.assign(person, { presentAt: person.presentAt || act.at }),
};

function walkIn(people, act, facts) {
  const told = act.told || {};
  const key = told.attendee || act.key;
  if (people.has(key) && !people.get(key).local) return;
  const seated = act.result ? act.result === "walked_in" : free(people.values(), facts) > 0;
  people.set(key, {
    attendee: key, key: act.key, name: act.name, pinyin: "", code: told.code || "",
    tail: (act.phone || "").slice(-4), party: key, state: seated ? "confirmed" : "waitlisted",
    ticket: "", keys: ` ${(act.name || "").toLowerCase()} `, arrivedAt: seated ? act.at : null,
    giftAt: null, owedAt: null, presentAt: act.at, unsure: false, number: told.number || null,
    position: told.position || null, local: true, mine: seated,
  });
}

// The seats that nobody has and nobody is kept for.
export function free(people, facts) {
  let taken = 0;
  for (const person of people) if (person.state === "confirmed") taken += 1;
  return Math.max(0, facts.capacity - taken);
}

function find(people, act, walkIns) {
  return people.get(act.attendee) || people.get(walkIns.get(act.attendee));
}

export function project(roster, acts, facts) {
  const people = new Map(roster.map((person) => [person.attendee, fromRoster(person)]));
  const walkIns = new Map();
  const mine = new Set();
  for (const act of acts) {
    const told = act.told || {};
    if (act.act === "walk-in" && told.attendee) walkIns.set(act.key, told.attendee);
    if (!wasRefused(act)) countMine(mine, act);
    if (!isNews(act, facts)) continue;
    const known = Object.assign({}, act, { at: corrected(act.at, facts.server_offset) });
    if (act.act === "walk-in") {
      walkIn(people, known, facts);
      continue;
    }
    const person = find(people, act, walkIns);
    if (!person || !CHANGES[act.act]) continue;
    CHANGES[act.act](person, known);
    person.local = true;
  }
  return Object.assign({ people, mine: mine.size }, counted(people, facts));
}

// Whom this device checked in, however often the page was opened since.
function countMine(mine, act) {
  const told = act.told || {};
  if (act.act === "check-in" && act.result !== "already_in") mine.add(act.attendee);
  if (act.act === "walk-in" && act.result !== "no_seat") mine.add(told.attendee || act.key);
  if (act.act === "undo") mine.delete(act.attendee);
}

function counted(people, facts) {
  const all = Array.from(people.values());
  const expected = all.filter((person) => person.state === "confirmed" || person.arrivedAt);
  const given = all.filter((person) => person.giftAt).length;
  const stock = facts.gift ? facts.gift.stock : null;
  return {
    arrived: expected.filter((person) => person.arrivedAt).length,
    expected: expected.length,
    free: free(all, facts),
    gifts: {
      given,
      left: stock === null || stock === undefined ? null : Math.max(0, stock - given),
      owed: all.filter((person) => person.owedAt && !person.giftAt).length,
    },
  };
}
