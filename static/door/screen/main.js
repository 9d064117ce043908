// The door's application. It joins storage, upload, worker and screen.

import { takeText, textsToShow } from "./meet.js";
import { makeActions } from "./acting.js";
import * as database from "./database.js";
import { makeKeeper } from "./keeper.js";
import { makeMemory } from "./memory.js";
import { openPage } from "./page.js";
import { project } from "./state.js";
import { uploader } from "./upload.js";

const json = (id) => JSON.parse(document.getElementById(id).textContent);
const facts = json("facts");
const STORED = ["seq", "device", "device_name", "roster_at", "roster_etag", "capacity",
  "server_offset", "meet_key", "exported"];
const listeners = [];
let people = [];
let acts = [];
let seen = null;
let live = null;
let loop = null;
let page = null;

// What the parts share.
export const app = {
  facts, storage: "ok", hasNewVersion: false,
  store: watched(database),
  acts: () => acts,
  now: () => Date.now() + (facts.server_offset || 0),
  state, reload, draw, wrote,
  stop: () => loop.stop(),
  recount: () => loop.recount(),
};
app.keeper = makeKeeper(app);
const actions = makeActions(app);

// The people and the counts, as this device knows them.
function state() {
  const roster = { at: facts.roster_at, capacity: facts.capacity, attendees: people };
  seen = seen || project(roster, acts, facts);
  return seen;
}

function draw() {
  seen = null;
  for (const listener of listeners) listener();
}

// Reads the storage again: the list, the answers, or another tab has changed it.
async function reload() {
  people = await app.store.people(facts.slug);
  acts = await app.store.acts(facts.slug);
  takeStored(await app.store.facts(facts.slug));
  draw();
}

function takeStored(stored) {
  for (const name of STORED) if (stored && stored[name] !== undefined) facts[name] = stored[name];
}

// Acts are on the disk now.
function wrote(written) {
  acts = acts.concat(written);
  draw();
  loop.now();
  tellTabs();
}

// The storage, whose changes by the upload are seen at once.
function watched(store) {
  return Object.assign({}, store, {
    async saveRoster(slug, roster, etag) {
      await store.saveRoster(slug, roster, etag);
      await reload();
    },
    async saveResults(slug, results, sentAt) {
      await store.saveResults(slug, results, sentAt);
      await reload();
      tellTabs();
    },
  });
}

// Other tabs of this device draw again when one of them has written.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(facts.store) : null;
function tellTabs() {
  if (tabs) tabs.postMessage(facts.slug);
}

// The device's clock is corrected by the server's. It is only wrong by the time of one answer.
async function setClock(now) {
  if (!now || Number.isNaN(Date.parse(now))) return;
  facts.server_offset = Date.parse(now) - Date.now();
  await app.store.saveFacts(facts.slug, { server_offset: facts.server_offset });
}

// New facts from the server: after a new sign-in the old token is of no use.
async function renewed(told) {
  const own = { language: facts.language, shell: facts.shell, links: facts.links };
  Object.assign(facts, told, own, { device: told.device || facts.device,
    device_name: told.device_name || facts.device_name });
  await keepFacts();
  await setClock(told.now);
  draw();
}

// What the device keeps of the facts: nothing that only a session may have, but for the key with
// which doors believe each other.
function keepFacts() {
  const kept = Object.assign({}, facts);
  for (const name of ["csrf", "now", "may", "seq", "roster_at", "roster_etag"]) delete kept[name];
  return app.store.saveFacts(facts.slug, kept);
}

function startUpload() {
  return uploader({
    store: app.store, slug: facts.slug, links: facts.links,
    csrf: () => facts.csrf || "none",
    device: () => facts.device,
    nowAtServer: app.now,
    clock: setClock,
    changed: draw,
    renewed,
    answered: (told) => { live = told; },
    leave: () => app.keeper.wipe(false),
    isOver: app.keeper.isOver,
  });
}

function newDevice() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The storage; a memory in its place if the browser gives us none.
async function openStore() {
  database.use(facts.store);
  const paired = facts.device;
  const named = facts.device_name;
  try {
    await database.open();
    takeStored(await database.facts(facts.slug));
  } catch (fault) {
    app.storage = "denied";
    app.store = watched(makeMemory((made) => loop.post(made)));
  }
  // A paired telephone has the device that the server gave it; others make one up and keep it.
  facts.device = paired || facts.device || newDevice();
  facts.device_name = named || facts.device_name || "";
  await keepFacts();
}

const door = {
  words: json("words"),
  facts: () => facts,
  state,
  status: () => Object.assign({ storage: app.storage, newVersion: offersVersion() }, loop.status()),
  live: () => live,
  now: app.now,
  changed: (listener) => listeners.push(listener),
  toSettle: async () => acts.filter(loop.isOpen),
  openNow,
  update: app.keeper.update,
  meetStore: {
    facts: () => facts,
    texts: () => textsToShow(facts),
    take: (text) => takeText(text, facts),
    changed: () => reload().then(() => loop.now()),
  },
  actions,
};

// Opens check-in for everybody before its time. Needs the network.
async function openNow() {
  const headers = { "X-CSRF-Token": facts.csrf || "none" };
  try {
    const given = { method: "POST", headers, redirect: "manual" };
    const answer = await fetch(`${facts.links.door}open`, given);
    if (answer.type !== "opaqueredirect") return false;
  } catch (fault) {
    return false;
  }
  facts.check_in_opened_at = new Date(app.now()).toISOString();
  await keepFacts();
  draw();
  return true;
}

// A new version is offered only when nothing is unsent.
function offersVersion() {
  return app.hasNewVersion && acts.every((one) => one.sent);
}

// The address of a ticket, read by a telephone's own camera, leads here.
function openTicket() {
  const ticket = new URLSearchParams(location.search).get("t") || "";
  if (!/^[0-9a-f]{24}$/.test(ticket)) return;
  history.replaceState(null, "", location.pathname);
  let isShown = false;
  const showIt = () => {
    if (isShown || !door.state().people.size) return; // the list is still on its way
    isShown = true;
    page.ticket(ticket, true);
  };
  door.changed(showIt);
  showIt();
}

function show() {
  const root = document.getElementById("app");
  page = openPage(root, door);
  if (!root.firstChild) return; // no screen was drawn: the page with forms stays
  root.hidden = false;
  document.getElementById("plain").textContent = ""; // each person stands on the page once
  openTicket();
}

async function boot() {
  const now = facts.now; // only a page that the server has just sent has it
  await openStore();
  loop = startUpload();
  await setClock(now);
  await app.keeper.wipeOld();
  await reload();
  show();
  if (tabs) tabs.onmessage = (event) => { if (event.data === facts.slug) reload(); };
  window.addEventListener("online", loop.now);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) loop.now(); });
  loop.now();
  await app.keeper.register();
}

export { actions, database, door };
export const ready = boot();
