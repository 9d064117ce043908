// Uploads what was written, oldest first, and knows what is the matter if it does not get through.
// The queue is only shortened by what the server answered: by nothing else.

const MOST = 500;
const EVERY = 3000;
const GIVES_UP = 3000;
const LONGEST_WAIT = 60000;
const MARK = "Eventreg-Door";

// Fetch with a time-out. An answer is ours if it has our mark and is JSON: portals have
// pages of their own for every address.
export async function ask(address, given, patience) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience || GIVES_UP);
  try {
    const headers = Object.assign({ Accept: "application/json" }, given && given.headers);
    const answer = await fetch(address, Object.assign(
      { redirect: "manual", cache: "no-store", credentials: "same-origin", signal: stop.signal },
      given, { headers }));
    const kind = answer.headers.get("Content-Type") || "";
    const ours = kind.startsWith("application/json") && answer.headers.has(MARK);
    const body = ours && answer.status !== 304 ? await answer.json() : null;
    return { status: answer.status, ours, body, moved: answer.type === "opaqueredirect",
      headers: answer.headers };
  } catch (error) {
    return { status: 0, ours: false, body: null, moved: false, headers: null };
  } finally {
    clearTimeout(timer);
  }
}

// What is the matter, from the answer of any address of ours; "" if nothing is.
export function trouble(answer) {
  if (answer.status === 304) return "";
  if (answer.status === 0 && !answer.moved) return "no-network";
  if (answer.moved || (answer.status === 401 && answer.ours)) return "session-expired";
  if (answer.status === 429 || answer.status >= 500) return "busy";
  if (answer.status === 413) return "too-large";
  if (!answer.ours) return "foreign";
  if (answer.status === 403) return "revoked";
  return answer.status === 200 ? "" : "refused";
}

export function retryAfter(answer) {
  const seconds = Number(answer.headers && answer.headers.get("Retry-After"));
  return seconds > 0 ? Math.min(LONGEST_WAIT, Math.max(EVERY, seconds * 1000)) : EVERY;
}

// `door` gives: unsent(most), saved(results, now), send(acts) -> answer, renew() -> answer,
// changed(). The returned loop has kick(), status(), stop() and halt().
export function uploader(door) {
  let most = MOST, running = null, timer = null, stopped = false;
  const status = { kind: "synced", lastUpload: null };

  function later(wait) {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(kick, wait);
  }

  function say(kind) {
    if (status.kind === kind) return;
    status.kind = kind;
    door.changed();
  }

  // One upload. Returns how long to wait before the next one, 0 for at once, -1 for not at all.
  async function once() {
    const acts = await door.unsent(most);
    if (!acts.length) {
      if (["uploading", "too-large"].includes(status.kind)) say("synced");
      return -1;
    }
    if (status.kind === "synced") say("uploading");
    const answer = await door.send(acts);
    const matter = trouble(answer);
    if (matter === "too-large" || (matter === "refused" && !formExpired(answer))) {
      return smaller(matter, acts, answer);
    }
    if (matter === "refused") return renewed();
    if (matter) {
      say(matter);
      return retryAfter(answer);
    }
    return taken(acts, answer.body);
  }

  function formExpired(answer) {
    return answer.status === 400 && answer.body && answer.body.error === "form_expired";
  }

  // After a new sign-in the page's token is an old one.
  async function renewed() {
    const matter = trouble(await door.renew());
    if (matter) say(matter);
    return matter ? EVERY : 500;
  }

  // A batch that was refused whole is halved, until the one act is known that is refused alone.
  async function smaller(matter, acts, answer) {
    if (acts.length > 1) {
      if (matter === "too-large") say("too-large");
      most = Math.max(1, Math.floor(acts.length / 2));
      return 0;
    }
    const reason = (answer.body && answer.body.error) || matter;
    await door.saved([{ key: acts[0].key, result: "invalid", reason }], null);
    most = MOST;
    return 0;
  }

  async function taken(acts, body) {
    const keys = new Set(acts.map((act) => act.key));
    const given = body && Array.isArray(body.results) ? body.results : null;
    const results = given ? given.filter((one) => one && keys.has(one.key) && one.result) : [];
    if (!results.length) {
      say("foreign");
      return EVERY;
    }
    await door.saved(results, body);
    most = MOST;
    status.lastUpload = new Date().toISOString();
    say("uploading");
    return 0;
  }

  async function loop() {
    try {
      let wait = 0;
      while (wait === 0 && !stopped) wait = await once();
      if (wait > 0) later(wait);
      else if (wait < 0) door.changed();
    } catch (error) {
      later(EVERY); // The store did not answer. The queue is where it was.
    }
  }

  function kick() {
    clearTimeout(timer);
    if (running || stopped) return running;
    running = loop().then(() => { running = null; });
    return running;
  }

  return {
    kick,
    say,
    status: () => status,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
