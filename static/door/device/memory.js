// Stands in for the storage if the browser gives us none. Nothing outlives the page, and an act
// counts only when the server has answered it, so every act is posted at once.

const KINDS = { already_in: "already-in", no_seat: "no-seat", waiting: "waiting",
  unknown: "not-found", gift_already: "gift-already", invalid: "not-saved", refused: "not-saved" };

// `post(acts)` uploads and resolves with the server's answer, or rejects.
export function makeMemory(post) {
  const kept = { facts: {}, people: [], acts: [] };

  async function addActs(made) {
    const acts = made.map((act) => Object.assign({ settled: false }, act, { key: newKey() }));
    const answer = await post(acts);
    for (const act of acts) {
      const answered = answer.results.find((one) => one.key === act.key);
      Object.assign(act, { sent: true, sentAt: answer.now, answered, result: answered.result,
        reason: answered.reason || null });
      kept.acts.push(act);
    }
    return acts;
  }

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // What the panel says, by the server's answer.
  function answeredKind(key) {
    const act = kept.acts.find((one) => one.key === key);
    const kind = act && KINDS[act.result];
    const at = act && act.answered.at ? { at: Date.parse(act.answered.at) } : {};
    return kind ? Object.assign({ kind }, at) : {};
  }

  async function saveRoster(slug, roster, etag) {
    kept.people = roster.attendees;
    Object.assign(kept.facts,
      { roster_at: roster.at, roster_etag: etag, capacity: roster.capacity });
  }

  return {
    addActs, answeredKind, saveRoster,
    events: async () => [],
    facts: async () => kept.facts,
    saveFacts: async (slug, part) => { Object.assign(kept.facts, part); },
    people: async () => kept.people,
    acts: async () => kept.acts.slice(),
    unsent: async () => [],
    saveResults: async () => {},
    settle: async (key) => {
      for (const act of kept.acts) if (act.key === key) act.settled = true;
    },
    wipe: async () => { Object.assign(kept, { people: [], acts: [] }); },
  };
}
