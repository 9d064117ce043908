// In place of the store, if the browser gives us none: nothing outlives the page, and an act counts
// only when the server has answered it.

import { trouble } from "./upload.js";

const kept = { facts: {}, people: [], acts: [] };

async function post(acts, door) {
  let answer = await door.server.send(acts);
  if (trouble(answer) === "refused" && answer.body && answer.body.error === "form_expired") {
    await door.server.renew();
    answer = await door.server.send(acts);
  }
  const results = answer.body && Array.isArray(answer.body.results) ? answer.body.results : null;
  if (trouble(answer) || !results || results.length !== acts.length) {
    door.loop.say(trouble(answer) || "foreign");
    throw new Error("not sent");
  }
  acts.forEach((act) => kept.acts.push(Object.assign(act, { sent: false, settled: false })));
  await memory.saveResults(door.facts.slug, results, door.server.received(answer.body));
  door.acts = kept.acts.slice();
}

const KINDS = { checked_in: "checked-in", already_in: "already-in", no_seat: "no-seat",
  admitted_cancelled: "checked-in", gift_given: "gift-given", gift_already: "gift-already",
  waiting: "waiting", unknown: "not-found", walked_in: "walked-in" };

export const memory = {
  post,
  // What the panel says, by the server's answer.
  told(key) {
    const act = kept.acts.find((one) => one.key === key);
    const kind = act && KINDS[act.result];
    if (kind) return Object.assign({ kind: kind === "checked-in" && act.told.late ? "late" : kind },
      act.told.at ? { at: act.told.at } : {});
    return act && ["invalid", "refused"].includes(act.result) ? { kind: "refused" } : {};
  },
  facts: async () => kept.facts,
  saveFacts: async (slug, part) => Object.assign(kept.facts, part),
  events: async () => [],
  people: async () => kept.people,
  saveRoster: async (slug, roster) => { kept.people = roster.attendees; },
  acts: async () => kept.acts.slice(),
  unsent: async () => [],
  saveResults: async (slug, results, received) => {
    for (const told of results) {
      const act = kept.acts.find((one) => one.key === told.key);
      if (act) Object.assign(act, { sent: true, received, result: told.result,
        reason: told.reason || null, told });
    }
  },
  settle: async (key) => {
    for (const act of kept.acts) if (act.key === key) act.settled = true;
  },
  wipe: async () => Object.assign(kept, { facts: {}, people: [], acts: [] }),
};
