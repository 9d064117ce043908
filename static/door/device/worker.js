// The door's service worker. The server puts VERSION and FILES before this text.
// It keeps the page without people and the script, one version at a time. It keeps no person.

const MARK = "Eventreg-Door";
const CHOICE = "door-choice";
const PATIENCE = 2000;
const own = `door-${VERSION}`;

const isDoor = (path) => /^\/door\/[^/]+\/$/.test(path);
const isBelow = (path) => /^\/door\/[^/]+\/.*$/.test(path) && !path.startsWith("/door/assets/");
const shellOf = (path) => `/door/${path.split("/")[2]}/shell`;

// The version that devices see. A new one waits until a person agrees, also if the browser was
// closed in between and has put the new worker to work by itself.
async function chosen() {
  const kept = await (await caches.open(CHOICE)).match("/door/chosen");
  const name = kept ? await kept.text() : "";
  return name && (await caches.has(name)) ? name : own;
}

async function choose() {
  await (await caches.open(CHOICE)).put("/door/chosen", new Response(own));
  for (const name of await caches.keys()) {
    if (name.startsWith("door-") && ![own, CHOICE].includes(name)) await caches.delete(name);
  }
}

// The shells to fetch anew: those that any version has, and those of the open pages.
async function shells() {
  const found = new Set();
  for (const name of await caches.keys()) {
    for (const asked of await (await caches.open(name)).keys()) {
      const path = new URL(asked.url).pathname;
      if (path.endsWith("/shell")) found.add(path);
    }
  }
  for (const client of await self.clients.matchAll({ includeUncontrolled: true, type: "window" })) {
    const path = new URL(client.url).pathname;
    if (isBelow(path)) found.add(shellOf(path));
  }
  return found;
}

async function keepShell(cache, path) {
  const answer = await fetch(path, { redirect: "manual", cache: "no-store" });
  const ours = answer.headers.get(MARK) === VERSION;
  if (answer.ok && ours) await cache.put(path, answer);
  // Another event's shell is left out if this device may not see it any more.
  else if (![403, 404].includes(answer.status)) throw new Error(`no shell: ${answer.status}`);
}

async function install() {
  const cache = await caches.open(own);
  await cache.addAll(FILES);
  for (const path of await shells()) await keepShell(cache, path);
  if (!self.registration.active) await choose();
}

self.addEventListener("install", (event) => {
  event.waitUntil(install().catch(async (error) => {
    await caches.delete(own);
    throw error;
  }));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const told = event.data || {};
  let done = null;
  if (told.type === "take-over") done = choose().then(() => self.skipWaiting());
  if (told.type === "keep-shell") {
    done = chosen().then((name) => (name === own ? caches.open(own) : null))
      .then((cache) => cache && keepShell(cache, told.path)).catch(() => {});
  }
  // Whether devices still see an older version than this worker's.
  if (told.type === "is-new") done = chosen().then((name) => name !== own);
  if (told.type === "wipe") done = wipe(told.path);
  if (!done) return;
  event.waitUntil(done.then((said) => event.ports[0] && event.ports[0].postMessage(said)));
});

async function wipe(path) {
  for (const name of await caches.keys()) await (await caches.open(name)).delete(path);
}

function soon(request) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE);
    fetch(request).then((answer) => {
      clearTimeout(timer);
      resolve(answer);
    }, () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}

// The network if it answers in time with a page of ours and of the chosen version; else the shell.
async function page(request) {
  const path = new URL(request.url).pathname;
  const name = await chosen();
  const shell = await caches.match(shellOf(path), { cacheName: name });
  if (!shell) return fetch(request);
  const answer = await soon(request);
  if (!answer || !answer.headers.get(MARK) || !answer.ok) return shell;
  return isDoor(path) && `door-${answer.headers.get(MARK)}` !== name ? shell : answer;
}

async function file(request) {
  const path = new URL(request.url).pathname;
  const kept = await caches.match(path, { cacheName: `door-${path.split("/")[3]}` });
  return kept || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET") return;
  if (path.startsWith("/door/assets/")) event.respondWith(file(request));
  else if (request.mode === "navigate" && isBelow(path)) event.respondWith(page(request));
});
