// Uploads the acts of this device in the background, and fetches the list when it has changed.
//
// Whatever goes wrong, the acts stay in the storage and are tried again; `status` says what is the
// matter.

import * as database from "./database.js";

const AGAIN = 3000; // milliseconds until the next try
const QUIET = 10000; // milliseconds until the next look, if nothing is to be uploaded
const PATIENCE = 3000; // milliseconds until a request is given up
const MOST = 500; // acts in one upload
const NOTHING_DONE = new Set(["waiting", "unknown", "invalid", "refused", "no_seat"]);
// Answers after which a person has to settle the act.

// `door` is {slug, links, csrf, device, offset(now), changed(), answered(live), revoked()}.
export function uploader(door) {
  let status = { kind: "synced", unsent: 0, toSettle: 0, lastUpload: null, listedAt: null };
  let most = MOST;
  let timer = null;
  let running = null;
  let onceMore = false;
  let liveTag = null;
  let notBefore = 0;

  function say(part) {
    const next = Object.assign({}, status, part);
    const differs = JSON.stringify(next) !== JSON.stringify(status);
    status = next;
    if (differs) door.changed();
  }

  // Sends one request. Returns {kind: "answer", data, response} or what is the matter.
  async function ask(address, options) {
    const ending = new AbortController();
    const giveUp = setTimeout(() => ending.abort(), PATIENCE);
    try {
      const given = { redirect: "manual", credentials: "same-origin", cache: "no-store" };
      Object.assign(given, { signal: ending.signal }, options);
      return await read(await fetch(address, given));
    } catch (fault) {
      return { kind: "no-network" };
    } finally {
      clearTimeout(giveUp);
    }
  }

  async function read(response) {
    if (response.status === 304) return { kind: "unchanged" };
    if (response.status === 413) return { kind: "too-large" };
    if (response.status === 429 || response.status >= 500) {
      const wait = Number(response.headers.get("Retry-After")) || 0;
      notBefore = Date.now() + Math.min(wait, 60) * 1000;
      return { kind: "busy" };
    }
    const isOurs = (response.headers.get("Content-Type") || "").startsWith("application/json");
    const data = isOurs ? await response.json().catch(() => null) : null;
    if (response.status === 401) return { kind: "session-expired" };
    if (response.status === 403 && data && data.error) return { kind: data.error };
    if (response.status === 400) return { kind: "token-expired" };
    if (!response.ok || !data || typeof data !== "object") return { kind: "foreign" };
    return { kind: "answer", data, response };
  }

  async function renewToken() {
    const told = await ask(door.links.facts);
    if (told.kind === "answer") await door.renewed(told.data);
    return told.kind;
  }

  // Uploads one batch. Returns whether there may be more.
  async function push(acts) {
    const body = JSON.stringify({
      device: door.device(),
      now: new Date().toISOString(),
      unsent: status.unsent,
      acts: acts.map(wire),
    });
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": door.csrf() };
    say({ kind: "uploading" });
    const told = await ask(door.links.sync, { method: "POST", headers, body });
    if (told.kind === "too-large") most = Math.max(1, Math.floor(most / 2));
    if (told.kind === "token-expired") {
      const renewed = await renewToken();
      say({ kind: renewed === "answer" ? "uploading" : renewed });
      return renewed === "answer";
    }
    if (told.kind !== "answer" || !Array.isArray(told.data.results)) {
      say({ kind: told.kind === "answer" ? "foreign" : told.kind });
      if (told.kind === "revoked") await door.revoked();
      return told.kind === "too-large" && acts.length > 1;
    }
    await keep(acts, told.data);
    return true;
  }

  // Keeps the answers to the acts that were sent, and to no others.
  async function keep(acts, data) {
    const keys = new Set(acts.map((act) => act.key));
    const results = data.results.filter((one) => keys.has(one.key));
    await database.saveResults(door.slug, results, data.now);
    await door.clock(data.now);
    if (results.length === 0) throw new Error("the server answered no act");
    say({ lastUpload: data.now });
  }

  async function uploadAll() {
    for (let more = true; more;) {
      const acts = await database.unsent(door.slug, most);
      await recount();
      if (acts.length === 0) return true;
      more = await push(acts);
      if (!more) return false;
    }
    return true;
  }

  async function recount() {
    const acts = await database.acts(door.slug);
    const isOpen = (act) => act.sent && !act.settled && NOTHING_DONE.has(act.result);
    say({
      unsent: acts.filter((act) => !act.sent).length,
      toSettle: acts.filter(isOpen).length,
    });
  }

  // Asks whether anything has changed, and fetches the list if it has.
  async function look() {
    const headers = liveTag ? { "If-None-Match": liveTag } : {};
    const told = await ask(door.links.live, { headers });
    if (told.kind === "unchanged") return say({ kind: "synced" });
    if (told.kind !== "answer") {
      say({ kind: told.kind });
      return told.kind === "revoked" ? door.revoked() : undefined;
    }
    door.answered(told.data);
    if (await fetchRoster()) liveTag = told.response.headers.get("ETag");
    return undefined;
  }

  async function fetchRoster() {
    const kept = (await database.facts(door.slug)) || {};
    const headers = kept.roster_etag ? { "If-None-Match": kept.roster_etag } : {};
    const told = await ask(door.links.roster, { headers });
    if (told.kind === "answer") {
      if (!Array.isArray(told.data.attendees)) return say({ kind: "foreign" });
      await database.saveRoster(door.slug, told.data, told.response.headers.get("ETag"));
      await door.clock(told.data.at);
    } else if (told.kind === "unchanged") {
      await door.clock(null);
    } else {
      say({ kind: told.kind });
      return false;
    }
    say({ kind: "synced", listedAt: Date.now() });
    return true;
  }

  async function round() {
    if (Date.now() < notBefore) return;
    if (await uploadAll()) await look();
    await recount();
  }

  // Does a round now, or another one after the one that is under way.
  function now() {
    clearTimeout(timer);
    if (running) {
      onceMore = true;
      return running;
    }
    const failed = (fault) => say({ kind: "no-network", fault: String(fault) });
    running = round().catch(failed).then(() => {
      running = null;
      const pause = status.unsent || status.kind !== "synced" ? AGAIN : QUIET;
      timer = setTimeout(now, onceMore ? 0 : pause);
      onceMore = false;
      door.changed();
    });
    return running;
  }

  return { now, recount, status: () => status, stop: () => clearTimeout(timer) };
}

// An act as the server reads it.
function wire(act) {
  const sent = { key: act.key, seq: act.seq, act: act.act, attendee: act.attendee, at: act.at };
  for (const field of ["name", "phone", "anyway"]) if (act[field]) sent[field] = act[field];
  if (act.origin) sent.device = act.origin;
  return sent;
}
