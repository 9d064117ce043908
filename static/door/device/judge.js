// What the panel says about an act before the server has answered, and whether the act is written.
// Pure: `person` is one of `project`, times are milliseconds of the server's clock.

function ofCheckIn(person, act, now, facts) {
  if (person.arrivedAt) return { kind: "already-in", at: person.arrivedAt, door: person.door };
  if (person.state === "waitlisted") {
    return { kind: "waiting", position: person.position, number: person.number };
  }
  if (person.releasedAt) return { kind: "released", at: person.releasedAt };
  if (person.state === "cancelled") return { kind: "cancelled", at: person.cancelledAt };
  const isOpen = now >= Date.parse(facts.check_in_opens_at) || facts.check_in_opened_at;
  if (!isOpen && !act.anyway) return { kind: "early", at: Date.parse(facts.check_in_opens_at) };
  const late = now >= Date.parse(facts.check_in_closes_at);
  const kind = person.unsure ? "unsure" : late ? "late" : "checked-in";
  return { kind, writes: true, late, at: now };
}

function ofGift(person, state) {
  if (!person.arrivedAt) return { kind: "not-in" };
  if (person.giftAt) return { kind: "gift-already", at: person.giftAt };
  if (state.giftsLeft === 0) return { kind: "no-gift-left" };
  return { kind: "gift-given", writes: true };
}

// Seats are promised only if this device knows of a free one; the server decides in the end.
function ofSeat(person, state, kind) {
  return state.free > 0 ? { kind, writes: true } : { kind: "no-seat" };
}

function ofGiftUndone(person) {
  return person.giftAt ? { kind: "gift-undone", writes: true } : { kind: "no-gift" };
}

function ofOwedGift(person) {
  if (person.giftAt) return { kind: "gift-already", at: person.giftAt };
  return { kind: "gift-owed", writes: true };
}

// Before its time only an organiser may give seats away.
function ofRelease(now, facts) {
  const from = Date.parse(facts.release_at || facts.check_in_closes_at);
  if (now < from && !(facts.may && facts.may["release-early"])) {
    return { kind: "release-early", at: from, writes: false };
  }
  return { kind: "seats-released", writes: true, at: now };
}

const JUDGES = {
  "check-in": ofCheckIn,
  "undo": (person) => (person.arrivedAt ? { kind: "undone", writes: true } : { kind: "not-in" }),
  "gift": (person, act, now, facts, state) => ofGift(person, state),
  "gift-undo": ofGiftUndone,
  "gift-owed": ofOwedGift,
  "rename": () => ({ kind: "renamed", writes: true }),
  "confirm-name": () => ({ kind: "name-confirmed", writes: true }),
  "seat": (person, act, now, facts, state) => ofSeat(person, state, "seated"),
  "restore": (person, act, now, facts, state) => ofSeat(person, state, "restored"),
  "present": () => ({ kind: "present", writes: true }),
};

// {kind, writes, at, late, door, position, number}. `writes` says whether the act is to be written.
export function judge(person, act, now, facts, state) {
  if (act.act === "walk-in") {
    return { kind: state.free > 0 ? "walked-in" : "walked-in-waiting", writes: true, at: now };
  }
  if (act.act === "release") return ofRelease(now, facts);
  if (!person) return { kind: "not-found", writes: false };
  return Object.assign({ writes: false }, JUDGES[act.act](person, act, now, facts, state));
}
