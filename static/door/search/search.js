// Finds people on the device as the server's search does (eventreg/core/search), over the keys
// that come with the list: first those who fit, then names that sound so, then one wrong letter.

import { sha256 } from "./sha256.js";
import { ALIKE, givenRead, nameRead, simplified } from "./sounds.js";

const HAN = /[\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
const RUNS = /\d+|[\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]+|[^\d\u3400-\u9fff]+/gu;
const ACCENTS = /[\u0300-\u036f]/g;
const NUMBER = /^(?=.*\d)[\d+\-()./· ]+$/;
const LONGEST = 100;
const MOST_NEAR = 20;

function fold(text) {
  const folded = text.normalize("NFKC").toLowerCase().replace(/[•・‧∙⋅･]/g, "·")
    .trim().replace(/\s+/g, " ").replace(/\s*·\s*/g, "·");
  return HAN.test(folded) ? folded.replace(/ /g, "") : folded;
}

function plain(text) {
  const bare = text.normalize("NFD").replace(ACCENTS, "").normalize("NFC");
  return simplified(bare).replace(/[\s·'’‘ʼ.,\-‐‑–]+/g, "");
}

function visible(query) {
  return query.slice(0, LONGEST).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\ufeff]/g, " ")
    .replace(/尾号(?=\s*\d)/g, " ").trim().split(/\s+/).filter(Boolean).map(fold).join(" ");
}

function words(query) {
  const folded = visible(query);
  if (NUMBER.test(folded)) return folded.split(/[+\-()./· ]+/).filter(Boolean).slice(0, 8);
  const runs = folded.split(" ").map(piece => plain(piece).match(RUNS) || []);
  return [].concat(...runs).slice(0, 8);
}

// What is compared of a person, computed once.
const known = new Map();
function facts(person) {
  const id = `${person.name}\n${person.keys || ""}\n${person.pinyin || ""}`;
  if (!known.has(id)) {
    if (known.size > 2000) known.clear();
    known.set(id, described(person));
  }
  return known.get(id);
}

function described(person) {
  const name = fold(person.name || "");
  const reading = person.pinyin || (HAN.test(name) ? (nameRead(simplified(name)) || []).join(" ")
    : name.normalize("NFD").replace(ACCENTS, ""));
  const isHan = HAN.test(name);
  const keys = keyText(person.keys, isHan, reading) || ownKeys(name, reading);
  const end = keys.indexOf("\n");
  return {
    name, keys, sort: `${reading} ${name}`, surname: reading.split(" ")[0],
    whole: end < 0 ? keys : keys.slice(0, end), parts: end < 0 ? "" : keys.slice(end + 1),
    all: keys.trim().split(/\s+/)
  };
}

// The keys as the server ranks them: on the first line those of the whole name, on the second those
// of its parts and of other readings. The whole name is written and spelled out (ü in three ways),
// then come its initials, and those with one letter for a surname of two characters.
function keyText(keys, isHan, reading) {
  if (!Array.isArray(keys) || !keys.length) return "";
  const read = reading.split(" ");
  const spelled = read.join("");
  const ways = ["v", "u", "yu"].map(way => spelled.replace(/v/g, way));
  let end = 1;
  while (isHan && ways.includes(keys[end])) end++;
  end++;
  if (isHan && keys[end] === read.map(one => one[0]).join("")) end++;
  return ` ${keys.slice(0, end).join(" ")} \n ${keys.slice(end).join(" ")} `;
}

// Somebody who walked in has no keys yet.
function ownKeys(name, reading) {
  const read = reading.split(" ");
  const last = givenRead(simplified(name).slice(1)) || [];
  return ` ${plain(name)} ${read.join("")} ${read[0].slice(0, 1)}${last.map(s => s[0]).join("")} ` +
    `\n ${read.slice(1).join("")} `;
}

// A term gives each person a rank, 0 is best, or -1 if the person does not fit.
function named(word) {
  const key = word.replace(/ü/g, "v").replace(/([jqxy])v/g, "$1u");
  const begun = ` ${key}`;
  const exact = ` ${key} `;
  const anywhere = HAN.test(key) ? key : begun;
  const isLetter = /^[ -~]$/.test(key);
  return (person, of) => {
    if (!of.keys.includes(anywhere)) return -1;
    if (isLetter) return of.sort.startsWith(key) ? 0 : 1;
    if (of.surname === key || of.whole.includes(exact)) return 0;
    if (of.parts.includes(exact)) return 1;
    if (of.whole.includes(begun)) return 2;
    return of.parts.includes(begun) ? 3 : 4;
  };
}

// The list shows codes and last digits anyway, so their beginnings find people here.
function digits(word) {
  return (person, of) => {
    const code = person.code || "";
    const tail = person.tail || "";
    if (code === word || tail === word) return 0;
    if (word.length > 6 && tail && word.endsWith(tail)) return 0;
    return code.startsWith(word) || tail.startsWith(word) || of.keys.includes(word) ? 1 : -1;
  };
}

const termOf = word => /^\d+$/.test(word) ? digits(word) : named(word);

function sum(terms) {
  return (person, of) => {
    let total = 0;
    for (const term of terms) {
      const rank = term(person, of);
      if (rank < 0) return -1;
      total += rank;
    }
    return total;
  };
}

function fitting(query, typed) {
  if (!typed.length) return null;
  if (typed.length === 1) return termOf(typed[0]);
  const isNumber = NUMBER.test(visible(query));
  const all = sum(typed.map(termOf));
  if (!isNumber && typed.some(word => /^\d{4,}$/.test(word))) return all;
  const joined = termOf(typed.join(""));
  return (person, of) => {
    const rank = joined(person, of);
    if (rank >= 0) return rank;
    const other = all(person, of);
    return other < 0 ? -1 : other + 5;
  };
}

// The surname or its first letter, then the beginning of the given name: wangjg, wjianguo.
function mixed(word) {
  if (!/^[a-z]{3,}$/.test(word)) return null;
  return (person, of) => {
    if (!of.sort.startsWith(word[0])) return -1;
    for (let place = 1; place < Math.min(word.length, 10); place++) {
      const fits = place < 3 || of.surname === word.slice(0, place);
      if (fits && of.parts.includes(` ${word.slice(place)}`)) return 0;
    }
    return -1;
  };
}

// Whether two words of at least four letters differ in exactly one.
function isOneOff(typed, meant) {
  if (Math.min(typed.length, meant.length) < 4 || typed === meant) return false;
  if (Math.abs(typed.length - meant.length) > 1) return false;
  let same = 0;
  while (same < typed.length && same < meant.length && typed[same] === meant[same]) same++;
  const a = typed.slice(same);
  const b = meant.slice(same);
  return a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2));
}

