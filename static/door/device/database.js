// The storage of a door device: facts of its events, the list of people, and its own acts.
//
// A browser may close the connection at any time. Then it is opened again, and the work is tried
// once more.

import { keyOf } from "./packets.js";
import { isOnlyHere } from "./state.js";

const VERSION = 1;
const PATIENCE = 4000;
let name = "eventreg-door";
let opened = null;

// Which database to use. A rehearsal has one of its own.
export function use(database) {
  name = database;
  opened = null;
}

function made(event) {
  const db = event.target.result;
  db.createObjectStore("facts", { keyPath: "slug" });
  db.createObjectStore("people", { keyPath: ["slug", "attendee"] }).createIndex("slug", "slug");
  db.createObjectStore("acts", { keyPath: "key" }).createIndex("slug", "slug");
}

export function open() {
  if (opened) return opened;
  opened = new Promise((resolve, reject) => {
    const asking = indexedDB.open(name, VERSION);
    const late = () => reject(new Error("the storage does not answer"));
    const patience = setTimeout(late, PATIENCE); // some browsers never answer
    asking.onupgradeneeded = made;
    asking.onerror = () => reject(asking.error);
    asking.onblocked = () => reject(new Error("another tab keeps the storage open"));
    asking.onsuccess = () => {
      clearTimeout(patience);
      const db = asking.result;
      db.onclose = () => { opened = null; };
      db.onversionchange = () => { db.close(); opened = null; };
      resolve(db);
    };
  });
  opened.catch(() => { opened = null; });
  return opened;
}

// Runs a piece of work; if the connection was closed, opens it again and runs it once more.
export async function withRetry(work) {
  try {
    return await work(await open());
  } catch (fault) {
    const again = ["InvalidStateError", "UnknownError", "AbortError", "TransactionInactiveError"];
    if (!again.includes(fault && fault.name)) throw fault;
    opened = null;
    return work(await open());
  }
}

// Runs `act(stores)` in one transaction and resolves with what it returns when the transaction is
// complete: for a writing one, when the browser has put it on the disk ("strict").
function inTransaction(stores, mode, act) {
  return withRetry((db) => new Promise((resolve, reject) => {
    const options = mode === "readwrite" ? { durability: "strict" } : undefined;
    const transaction = db.transaction(stores, mode, options);
    let result;
    transaction.oncomplete = () => resolve(result && "result" in result ? result.result : result);
    transaction.onabort = () => reject(transaction.error || new Error("aborted"));
    transaction.onerror = () => reject(transaction.error);
    result = act(...stores.map((store) => transaction.objectStore(store)));
  }));
}

export function facts(slug) {
  return inTransaction(["facts"], "readonly", (store) => store.get(slug));
}

// Changes some facts of an event and keeps the others.
export function saveFacts(slug, part) {
  return inTransaction(["facts"], "readwrite", (store) => {
    store.get(slug).onsuccess = (event) => {
      store.put(Object.assign({ seq: 0 }, event.target.result, part, { slug }));
    };
  });
}

// The facts of all events that this device has something of.
export function events() {
  return inTransaction(["facts"], "readonly", (store) => store.getAll());
}

export function people(slug) {
  return inTransaction(["people"], "readonly", (store) => store.index("slug").getAll(slug));
}

// Of a person the device keeps this and nothing else.
const KEPT = ["attendee", "name", "pinyin", "code", "tail", "party", "state", "checked_in_at",
  "gift_at", "ticket", "keys", "unsure", "position", "number", "present_at", "owed_at", "door",
  "cancelled_at", "released_at"];

function keptOf(slug, person) {
  const kept = { slug };
  for (const field of KEPT) if (field in person) kept[field] = person[field];
  return kept;
}

// Replaces the list of an event.
export function saveRoster(slug, roster, etag) {
  return inTransaction(["people", "facts"], "readwrite", (people, facts) => {
    people.delete(allOf(slug)); // at once: a cursor would come upon the new list, too
    for (const one of roster.attendees) people.put(keptOf(slug, one));
    facts.get(slug).onsuccess = (event) => {
      const part = { slug, roster_at: roster.at, roster_etag: etag, capacity: roster.capacity };
      facts.put(Object.assign({ seq: 0 }, event.target.result, part));
    };
  });
}

