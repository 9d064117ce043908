// What this device knows: the list as the server sent it, with the device's own acts laid over it.
// Pure: nothing here touches the page, the storage or the network.

// Answers of the server after which an act has changed nothing.
const WITHOUT_EFFECT = new Set(["waiting", "unknown", "invalid", "refused", "not_in", "no_seat"]);

export const hasEffect = (act) => !WITHOUT_EFFECT.has(act.result);

// Whether nobody but this device has the act: it is not uploaded, or the server could not read it
// and nobody has settled it. The server keeps every act that it refused for another reason.
export const isOnlyHere = (act) => !act.sent || (act.result === "invalid" && !act.settled);

// A moment of this device, as milliseconds of the server's clock.
export function serverTime(deviceTime, facts) {
  return Date.parse(deviceTime) + (facts.server_offset || 0);
}

const moment = (text) => (text ? Date.parse(text) : null);

function known(one) {
  return Object.assign({}, one, {
    keys: one.keys || [],
    arrivedAt: moment(one.checked_in_at),
    giftAt: moment(one.gift_at),
    owedAt: moment(one.owed_at),
    presentAt: moment(one.present_at),
    cancelledAt: moment(one.cancelled_at),
    releasedAt: moment(one.released_at),
    unsure: Boolean(one.unsure),
    local: false,
  });
}

// Whether the list does not have this act yet: it is not uploaded, or was uploaded after the list
// was made. An act that the server refused has changed nothing, but an entry of a person who
// walked in stays in sight until the list has it.
function counts(act, listedAt) {
  if (act.settled) return false;
  if (!act.sent) return true;
  return Date.parse(act.sentAt) > listedAt && hasEffect(act);
}

function walkedIn(act, at, hasSeat) {
  return known({
    attendee: act.key,
    name: act.name,
    pinyin: "",
    code: "",
    tail: (act.phone || "").replace(/\D/g, "").slice(-4),
    party: act.key,
    state: hasSeat ? "confirmed" : "waitlisted",
    checked_in_at: hasSeat ? new Date(at).toISOString() : null,
    present_at: hasSeat ? null : new Date(at).toISOString(),
    number: act.answered ? act.answered.number : undefined,
    keys: [act.name.toLowerCase()],
  });
}

const CHANGES = {
  "check-in": (one, act, at, facts) => {
    if (one.state !== "confirmed" || one.arrivedAt) return;
    one.arrivedAt = at;
    one.door = act.from || facts.device_name;
    if (facts.gift && facts.gift.at_check_in) one.giftAt = at;
  },
  "undo": (one, act, at, facts) => {
    one.arrivedAt = null;
    one.door = null;
    if (facts.gift && facts.gift.at_check_in) one.giftAt = null;
  },
  "gift": (one, act, at) => { one.giftAt = one.giftAt || at; one.owedAt = null; },
  "gift-undo": (one) => { one.giftAt = null; },
  "gift-owed": (one, act, at) => { one.owedAt = one.owedAt || at; },
  "rename": (one, act) => { one.name = act.name; one.unsure = false; },
  "confirm-name": (one) => { one.unsure = false; },
  "seat": (one) => { one.state = "confirmed"; },
  "restore": (one) => { one.state = "confirmed"; one.cancelledAt = one.releasedAt = null; },
  "present": (one, act, at) => { one.presentAt = one.presentAt || at; },
};

// The seats of those who were seen as absent, and have not come since, are given away.
function release(people, act, at) {
  for (const attendee of act.absent || []) {
    const one = people.get(attendee);
    if (!one || one.arrivedAt || one.state !== "confirmed") continue;
    Object.assign(one, { state: "cancelled", cancelledAt: at, releasedAt: at, local: true });
  }
}

// The people and the counts. `roster` is {at, capacity, attendees}, `acts` are those in the
// storage.
export function project(roster, acts, facts) {
  const people = new Map(roster.attendees.map((one) => [one.attendee, known(one)]));
  const seated = () => [...people.values()].filter((one) => one.state === "confirmed").length;
  const listedAt = Date.parse(roster.at);
  const aliases = new Map(); // the server's ids of people who walked in at another door
  const inOrder = acts.filter((act) => counts(act, listedAt)).sort(earlier);
  const apply = (act) => {
    const at = serverTime(act.at, facts);
    const isNew = act.act === "walk-in" && !people.has(act.known_as);
    const meant = isNew ? act.key : aliases.get(act.attendee) || act.attendee;
    if (act.act === "release") {
      release(people, act, at);
    } else if (isNew) {
      people.set(act.key, walkedIn(act, at, seated() < roster.capacity));
      if (act.known_as) aliases.set(act.known_as, act.key);
    } else if (people.has(meant) && CHANGES[act.act]) {
      CHANGES[act.act](people.get(meant), act, at, facts);
    }
    const changed = people.get(meant);
    if (changed) changed.local = true;
    return Boolean(changed) || act.act === "release";
  };
  // By two clocks, somebody may be seated a moment before walking in at another door.
  inOrder.filter((act) => !apply(act)).forEach(apply);
  const counted = count([...people.values()], roster, facts);
  return Object.assign({ people, capacity: roster.capacity, listedAt }, counted);
}

// Acts of one device are in the order of its own count; acts of two devices in the order of time.
function earlier(a, b) {
  if (a.device === b.device && a.seq !== b.seq) return a.seq - b.seq;
  return Date.parse(a.at) - Date.parse(b.at);
}

function count(people, roster, facts) {
  const having = (test) => people.filter(test).length;
  const expected = having((one) => one.state === "confirmed");
  const given = having((one) => one.giftAt);
  const stock = facts.gift ? facts.gift.stock : null;
  return {
    expected,
    arrived: having((one) => one.state === "confirmed" && one.arrivedAt),
    mine: having((one) => one.arrivedAt && one.door && one.door === facts.device_name),
    free: Math.max(0, roster.capacity - expected),
    waitingHere: having((one) => one.state === "waitlisted" && one.presentAt),
    given,
    giftsLeft: stock == null ? null : Math.max(0, stock - given),
    owed: having((one) => one.owedAt && !one.giftAt),
  };
}

// The others of somebody's party who have a seat or wait, in the order of the list.
export function party(state, person) {
  const isBeside = (one) => one.party === person.party && one.attendee !== person.attendee;
  return [...state.people.values()].filter((one) => isBeside(one) && one.state !== "cancelled");
}
