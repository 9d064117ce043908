// What this browser holds of the door: read without making a database where there is none. An empty
// one without stores would be in the way of the door's own (database.js).

function open(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    let isNew = false;
    opening.onupgradeneeded = () => {
      isNew = true;
      opening.transaction.abort();
    };
    opening.onerror = () => (isNew ? resolve(null) : reject(opening.error));
    opening.onsuccess = () => resolve(opening.result);
  });
}

// Runs `ask` on one store of the database `name` and gives its result; `otherwise` if there is no
// such store.
async function read(name, store, ask, otherwise) {
  const database = await open(name);
  if (!database) return otherwise;
  try {
    if (!database.objectStoreNames.contains(store)) return otherwise;
    return await new Promise((resolve, reject) => {
      const asking = ask(database.transaction(store).objectStore(store));
      asking.onsuccess = () => resolve(asking.result);
      asking.onerror = () => reject(asking.error);
    });
  } finally {
    database.close();
  }
}

// The id that this device had at the event; empty if it had none.
export async function heldDevice(name, slug) {
  const facts = await read(name, "facts", (store) => store.get(slug), null);
  return facts && typeof facts.device === "string" ? facts.device : "";
}

// How many acts, of all events, nobody else has (as in state.js).
export async function countUnsent(name) {
  const acts = await read(name, "acts", (store) => store.getAll(), []);
  return acts.filter((act) => !act.sent || (act.result === "invalid" && !act.settled)).length;
}
