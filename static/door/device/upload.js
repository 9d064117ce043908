// Uploads the acts of this device in the background, and fetches the list when it has changed.
//
// Whatever goes wrong, the acts stay in the storage and are tried again; `status` says what is the
// matter.

const AGAIN = 3000; // milliseconds until the next try
const QUIET = 10000; // milliseconds until the next look, if nothing is to be uploaded
const PATIENCE = 3000; // milliseconds until a request is given up
const MOST = 500; // acts in one upload
const LIST_PATIENCE = 15000; // a long list needs longer on a slow network
const MARK = "Eventreg-Door"; // the header of every answer of ours: a portal has none
const CALM = new Set(["synced", "over"]);
const NOTHING_DONE = new Set(["waiting", "unknown", "invalid", "refused", "no_seat", "not_in"]);
// Answers after which a person has to settle the act.

// `door` is {store, slug, links, csrf, device, clock(now), changed(), answered(live), renewed(facts),
// leave(), isOver()}. `store` is database.js, or what stands in for it.
export function uploader(door) {
  const store = door.store;
  let status = { kind: "synced", unsent: 0, toSettle: 0, lastUpload: null, listedAt: null };
  let most = MOST;
  let timer = null;
  let running = null;
  let onceMore = false;
  let liveTag = null;
  let notBefore = 0;
  let stopped = false;

  function say(part) {
    const next = Object.assign({}, status, part);
    const differs = JSON.stringify(next) !== JSON.stringify(status);
    status = next;
    if (differs) door.changed();
  }

  // Sends one request. Returns {kind: "answer", data, response} or what is the matter.
  async function ask(address, options, patience) {
    const ending = new AbortController();
    const giveUp = setTimeout(() => ending.abort(), patience || PATIENCE);
    try {
      const given = { redirect: "manual", credentials: "same-origin", cache: "no-store" };
      Object.assign(given, { signal: ending.signal }, options);
      // A door that was taken away is told so by its id: its session has ended.
      const own = { Accept: "application/json", "X-Door-Device": door.device() };
      given.headers = Object.assign(own, given.headers);
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
    const type = response.headers.get("Content-Type") || "";
    const isOurs = type.startsWith("application/json") && response.headers.has(MARK);
    const data = isOurs ? await response.json().catch(() => null) : null;
    if (!data || typeof data !== "object") return { kind: "foreign" };
    if (response.status === 401) return { kind: "session-expired" };
    if (response.status === 403) return { kind: data.error || "revoked" };
    if (data.error === "form_expired") return { kind: "token-expired" };
    return response.ok ? { kind: "answer", data, response } : { kind: "refused", data };
  }

  // Posts acts at once, for a page without a storage. Resolves with the server's answer, or rejects.
  async function post(acts) {
    const body = { device: door.device(), now: new Date().toISOString(), acts: acts.map(wire) };
    for (let tries = 0; tries < 2; tries++) {
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": door.csrf() };
      const given = { method: "POST", headers, body: JSON.stringify(body) };
      const told = await ask(door.links.sync, given);
      if (told.kind === "answer" && Array.isArray(told.data.results)) {
        say({ kind: "synced", lastUpload: told.data.now });
        return told.data;
      }
      if (told.kind !== "token-expired") say({ kind: told.kind === "answer" ? "foreign" : told.kind });
      if (told.kind !== "token-expired" || (await renewToken()) !== "answer") break;
    }
    throw new Error("not sent");
  }

  async function renewToken() {
    const told = await ask(door.links.facts);
    if (told.kind === "answer" && !stopped) await door.renewed(told.data);
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
    if (status.kind === "synced") say({ kind: "uploading" });
    const told = await ask(door.links.sync, { method: "POST", headers, body });
    if (told.kind === "too-large" || told.kind === "refused") return smaller(told, acts);
    if (told.kind === "token-expired") {
      const renewed = await renewToken();
      say({ kind: renewed === "answer" ? "uploading" : renewed });
      return renewed === "answer";
    }
    if (told.kind !== "answer" || !Array.isArray(told.data.results)) {
      say({ kind: told.kind === "answer" ? "foreign" : told.kind });
      if (told.kind === "revoked") await door.leave();
      return false;
    }
    await keep(acts, told.data);
    most = MOST;
    return true;
  }

  // A batch that is refused whole is halved, until the one act is known that is refused by itself.
  // It is kept as refused, so that it is in nobody's way.
  async function smaller(told, acts) {
    if (told.kind === "too-large") say({ kind: told.kind });
    most = Math.max(1, Math.floor(acts.length / 2));
    if (acts.length > 1) return true;
    const reason = (told.data && told.data.error) || told.kind;
    const answer = { key: acts[0].key, result: "invalid", reason };
    await store.saveResults(door.slug, [answer], new Date(door.nowAtServer()).toISOString());
    most = MOST;
    return true;
  }

  // Keeps the answers to the acts that were sent, and to no others.
  async function keep(acts, data) {
    const keys = new Set(acts.map((act) => act.key));
    const results = data.results.filter((one) => keys.has(one.key));
    await store.saveResults(door.slug, results, data.now);
    await door.clock(data.now);
    if (results.length === 0) throw new Error("the server answered no act");
    say({ kind: "uploading", lastUpload: data.now });
  }

  async function uploadAll() {
    for (let more = true; more;) {
      const acts = await store.unsent(door.slug, most);
      await recount();
      if (acts.length === 0) return true;
      more = await push(acts);
      if (!more) return false;
    }
    return true;
  }

  async function recount() {
    const acts = await store.acts(door.slug);
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
      return told.kind === "revoked" ? door.leave() : undefined;
    }
    door.answered(told.data);
    if (await fetchRoster()) liveTag = told.response.headers.get("ETag");
    return undefined;
  }

  async function fetchRoster() {
    const kept = (await store.facts(door.slug)) || {};
    const isKept = kept.roster_etag && (await store.people(door.slug)).length > 0;
    const headers = isKept ? { "If-None-Match": kept.roster_etag } : {};
    const told = await ask(door.links.roster, { headers }, LIST_PATIENCE);
    if (stopped) return false;
    if (told.kind === "answer") {
      if (!Array.isArray(told.data.attendees)) return say({ kind: "foreign" });
      await store.saveRoster(door.slug, told.data, told.response.headers.get("ETag"));
      await door.clock(told.data.at);
    } else if (told.kind === "unchanged") {
      await door.clock(null);
    } else {
      say({ kind: told.kind });
      return false;
    }
    // By its first look at the list, the server has given this device a name.
    if (!kept.device_name) await renewToken();
    say({ kind: "synced", listedAt: Date.now() });
    return true;
  }

  // Whether the list has to go. The event may have been moved since this device last heard of it.
  async function isOver() {
    if (!door.isOver()) return false;
    await renewToken();
    return door.isOver();
  }

  // Removes the list also without a network, and fetches it no more.
  async function forget(isUploaded) {
    await door.leave();
    if (isUploaded) say({ kind: "over", listedAt: null });
  }

  async function round() {
    if (Date.now() < notBefore) return;
    const isUploaded = await uploadAll();
    if (await isOver()) await forget(isUploaded);
    else if (isUploaded) await look();
    await recount();
  }

  // Does a round now, or another one after the one that is under way.
  function now() {
    clearTimeout(timer);
    if (stopped) return null;
    if (running) {
      onceMore = true;
      return running;
    }
    const failed = (fault) => say({ kind: "no-network", fault: String(fault) });
    running = round().catch(failed).then(() => {
      running = null;
      const pause = status.unsent || !CALM.has(status.kind) ? AGAIN : QUIET;
      if (!stopped) timer = setTimeout(now, onceMore ? 0 : pause);
      onceMore = false;
      door.changed();
    });
    return running;
  }

  // Nothing that is under way is kept any more.
  function stop() {
    stopped = true;
    clearTimeout(timer);
  }

  return { now, post, recount, stop, isOpen, status: () => status };
}

// Whether the server did nothing with the act, and nobody has settled it yet.
function isOpen(act) {
  // Who walked in without a free seat waits with a number: the server did write that down.
  if (act.act === "walk-in" && act.result === "no_seat") return false;
  return Boolean(act.sent) && !act.settled && NOTHING_DONE.has(act.result);
}

// An act as the server reads it.
function wire(act) {
  const sent = { key: act.key, seq: act.seq, act: act.act, attendee: act.attendee, at: act.at };
  for (const field of ["name", "phone", "anyway", "absent"]) if (act[field]) sent[field] = act[field];
  if (act.origin) sent.device = act.origin; // it was taken over from another device
  return sent;
}
