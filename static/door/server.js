// What the door asks the server: its facts, the list of people, the state of the morning, and to
// take acts.

import { ask, trouble } from "./upload.js";

const EVERY = 5000;
const ROSTER_PATIENCE = 15000;

export function makeServer(door) {
  let timer = null, asking = null;

  // The device's clock, corrected by what the server says. Half of the way there is not counted.
  function setClock(now, began) {
    const offset = Date.parse(now) - (began ? (began + Date.now()) / 2 : Date.now());
    if (Number.isNaN(offset)) return;
    door.facts.server_offset = Math.round(offset);
    door.store.saveFacts(door.facts.slug, { server_offset: door.facts.server_offset })
      .catch(() => {});
  }

  function send(acts) {
    const body = {
      device: door.facts.device, now: new Date().toISOString(), unsent: door.current().unsent.length,
      acts: acts.map((act) => {
        const sent = { key: act.key, seq: act.seq, act: act.act, attendee: act.attendee,
          at: act.at };
        if (act.name) sent.name = act.name;
        if (act.phone) sent.phone = act.phone;
        if (act.from) sent.device = act.from;
        return sent;
      }),
    };
    return ask(door.facts.links.sync, {
      method: "POST", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": door.facts.csrf || "none" },
    });
  }

  // Facts from the server: the token that posts need, and what changed about the event.
  async function renew() {
    const began = Date.now();
    const answer = await ask(door.facts.links.facts);
    if (trouble(answer) === "" && answer.body && answer.body.slug === door.facts.slug) {
      const device = answer.body.device || door.facts.device;
      const language = door.facts.language;
      Object.assign(door.facts, answer.body, { device, language, shell: door.facts.shell });
      setClock(answer.body.now, began);
    }
    return answer;
  }

  // When the server took the results in; without its word, now.
  function received(body) {
    if (body && body.device && body.device.name) door.facts.device_name = body.device.name;
    const now = body && body.now && !Number.isNaN(Date.parse(body.now)) ? body.now : null;
    return now || new Date(door.now()).toISOString();
  }

  async function roster(version) {
    const headers = door.roster.length && door.facts.roster_tag ?
      { "If-None-Match": door.facts.roster_tag } : {};
    headers["Eventreg-Device"] = door.facts.device;
    const answer = await ask(door.facts.links.roster, { headers }, ROSTER_PATIENCE);
    const matter = trouble(answer);
    if (matter) return answer;
    const part = { roster_version: version };
    if (answer.status === 304) part.roster_at = new Date(door.now()).toISOString();
    else if (!answer.body || !Array.isArray(answer.body.attendees)) return answer;
    else {
      await door.store.saveRoster(door.facts.slug, answer.body);
      part.roster_at = answer.body.at;
      part.roster_tag = answer.headers.get("ETag");
      if (answer.body.capacity !== undefined) part.capacity = answer.body.capacity;
    }
    Object.assign(door.facts, part);
    await door.store.saveFacts(door.facts.slug, part);
    await door.reload();
    return answer;
  }

  // One look at the state of the morning; the list is fetched when it is an older one.
  async function look() {
    if (!door.facts.csrf) await renew();
    const headers = door.live ? { "If-None-Match": door.live_tag } : {};
    let answer = await ask(door.facts.links.live, { headers });
    if (answer.status === 200 && answer.body) {
      door.live = answer.body;
      door.live_tag = answer.headers.get("ETag");
    }
    const version = door.live ? door.live.roster : null;
    const old = !door.facts.roster_at || !version || version !== door.facts.roster_version;
    if (old && (trouble(answer) === "" || answer.status === 404)) answer = await roster(version);
    await heard(trouble(answer));
    door.draw();
  }

  // Without acts to send, the pill still says whether there is a network and a session.
  async function heard(matter) {
    if (matter === "revoked") await door.keeper.revoked();
    if (matter === "refused" || matter === "too-large") return;
    const known = door.loop.status().kind;
    if (matter) door.loop.say(matter);
    else if (!["uploading", "too-large"].includes(known)) door.loop.say("synced");
    if (!matter && door.current().unsent.length) door.loop.kick();
  }

  async function round() {
    try {
      await look();
    } catch (error) {
      // The store did not answer; the next round asks again.
    }
    asking = null;
    timer = setTimeout(watch, EVERY);
  }

  function watch() {
    clearTimeout(timer);
    if (!asking && !(document.hidden && door.roster.length)) asking = round();
    else if (!asking) timer = setTimeout(watch, EVERY);
    return asking;
  }

  return { send, renew, received, roster, setClock, watch, soon: watch };
}
