async given => {
  const { project, party } = await import("http://door.test/state.js");
  const { judge } = await import("http://door.test/judge.js");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(given.css);
  document.adoptedStyleSheets = [sheet];
  document.documentElement.lang = given.language;
  document.head.insertAdjacentHTML("beforeend",
    '<meta name="viewport" content="width=device-width, initial-scale=1">');
  document.body.innerHTML = '<main id="main" class="narrow"><div id="app"></div></main>';
  const listeners = [];
  const facts = Object.assign({
    slug: "small", language: given.language, offset_minutes: 480, device: "d1",
    device_name: "1 号台", server_offset: Date.parse(given.now) - Date.now(),
    check_in_opens_at: "2030-06-10T08:45:00+08:00", check_in_closes_at: "2030-06-10T09:00:00+08:00",
    check_in_opened_at: null, starts_at: "2030-06-10T09:00:00+08:00", roster_at: given.now,
    gift: { text: "礼品", stock: 2, at_check_in: false }, links: { sign_in: "#" }
  }, given.facts);
  const stage = window.stage = {
    acts: [], toSettle: [], broken: false, did: [],
    status: { kind: "synced", unsent: 0, toSettle: 0, lastUpload: Date.now(),
      listedAt: Date.now() },
    roster: given.roster, changed: () => listeners.forEach(fn => fn())
  };
  let seen = null;
  const drop = () => { seen = null; };
  listeners.push(drop);
  const door = stage.door = {
    words: given.words, facts: () => facts,
    state: () => {
      seen = seen || project(stage.roster, stage.acts, facts);
      return seen;
    },
    status: () => stage.status, now: () => Date.now() + facts.server_offset,
    changed: fn => listeners.push(fn), toSettle: async () => stage.toSettle,
    openNow: async () => { facts.check_in_opened_at = given.now; return true; },
    meetStore: {}
  };
  const act = word => async (attendee, more) => {
    stage.did.push(word);
    const made = Object.assign({ act: word, attendee, seq: stage.acts.length + 1, key:
      `k${stage.acts.length}`, at: new Date().toISOString(), device: "d1", sent: false }, more);
    const before = door.state();
    const told = judge(before.people.get(attendee), made, door.now(), facts, before);
    if (told.writes && stage.broken) throw new Error("no storage");
    if (told.writes) {
      stage.acts.push(made);
      if (word === "seat" || word === "restore") {
        stage.acts.push(Object.assign({}, made, { act: "check-in", seq: stage.acts.length + 1,
          key: `k${stage.acts.length}` }));
      }
    }
    drop();
    const state = door.state();
    const person = state.people.get(word === "walk-in" ? made.key : attendee);
    listeners.forEach(fn => fn());
    return { told: Object.assign({}, told, { person, party: person ? party(state, person) : [] }),
      written: told.writes };
  };
  door.actions = {
    checkIn: act("check-in"), undo: act("undo"), gift: act("gift"), undoGift: act("gift-undo"),
    oweGift: act("gift-owed"), walkIn: typed => act("walk-in")(null, typed),
    rename: (attendee, name) => act("rename")(attendee, { name }),
    confirmName: act("confirm-name"), seat: act("seat"), restore: act("restore"),
    present: act("present"), settle: async key => {
      stage.toSettle = stage.toSettle.filter(one => one.key !== key);
      return { told: { kind: "settled" }, written: true };
    },
    exportUnsent: async () => ({ told: { kind: "exported", csv: "a,b", file: "a.csv" } }),
    end: async sure => ({ told: { kind: sure ? "ended" : "confirm", unsent: stage.status.unsent } })
  };
  stage.page = module.openPage(document.getElementById("app"), door);
}
