// The door's application: what every part of it shares. The screen calls `actions` and draws again
// whenever `changed` tells it to.

import * as database from "./database.js";
import { makeActions } from "./acting.js";
import { makeServer } from "./server.js";
import { memory } from "./memory.js";
import { needsSettling, project } from "./state.js";
import { uploader } from "./upload.js";
import { makeKeeper } from "./keeper.js";
import { start } from "./page.js";

const HALF_A_DAY = 12 * 3600 * 1000;

function json(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

// Everything about the event on this device: `people` and `acts` are those of the store.
export const door = {
  facts: json("facts"), words: json("words"), store: database, storage: "ok",
  roster: [], acts: [], live: null, newVersion: false, seen: null,
  now: () => Date.now() + (door.facts.server_offset || 0),
};
export const facts = door.facts;
export const words = door.words;

const listeners = [];
export function changed(listener) {
  listeners.push(listener);
}

function draw() {
  door.seen = null;
  const view = current();
  for (const listener of listeners) listener(view);
}
door.draw = draw;

// A sentence with its values: {name} is replaced.
export function word(key, values) {
  const said = door.words[key] === undefined ? key : door.words[key];
  return said.replace(/\{(\w+)\}/g, (whole, name) => (
    values && name in values ? String(values[name]) : whole));
}

function pill(unsent, toSettle) {
  const told = loop.status();
  const kind = told.kind === "synced" && unsent ? "uploading" :
    told.kind === "synced" && toSettle ? "to-settle" : told.kind;
  return { kind, unsent, toSettle, lastUpload: told.lastUpload };
}

// What the screen shows now.
export function current() {
  if (door.seen) return door.seen;
  const state = project(door.roster, door.acts, door.facts);
  const toSettle = door.acts.filter(needsSettling);
  const unsent = door.acts.filter((act) => !act.sent);
  const age = door.facts.roster_at ? door.now() - Date.parse(door.facts.roster_at) : Infinity;
  door.seen = Object.assign(state, {
    facts: door.facts, words: door.words, acts: door.acts, live: door.live, storage: door.storage,
    status: pill(unsent.length, toSettle.length), toSettle, unsent,
    rosterOld: age > HALF_A_DAY, newVersion: door.newVersion && !unsent.length,
  });
  return door.seen;
}
door.current = current;

// Read the store again: another tab of this device may have written.
async function reload() {
  door.roster = await door.store.people(door.facts.slug);
  door.acts = await door.store.acts(door.facts.slug);
  Object.assign(door.facts, kept(await door.store.facts(door.facts.slug)));
  draw();
}
door.reload = reload;

// Of the stored facts, what the page itself does not bring.
function kept(stored) {
  const part = {};
  for (const name of ["device", "device_name", "roster_at", "roster_tag", "roster_version",
    "server_offset", "meet_key", "exported"]) {
    if (stored && stored[name] !== undefined) part[name] = stored[name];
  }
  return part;
}

const server = makeServer(door);
door.server = server;
const loop = uploader({
  unsent: (most) => door.store.unsent(door.facts.slug, most),
  send: (acts) => server.send(acts),
  renew: () => server.renew(),
  saved: async (results, body) => {
    await door.store.saveResults(door.facts.slug, results, server.received(body));
    await reload();
    door.tell();
    server.soon();
  },
  changed: draw,
});
door.loop = loop;
export const keeper = makeKeeper(door);
export const actions = makeActions(door);

function newDevice() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
door.newKey = newDevice;

// The store, or a memory in its place if the browser gives us none: then every act is posted at
// once and counts only when the server has answered.
async function openStore() {
  database.useStore(door.facts.store);
  try {
    await database.open();
  } catch (error) {
    door.storage = "denied";
    door.store = memory;
  }
  const stored = await door.store.facts(door.facts.slug);
  // A paired telephone has the device that the server gave it; others make one up and keep it.
  const device = door.facts.device || (stored && stored.device) || newDevice();
  const secrets = { csrf: undefined, now: undefined, may: undefined };
  const told = door.facts.device_name ? {} : { device_name: (stored || {}).device_name || "" };
  Object.assign(door.facts, kept(stored), told, { device });
  await door.store.saveFacts(door.facts.slug, Object.assign({}, door.facts, secrets));
}

// Other tabs of this device draw again when one of them writes.
function listenToTabs() {
  if (!("BroadcastChannel" in window)) {
    door.tell = () => {};
    return;
  }
  const channel = new BroadcastChannel(door.facts.store);
  channel.onmessage = (event) => { if (event.data === door.facts.slug) reload(); };
  door.tell = () => channel.postMessage(door.facts.slug);
}

async function boot() {
  const now = door.facts.now; // only a page that the server just sent has it
  listenToTabs();
  await openStore();
  if (now) server.setClock(now);
  await keeper.wipeOld();
  await reload();
  start({ actions, changed, current, door, facts: door.facts, keeper, word, words: door.words });
  keeper.register();
  loop.kick();
  server.watch();
  window.addEventListener("online", () => { loop.kick(); server.soon(); });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { loop.kick(); server.soon(); }
  });
}

export const ready = boot();
