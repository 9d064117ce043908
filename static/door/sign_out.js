// Signing out clears the storage of this browser only if every act of the door was uploaded. The
// form says so in its field; without script it says nothing, and nothing is cleared.

const form = document.querySelector("form[data-unsent]");

// The acts that were not uploaded. A database that does not exist yet is not made.
function countUnsent() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("eventreg-door");
    let isNew = false;
    opening.onupgradeneeded = () => {
      isNew = true;
      opening.transaction.abort();
    };
    opening.onerror = () => (isNew ? resolve(0) : reject(opening.error));
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      if (!database.objectStoreNames.contains("acts")) {
        database.close();
        resolve(0);
        return;
      }
      const all = database.transaction("acts").objectStore("acts").getAll();
      all.onsuccess = () => {
        database.close();
        resolve(all.result.filter((act) => !act.sent).length);
      };
      all.onerror = () => reject(all.error);
    };
  });
}

async function leave(event) {
  event.preventDefault();
  let unsent = null;
  try {
    unsent = await countUnsent();
  } catch (error) {
    // Unknown is not none: then nothing is cleared.
  }
  const warning = form.dataset.unsent.replace("{count}", unsent);
  if (unsent && !window.confirm(warning)) return;
  form.elements["nothing-unsent"].value = unsent === 0 ? "yes" : "";
  form.submit();
}

if (form) form.addEventListener("submit", leave);
