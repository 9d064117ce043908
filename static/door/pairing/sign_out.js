// Signing out clears the storage of this browser only if every act of the door was uploaded. The
// form says so in its field; without script it says nothing, and nothing is cleared.

import { countUnsent } from "./held.js";

const form = document.querySelector("form[data-unsent]");

async function leave(event) {
  event.preventDefault();
  let unsent = null;
  try {
    const facts = JSON.parse(document.getElementById("facts").textContent);
    unsent = await countUnsent(facts.store);
  } catch (error) {
    // Unknown is not none: then nothing is cleared.
  }
  const warning = form.dataset.unsent.replace("{count}", unsent);
  if (unsent && !window.confirm(warning)) return;
  form.elements["nothing-unsent"].value = unsent === 0 ? "yes" : "";
  form.submit();
}

if (form) form.addEventListener("submit", leave);