const allOf = (slug) => IDBKeyRange.bound([slug], [slug, []]);

// Deletes the acts of an event, but for `except`. These then say themselves who it was.
function clear(store, slug, except, people) {
  store.index("slug").openCursor(IDBKeyRange.only(slug)).onsuccess = (event) => {
    const cursor = event.target.result;
    if (!cursor) return;
    const act = cursor.value;
    const who = people.get(act.attendee);
    if (!except || !except(act)) cursor.delete();
    else if (who) cursor.update(Object.assign(act, { who }));
    cursor.continue();
  };
}

// Writes acts with the device's next numbers, and keys that follow from these: all or none. Resolves
// with the acts when they are on the disk.
export function addActs(made) {
  const written = made.map((act) => Object.assign({ sent: false, settled: false }, act));
  return inTransaction(["acts", "facts"], "readwrite", (acts, facts) => {
    facts.get(made[0].slug).onsuccess = (event) => {
      const known = Object.assign({ slug: made[0].slug, seq: 0 }, event.target.result);
      // The first try may have come through although the browser said that it did not.
      acts.get(written[0].key || "").onsuccess = (found) => {
        if (!found.target.result) number(written, made, known);
        facts.put(known);
        for (const act of written) acts.put(act);
      };
    };
    return { get result() { return written; } };
  });
}

function number(written, made, known) {
  written.forEach((act, place) => {
    known.seq += 1;
    act.seq = known.seq;
    act.key = made[place].key || keyOf(known.device, known.seq);
  });
}

export async function addAct(act) {
  return (await addActs([act]))[0];
}

// Keeps acts that another device recorded, as they are. Those that are here already stay, but for
// the id that the server gave to somebody who walked in.
export function takeOver(slug, others) {
  return inTransaction(["acts"], "readwrite", (acts) => {
    for (const act of others) {
      acts.get(act.key).onsuccess = (event) => {
        const fresh = Object.assign({ sent: false, settled: false }, act, { slug });
        const here = event.target.result;
        if (!here) acts.put(fresh);
        else if (act.known_as && !here.known_as) {
          acts.put(Object.assign(here, { known_as: act.known_as })); // the id of who walked in here
        }
      };
    }
  });
}

const byAge = (a, b) => Date.parse(a.at) - Date.parse(b.at) || a.seq - b.seq;

export async function acts(slug) {
  const all = (store) => store.index("slug").getAll(slug);
  return (await inTransaction(["acts"], "readonly", all)).sort(byAge);
}

// The oldest acts that are not uploaded.
export async function unsent(slug, most) {
  return (await acts(slug)).filter((act) => !act.sent).slice(0, most);
}

// Marks acts as uploaded, each with the server's answer.
export function saveResults(slug, results, sentAt) {
  return inTransaction(["acts"], "readwrite", (store) => {
    for (const result of results) {
      store.get(result.key).onsuccess = (event) => {
        const act = event.target.result;
        if (!act) return;
        const answer = { sent: true, sentAt, result: result.result, reason: result.reason || null };
        store.put(Object.assign(act, answer, { answered: result }));
      };
    }
  });
}

// A person has looked at an act that the server refused.
export function settle(key) {
  return inTransaction(["acts"], "readwrite", (store) => {
    store.get(key).onsuccess = (event) => {
      if (event.target.result) store.put(Object.assign(event.target.result, { settled: true }));
    };
  });
}

// Deletes everything about an event, but for acts that nobody else has unless `all` is true.
export function wipe(slug, all) {
  return inTransaction(["facts", "people", "acts"], "readwrite", (facts, people, acts) => {
    people.index("slug").getAll(slug).onsuccess = (event) => {
      const known = event.target.result.map(({ attendee, name, code, tail }) =>
        [attendee, { name, code, tail }]);
      clear(acts, slug, all ? null : isOnlyHere, new Map(known));
      people.delete(allOf(slug));
    };
    facts.get(slug).onsuccess = (event) => {
      const { seq, device, device_name } = event.target.result || {};
      if (all) facts.delete(slug);
      else facts.put({ slug, seq: seq || 0, device, device_name, wiped: true });
    };
  });
}
