// Every act of a volunteer: judged on the device, written down, then told. Nothing waits for the
// network, unless the browser gives us no storage.

import { unsentCsv } from "./export.js";
import { judge } from "./judge.js";
import { isOnlyHere, party } from "./state.js";

// `app` is {facts, store, state(), acts(), now(), wrote(acts), reload(), recount(), keeper}.
export function makeActions(app) {
  let before = Promise.resolve();

  function tell(told, person) {
    const beside = person ? party(app.state(), person) : [];
    return Object.assign({}, told, { person: person || null, party: beside });
  }

  // One act after another: a second tap is judged by what the first one wrote.
  function inTurn(work) {
    const done = before.then(work);
    before = done.catch(() => {});
    return done;
  }

  function made(act, attendee, more) {
    const fields = { slug: app.facts.slug, act, attendee: attendee || null,
      at: new Date().toISOString(), device: app.facts.device };
    return Object.assign(fields, more);
  }

  // `also` are acts that belong to this one: they are written with it or not at all.
  function perform(act, attendee, more, also) {
    return inTurn(async () => {
      const state = app.state();
      const person = state.people.get(attendee);
      const asked = Object.assign({ act }, more);
      const told = judge(person, asked, app.now(), app.facts, state);
      if (!told.writes) return { told: tell(told, person), written: false };
      const acts = [made(act, attendee, more)];
      for (const other of also || []) acts.push(made(other, attendee));
      return write(told, acts);
    });
  }

  async function write(told, acts) {
    let written;
    try {
      written = await app.store.addActs(acts);
    } catch (fault) {
      const person = app.state().people.get(acts[0].attendee);
      return { told: tell({ kind: "not-saved" }, person), written: false };
    }
    app.wrote(written);
    const key = written[0].key;
    const person = app.state().people.get(acts[0].attendee || key);
    const answered = app.store.answeredKind ? app.store.answeredKind(key) : {};
    return { told: tell(Object.assign({ key }, told, answered), person), written: true };
  }

  async function exportUnsent() {
    const acts = app.acts().filter(isOnlyHere);
    const csv = unsentCsv(acts, app.state().people, app.facts);
    app.facts.exported = acts.map((one) => one.key);
    await app.store.saveFacts(app.facts.slug, { exported: app.facts.exported });
    const file = `${app.facts.slug}-door.csv`;
    return { told: { kind: "exported", csv, acts, file }, written: false };
  }

  // Ends the work of this device. Refused while an act is neither uploaded nor exported; with
  // exported ones somebody has to confirm it.
  async function end(confirmed) {
    const unsent = app.acts().filter(isOnlyHere);
    const exported = new Set(app.facts.exported || []);
    const isOpen = unsent.some((one) => !exported.has(one.key));
    if (isOpen || (unsent.length && !confirmed)) {
      const kind = isOpen ? "unsent" : "confirm";
      return { told: { kind, unsent: unsent.length }, written: false };
    }
    await app.keeper.wipe(true);
    return { told: { kind: "ended" }, written: true };
  }

  async function settle(key) {
    await app.store.settle(key);
    await app.reload();
    await app.recount();
    return { told: { kind: "settled" }, written: true };
  }

  return {
    checkIn: (attendee, options) => perform("check-in", attendee,
      options && options.anyway ? { anyway: true } : {}),
    undo: (attendee) => perform("undo", attendee),
    gift: (attendee) => perform("gift", attendee),
    undoGift: (attendee) => perform("gift-undo", attendee),
    oweGift: (attendee) => perform("gift-owed", attendee),
    walkIn: (typed) => perform("walk-in", null, { name: typed.name, phone: typed.phone || null }),
    rename: (attendee, name) => perform("rename", attendee, { name }),
    confirmName: (attendee) => perform("confirm-name", attendee),
    seat: (attendee) => perform("seat", attendee, {}, ["check-in"]),
    restore: (attendee) => perform("restore", attendee, {}, ["check-in"]),
    present: (attendee) => perform("present", attendee),
    release: (absent) => perform("release", null, { absent }),
    settle: (key) => inTurn(() => settle(key)),
    exportUnsent,
    end: (confirmed) => inTurn(() => end(confirmed)),
  };
}