function oneLetter(word) {
  if (word.length < 4 || /[\d\s·'’.\-_]/.test(word)) return null;
  return (person, of) =>
    of.all.some(key => isOneOff(word, key)) || isOneOff(word, of.surname) ? 0 : -1;
}

function spoken(word) {
  const read = nameRead(word);
  const given = givenRead(word);
  const both = [read ? read.join("") : "", given ? given.join("") : ""];
  return both.filter((one, i) => one && both.indexOf(one) === i);
}

function either(words_) {
  const terms = words_.map(named);
  return (person, of) => {
    const ranks = terms.map(term => term(person, of));
    return ranks.every(rank => rank < 0) ? -1 : ranks[0] < 0 ? 4 : ranks[0];
  };
}

// The ways to understand a search, the best first: [how, term].
function tiers(query) {
  const typed = words(query);
  const folded = visible(query);
  const found = [["fits", fitting(query, typed)]];
  if (!folded || typed.some(word => /^\d+$/.test(word))) return found;
  const word = typed.join("");
  found.push(["fits", mixed(word)]);
  found.push(["fits", (person, of) => of.name.includes(folded) ? 0 : -1]);
  const read = HAN.test(word) ? spoken(word) : [];
  if (read.length) found.push(["sounds-like", either(read)]);
  [word, ...read].forEach(one => found.push(["close", oneLetter(one)]));
  return found;
}

function ranked(everybody, term) {
  const rows = [];
  everybody.forEach((person, i) => {
    const of = facts(person);
    const rank = term(person, of);
    if (rank >= 0) rows.push({ person, rank, sort: of.sort, i });
  });
  rows.sort((a, b) => a.rank - b.rank || (a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : a.i - b.i));
  return rows.map(row => row.person);
}

// Readings that may have been heard as what was typed: [surname, given name].
function soundingLike(typed) {
  if (HAN.test(typed)) {
    const read = nameRead(typed);
    if (!read) return [];
    const group = ALIKE.find(one => one.includes(read[0])) || [read[0]];
    return group.map(surname => [surname, read[1]]);
  }
  const heard = [].concat(...ALIKE).filter(one => typed.startsWith(one))
    .sort((a, b) => b.length - a.length)[0];
  const group = heard ? ALIKE.find(one => one.includes(heard)) : [];
  return group.filter(one => one !== heard).map(one => [one, typed.slice(heard.length)]);
}

function nearBy(everybody, query, found) {
  const typed = words(query).join("");
  if (!typed || /\d/.test(typed)) return [];
  const similar = soundingLike(typed);
  const begun = HAN.test(typed) ? typed : ` ${typed}`;
  const rows = ranked(everybody, (person, of) =>
    person.state !== "cancelled" && !of.keys.includes(begun) &&
    similar.some(one => of.surname === one[0] && of.keys.includes(` ${one[0]}${one[1]}`)) ? 0 : -1);
  return rows.slice(0, MOST_NEAR).filter(person => !found.includes(person));
}

// Whom the search finds, the best first, and others whose names sound alike. `how`: fits,
// sounds-like, close (one wrong letter) or none.
export function find(people, query) {
  const everybody = Array.from(people.values());
  if (!visible(query)) return { rows: ranked(everybody, () => 0), near: [], how: "fits" };
  for (const [how, term] of tiers(query)) {
    const rows = term ? ranked(everybody, term) : [];
    if (rows.length) return { rows, near: nearBy(everybody, query, rows), how };
  }
  return { rows: [], near: nearBy(everybody, query, []), how: "none" };
}

// What a camera or a hardware scanner read: {kind: ticket (with its digest) | damaged | foreign |
// typed}. `origin` is ours; without it any https address with a ticket is taken.
export function scanned(text, origin) {
  const read = text.trim();
  const address = /^(https?:\/\/[^/]+)(\/.*)?$/i.exec(read);
  const token = address ? (/^\/T\/([^/?#]*)/i.exec(address[2] || "") || [])[1] : read;
  if (token === undefined) return { kind: "foreign" };
  if (address && origin && address[1].toLowerCase() !== origin.toLowerCase()) {
    return { kind: "foreign" };
  }
  const meant = token.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  if (/^[0-9A-HJKMNP-TV-Z]{26}$/.test(meant)) {
    return { kind: "ticket", digest: sha256(meant).slice(0, 24) };
  }
  return { kind: address ? "damaged" : "typed" };
}
