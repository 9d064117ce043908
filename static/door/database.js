// What the device keeps: facts of the event, its people, and every act, in IndexedDB.
// An act counts as written only when its transaction is complete.

const STORES = ["facts", "people", "acts"];
const GONE = ["InvalidStateError", "UnknownError", "AbortError"];
const PATIENCE = 4000;

// Of a person the device keeps this and nothing else.
export const FIELDS = ["attendee", "name", "pinyin", "code", "tail", "party", "state",
  "checked_in_at", "gift_at", "ticket", "keys", "unsure", "position", "number", "present_at",
  "owed_at", "released", "cancelled_at", "door"];

let name = "eventreg-door";
let opening = null;

export function useStore(wanted) {
  if (wanted !== name) forget();
  name = wanted;
}

function forget() {
  opening = null;
}

// Some browsers never answer when they open a damaged database; then writing fails in the open.
export function open() {
  if (opening) return opening;
  const made = new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, 1);
    const given_up = setTimeout(() => reject(new Error("the store does not open")), PATIENCE);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("facts", { keyPath: "slug" });
      asked.result.createObjectStore("people", { keyPath: ["slug", "attendee"] });
      asked.result.createObjectStore("acts", { keyPath: "key" }).createIndex("slug", "slug");
    };
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      clearTimeout(given_up);
      const database = asked.result;
      database.onclose = forget;
      database.onversionchange = () => { database.close(); forget(); };
      resolve(database);
    };
  });
  opening = made;
  made.catch(forget);
  return made;
}

// Browsers close a connection when they like, such as after a long sleep. Then once more.
export async function withRetry(act) {
  try {
    return await act(await open());
  } catch (error) {
    if (!GONE.includes(error && error.name)) throw error;
    forget();
    return act(await open());
  }
}

// Resolves when the transaction is complete, never before.
function run(mode, work, durability) {
  return withRetry((database) => new Promise((resolve, reject) => {
    const transaction = database.transaction(STORES, mode, durability ? { durability } : {});
    let result;
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(
      transaction.error || new DOMException("the transaction was undone", "AbortError"));
    const stores = {};
    for (const one of STORES) stores[one] = transaction.objectStore(one);
    work(stores, (value) => { result = value; });
  }));
}

function range(slug) {
  return IDBKeyRange.bound([slug, ""], [slug, "\uffff"]);
}

export function facts(slug) {
  return run("readonly", (stores, give) => {
    stores.facts.get(slug).onsuccess = (event) => give(event.target.result || null);
  });
}

export function saveFacts(slug, part) {
  return run("readwrite", (stores, give) => {
    stores.facts.get(slug).onsuccess = (event) => {
      const kept = Object.assign({ seq: 0 }, event.target.result, part, { slug });
      stores.facts.put(kept);
      give(kept);
    };
  });
}

// The slugs of all events that this device has something of.
export function events() {
  return run("readonly", (stores, give) => {
    stores.facts.getAll().onsuccess = (event) => give(event.target.result);
  });
}

export function people(slug) {
  return run("readonly", (stores, give) => {
    stores.people.getAll(range(slug)).onsuccess = (event) => give(event.target.result);
  });
}

// The whole list at once: who is not on it any more is gone from the device.
export function saveRoster(slug, roster) {
  return run("readwrite", (stores) => {
    stores.people.delete(range(slug));
    for (const person of roster.attendees) {
      const kept = { slug };
      for (const field of FIELDS) if (field in person) kept[field] = person[field];
      stores.people.put(kept);
    }
  });
}

// Write acts, each with the device's next number, all or none. A key that is written already is
// left as it is: the first try may have come through although the browser said it did not.
export function addActs(made) {
  const slug = made[0].slug;
  return run("readwrite", (stores, give) => {
    stores.facts.get(slug).onsuccess = (event) => {
      const kept = Object.assign({ slug, seq: 0 }, event.target.result);
      const written = made.map((act) => number(act, kept));
      stores.facts.put(kept);
      for (const act of written) {
        stores.acts.get(act.key).onsuccess = (found) => {
          if (!found.target.result) stores.acts.put(act);
        };
      }
      give(written);
    };
  }, "strict");
}

// Acts of this device are counted; those of another one keep its count and stand in our order.
function number(act, kept) {
  kept.seq += 1;
  const own = { order: kept.seq, sent: false, result: null, settled: false };
  return Object.assign(own, act, act.from ? {} : { seq: kept.seq });
}

export async function addAct(act) {
  const written = await addActs([act]);
  return written[0];
}

// All acts of the event, in the order in which they were written.
export function acts(slug) {
  return run("readonly", (stores, give) => {
    stores.acts.index("slug").getAll(slug).onsuccess = (event) => {
      give(event.target.result.sort((one, other) => one.order - other.order));
    };
  });
}

export async function unsent(slug, most) {
  const all = await acts(slug);
  return all.filter((act) => !act.sent).slice(0, most);
}

// What the server answered, act by act. `received` is the server's time.
export function saveResults(slug, results, received) {
  return run("readwrite", (stores) => {
    for (const told of results) {
      stores.acts.get(told.key).onsuccess = (event) => {
        const act = event.target.result;
        if (!act || act.slug !== slug) return;
        stores.acts.put(Object.assign(act, {
          sent: true, received, result: told.result, reason: told.reason || null,
          told: { late: told.late, attendee: told.attendee, at: told.at, door: told.door,
            code: told.code, position: told.position, number: told.number },
        }));
      };
    }
  }, "strict");
}

export function settle(key) {
  return run("readwrite", (stores) => {
    stores.acts.get(key).onsuccess = (event) => {
      const act = event.target.result;
      if (act) stores.acts.put(Object.assign(act, { settled: true }));
    };
  }, "strict");
}

// Remove everything of the event; with `keepUnsent` all but what the server has not got.
export function wipe(slug, keepUnsent) {
  return run("readwrite", (stores) => {
    stores.people.delete(range(slug));
    stores.acts.index("slug").getAll(slug).onsuccess = (event) => {
      const left = keepUnsent ? event.target.result.filter((act) => !act.sent) : [];
      for (const act of event.target.result) if (!left.includes(act)) stores.acts.delete(act.key);
      if (!left.length) stores.facts.delete(slug);
    };
  }, "strict");
}
