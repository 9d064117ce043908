// What the panel says of an act before the server answers. Pure: `now` is the corrected time.
// The result's `writes` tells whether the act is to be written down.

function told(kind, more) {
  return Object.assign({ kind, writes: false }, more);
}

function checkIn(person, now, facts, anyway) {
  if (person.arrivedAt) return told("already-in", { at: person.arrivedAt, door: person.door || "" });
  if (person.state === "cancelled") {
    return told(person.released ? "released" : "cancelled", { at: person.cancelled_at || null });
  }
  if (person.state === "waitlisted") return told("waiting", { position: person.position || null });
  if (now < Date.parse(facts.check_in_opens_at) && !facts.check_in_opened_at && !anyway) {
    return told("early", { at: facts.check_in_opens_at });
  }
  const late = now >= Date.parse(facts.check_in_closes_at);
  return told(person.unsure ? "unsure" : late ? "late" : "checked-in", { writes: true, late });
}

function gift(person, facts) {
  if (person.giftAt) return told("gift-already", { at: person.giftAt });
  if (!person.arrivedAt) return told("gift-not-in");
  if (facts.left === 0) return told("gift-none");
  return told("gift-given", { writes: true });
}

function seat(person, kind, facts) {
  return facts.free > 0 ? told(kind, { writes: true }) :
    told("no-seat", { position: person ? person.position || null : null });
}

// `act` is the word of the act; `facts` has besides `free` and `left`, the seats and gifts left.
export function judge(person, act, now, facts, anyway) {
  if (act === "walk-in") return told(facts.free > 0 ? "walked-in" : "no-seat", { writes: true });
  if (!person) return told("not-found");
  switch (act) {
    case "check-in": return checkIn(person, now, facts, anyway);
    case "undo": return person.arrivedAt ? told("undone", { writes: true }) : told("not-in");
    case "gift": return gift(person, facts);
    case "gift-undo":
      return person.giftAt ? told("gift-undone", { writes: true }) : told("gift-not-given");
    case "gift-owed":
      if (person.giftAt) return told("gift-already", { at: person.giftAt });
      return person.arrivedAt ? told("gift-owed", { writes: true }) : told("gift-not-in");
    case "rename": return told("renamed", { writes: true });
    case "confirm-name": return told("confirmed", { writes: true });
    case "seat":
      return person.state === "waitlisted" ? seat(person, "seated", facts) :
        told("already-in", { at: person.arrivedAt });
    case "restore":
      return person.state === "cancelled" ? seat(person, "restored", facts) :
        told("already-in", { at: person.arrivedAt });
    case "present": return told("present", { writes: true });
    default: return told("not-found");
  }
}
