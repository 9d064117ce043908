// Every act of a volunteer: judged on the device, written down, then told. Nothing waits for the
// network, unless the browser gives us no store.

import { judge } from "./judge.js";
import { unsentCsv } from "./export.js";

export function makeActions(door) {
  let before = Promise.resolve();

  function tell(told, person) {
    const party = person ? Array.from(door.current().people.values()).filter((one) => (
      one.party && one.party === person.party && one.attendee !== person.attendee)) : [];
    return Object.assign({}, told, { person: person || null, party });
  }

  function made(word, attendee, more) {
    return Object.assign({
      key: door.newKey(), slug: door.facts.slug, act: word, attendee: attendee || null,
      name: null, phone: null, at: new Date().toISOString(), device: door.facts.device,
    }, more);
  }

  async function write(acts) {
    if (door.storage === "ok") {
      door.acts = door.acts.concat(await door.store.addActs(acts));
      door.loop.kick();
    } else {
      await door.store.post(acts, door);
    }
    door.draw();
    door.tell();
  }

  // One act after another: a second tap is judged by what the first one wrote.
  function inTurn(act) {
    const done = before.then(act);
    before = done.catch(() => {});
    return done;
  }

  // `also` are acts that belong to it: they are written with it or not at all.
  function act(word, attendee, more, also) {
    return inTurn(async () => {
      const state = door.current();
      const person = state.people.get(attendee);
      const known = Object.assign({}, door.facts, { free: state.free, left: state.gifts.left });
      const told = judge(person, word, door.now(), known, more && more.anyway);
      if (!told.writes) return { told: tell(told, person), written: false };
      const given = Object.assign({}, more);
      delete given.anyway;
      const acts = [made(word, attendee, given)];
      for (const other of also || []) acts.push(made(other, attendee, {}));
      return writing(told, acts, attendee || acts[0].key);
    });
  }

  async function writing(told, acts, attendee) {
    try {
      await write(acts);
    } catch (error) {
      const kind = door.storage === "ok" ? "not-saved" : "not-sent";
      return { told: tell({ kind }, door.current().people.get(attendee)), written: false };
    }
    const person = door.current().people.get(attendee);
    const answered = door.storage === "ok" ? {} : door.store.told(acts[0].key);
    return { told: tell(Object.assign({ key: acts[0].key }, told, answered), person),
      written: true };
  }

  async function exportUnsent() {
    const unsent = door.acts.filter((one) => !one.sent);
    const csv = unsentCsv(unsent, door.current().people, door.facts);
    door.facts.exported = unsent.map((one) => one.key);
    await door.store.saveFacts(door.facts.slug, { exported: door.facts.exported });
    return { told: { kind: "exported", csv, acts: unsent, file: `${door.facts.slug}-door.csv` },
      written: false };
  }

  // Ends the work of this device. Refused while something is neither sent nor exported.
  async function end(confirmed) {
    const exported = new Set(door.facts.exported || []);
    const unsent = door.acts.filter((one) => !one.sent);
    const open = unsent.filter((one) => !exported.has(one.key));
    if (open.length || (unsent.length && !confirmed)) {
      return { told: { kind: open.length ? "unsent" : "confirm", unsent: unsent.length },
        written: false };
    }
    await door.keeper.wipe(false);
    return { told: { kind: "ended" }, written: true };
  }

  return {
    checkIn: (attendee, options) => act("check-in", attendee,
      { anyway: Boolean(options && options.anyway) }),
    undo: (attendee) => act("undo", attendee),
    gift: (attendee) => act("gift", attendee),
    undoGift: (attendee) => act("gift-undo", attendee),
    oweGift: (attendee) => act("gift-owed", attendee),
    walkIn: (typed) => act("walk-in", null, { name: typed.name, phone: typed.phone || null }),
    rename: (attendee, name) => act("rename", attendee, { name }),
    confirmName: (attendee) => act("confirm-name", attendee),
    seat: (attendee) => act("seat", attendee, {}, ["check-in"]),
    restore: (attendee) => act("restore", attendee, {}, ["check-in"]),
    present: (attendee) => act("present", attendee),
    settle: (key) => inTurn(async () => {
      await door.store.settle(key);
      await door.reload();
      door.tell();
      return { told: { kind: "settled" }, written: true };
    }),
    exportUnsent,
    end,
  };
}
