// Keeps the page on the device, and removes what must not stay there.

const KEPT_AFTER = 12 * 3600 * 1000;
const OF_THE_LIST = ["roster_at", "roster_etag", "meet_key"];

function say(worker, message) {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => resolve(event.data);
    worker.postMessage(message, [channel.port2]);
  });
}

// Whether the event ended twelve hours ago.
function isOver(event) {
  return Date.parse(event.ends_at) + KEPT_AFTER < Date.now() + (event.server_offset || 0);
}

// `app` is {facts, store, storage, acts(), reload(), draw(), stop(), hasNewVersion}.
export function makeKeeper(app) {
  let registration = null;

  const shell = () => `${app.facts.links.door}shell`;

  // A new version is installed and waits. The page offers it when nothing is unsent. If the last tab
  // was closed meanwhile, the browser has put its worker to work; it still shows the old version.
  async function look() {
    const waits = registration.waiting && registration.active;
    app.hasNewVersion = Boolean(waits || (await say(registration.active, { type: "is-new" })));
    app.draw();
  }

  function follow() {
    registration.addEventListener("updatefound", () => {
      const coming = registration.installing;
      if (coming) coming.addEventListener("statechange", look);
    });
    return look();
  }

  async function register() {
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    try {
      registration = await navigator.serviceWorker.register(app.facts.links.worker,
        { scope: "/door/", updateViaCache: "none" });
      await navigator.serviceWorker.ready;
      // The shell in the language of this page. A page from the device has it already.
      if (!app.facts.shell) await say(registration.active, { type: "keep-shell", path: shell() });
      await follow();
    } catch (fault) {
      if (app.storage === "ok") app.storage = "no-worker"; // no https, or an old browser
      app.draw();
    }
  }

  // A person agreed to the new version. Refused while something is unsent.
  async function update() {
    const isOpen = app.acts().some((one) => !one.sent);
    if (isOpen || !registration || !app.hasNewVersion) return false;
    await say(registration.waiting || registration.active, { type: "take-over" });
    location.reload();
    return true;
  }

  // Removes people, acts and page; without `all` the acts stay that nobody else has.
  async function wipe(all) {
    if (all) app.stop(); // or the upload would fetch the list again
    await app.store.wipe(app.facts.slug, all);
    for (const name of OF_THE_LIST) delete app.facts[name];
    if (all && registration && registration.active) {
      await say(registration.active, { type: "wipe", path: shell() });
    }
    await app.reload();
  }

  // Other events that ended twelve hours ago. The upload sees to the event of this page.
  async function wipeOld() {
    for (const event of await app.store.events()) {
      const isOther = event.slug !== app.facts.slug;
      if (isOther && isOver(event)) await app.store.wipe(event.slug, false);
    }
  }

  return { register, update, wipe, wipeOld, isOver: () => isOver(app.facts) };
}
