// Keeps the page on the device, and removes what must not stay there.

const KEPT_AFTER = 12 * 3600 * 1000;

export function makeKeeper(door) {
  let registration = null, wanted = false;

  function say(worker, message) {
    return new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = resolve;
      worker.postMessage(message, [channel.port2]);
    });
  }

  // A new version is installed and waits. The page offers it when nothing is unsent.
  function follow() {
    const look = () => {
      door.newVersion = Boolean(registration.waiting && registration.active);
      door.draw();
    };
    registration.addEventListener("updatefound", () => {
      const coming = registration.installing;
      if (coming) coming.addEventListener("statechange", look);
    });
    look();
  }

  async function register() {
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    if (!("serviceWorker" in navigator)) {
      if (door.storage === "ok") door.storage = "no-worker";
      return;
    }
    try {
      registration = await navigator.serviceWorker.register(door.facts.links.worker,
        { scope: "/door/", updateViaCache: "none" });
      await navigator.serviceWorker.ready;
      follow();
      if (!door.facts.shell) await keepShell();
    } catch (error) {
      if (door.storage === "ok") door.storage = "no-worker";
      door.draw();
    }
  }

  // The shell in the language of this page.
  function keepShell() {
    return say(registration.active, { type: "keep-shell", path: `${door.facts.links.door}shell` });
  }

  // A person agreed to the new version. Refused while something is unsent.
  async function update() {
    if (door.current().unsent.length || !registration || !registration.waiting || wanted) return;
    wanted = true;
    await say(registration.waiting, { type: "take-over" });
    location.reload();
  }

  async function wipe(keepUnsent) {
    await door.store.wipe(door.facts.slug, keepUnsent);
    door.facts.roster_at = door.facts.roster_tag = door.facts.roster_version = null;
    if (registration && registration.active && !keepUnsent) {
      await say(registration.active, { type: "wipe", path: `${door.facts.links.door}shell` });
    }
    await door.reload();
    door.tell();
  }

  // This door was taken away: nobody's data stay, but for what is unsent.
  async function revoked() {
    if (door.roster.length) await wipe(true);
  }

  // Events that ended twelve hours ago. What is unsent stays until it is sent.
  async function wipeOld() {
    for (const event of await door.store.events()) {
      const ended = Date.parse(event.ends_at) + KEPT_AFTER;
      if (event.ends_at && ended < Date.now() + (event.server_offset || 0)) {
        await door.store.wipe(event.slug, true);
      }
    }
  }

  const keeper = { register, update, wipe, revoked, wipeOld };
  door.keeper = keeper;
  return keeper;
}
