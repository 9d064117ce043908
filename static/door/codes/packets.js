// The acts of a door as texts for QR codes, and back. Each text stands for itself: it names its event
// and device, and ends with a MAC under the key that this event's doors got when they were paired.
// Pure, but for the browser's cryptography, which it has where there is a camera: under https.

import { asUuid, base32, fromBase32, fromHex, Reader, toBytes, toHex, Writer } from "./bytes.js";

export const MARK = "ERDOOR1.";
const MAC = 8;
// Bytes of a text. 250 make a code of version 12, easy to read from a telephone; one long act alone
// may fill a code of version 15.
const USUAL = 250;
const MOST = 362;
// The place in this list is the number in a packet: add at the end only.
const ACTS = [
  "check-in", "undo", "gift", "gift-undo", "gift-owed", "walk-in", "rename", "confirm-name",
  "seat", "restore", "present", "release",
];
const OTHER_ACT = 255;
const FIELD = { act: 1, key: 2, name: 3, phone: 4, absent: 5, more: 6 };
// What belongs to the act itself; the rest of a stored act is how this device got on with it.
const OWN_BOOKS = new Set([
  "key", "slug", "seq", "act", "attendee", "at", "device", "origin", "name", "phone", "absent",
  "from", "sent", "sentAt", "result", "reason", "settled", "answered", "late", "who",
]);

// The key of an act, by which the server knows it wherever it comes from: 80 bits of the device's
// random id and its own count, so that a code need not hold it.
export function keyOf(device, seq) {
  return asUuid(device.slice(0, 20) + seq.toString(16).padStart(12, "0"));
}

async function macOf(bytes, meetKey) {
  const use = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", fromHex(meetKey), use, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)).slice(0, MAC);
}

async function tagOf(slug) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", toBytes(slug))).slice(0, 4);
}

function fieldsOf(act, derivedKey) {
  const fields = [];
  const more = {};
  for (const name of Object.keys(act)) {
    if (!OWN_BOOKS.has(name) && act[name] !== null && act[name] !== undefined) {
      more[name] = act[name];
    }
  }
  const add = (code, write) => fields.push({ code, write });
  if (ACTS.indexOf(act.act) < 0) add(FIELD.act, (to) => to.text(act.act));
  if (act.key !== derivedKey) add(FIELD.key, (to) => to.id(act.key));
  if (act.name) add(FIELD.name, (to) => to.text(act.name));
  if (act.phone) add(FIELD.phone, (to) => to.text(act.phone));
  if (act.absent) {
    add(FIELD.absent, (to) => {
      to.number(act.absent.length);
      act.absent.forEach((one) => to.id(one));
    });
  }
  if (Object.keys(more).length) add(FIELD.more, (to) => to.text(JSON.stringify(more)));
  return fields;
}

// Times travel as those of the server's clock, because two telephones may disagree by hours; in
// tenths of a second.
const timeOf = (act, serverOffset) => Math.round((Date.parse(act.at) + serverOffset) / 100);

// `base` is the first act of the packet: the others say only by how much they differ.
async function actBytes(act, base, serverOffset) {
  const to = new Writer();
  const number = ACTS.indexOf(act.act);
  to.raw([number < 0 ? OTHER_ACT : number]);
  to.number(act.seq - base.seq);
  to.number(timeOf(act, serverOffset) - timeOf(base, serverOffset));
  to.id(act.attendee || "");
  const fields = fieldsOf(act, keyOf(base.device, act.seq));
  to.number(fields.length);
  fields.forEach((field) => {
    to.raw([field.code]);
    field.write(to);
  });
  return to.bytes;
}

async function readAct(from, device, base, door) {
  const number = from.raw(1)[0];
  const act = { slug: door.slug, device, origin: device, seq: base.seq + from.number() };
  const time = (base.time + from.number()) * 100;
  act.at = new Date(time - (door.serverOffset || 0)).toISOString();
  act.attendee = from.id() || null;
  act.act = ACTS[number];
  act.key = keyOf(device, act.seq);
  for (let left = from.number(); left > 0; left--) {
    const code = from.raw(1)[0];
    if (code === FIELD.act) act.act = from.text();
    else if (code === FIELD.key) act.key = from.id();
    else if (code === FIELD.name) act.name = from.text();
    else if (code === FIELD.phone) act.phone = from.text();
    else if (code === FIELD.absent) act.absent = idsFrom(from);
    else if (code === FIELD.more) Object.assign(act, withoutBooks(JSON.parse(from.text())));
    else throw new RangeError("an unknown field");
  }
  return act;
}

function idsFrom(from) {
  const ids = [];
  for (let left = from.number(); left > 0; left--) {
    ids.push(from.id());
  }
  return ids;
}

function withoutBooks(more) {
  OWN_BOOKS.forEach((name) => delete more[name]);
  return more;
}

function head(tag, base, door) {
  const to = new Writer();
  to.raw(tag);
  to.id(base.device);
  to.text(Array.from(door.nameOf(base) || "").slice(0, 12).join(""));
  to.number(base.seq);
  to.number(timeOf(base, door.serverOffset || 0));
  return to.bytes;
}

// {texts, left}: the acts as texts, those that are not uploaded first, and how many acts are too long
// for a code (they have to be exported). `door` is {slug, device, meetKey, serverOffset,
// nameOf(act)}.
export async function pack(acts, door) {
  const tag = await tagOf(door.slug);
  const packets = [];
  let left = 0;
  const owned = acts.map((act) => Object.assign({}, act, { device: act.origin || door.device }));
  const inOrder = owned.sort((a, b) => Number(Boolean(a.sent)) - Number(Boolean(b.sent)) ||
    Date.parse(a.at) - Date.parse(b.at) || a.seq - b.seq);
  for (const act of inOrder) {
    const open = packets.find((one) => one.base.device === act.device && !one.isFull);
    if (open && (await add(open, act, door, USUAL))) {
      continue;
    }
    if (open) {
      open.isFull = true;
    }
    const first = head(tag, act, door);
    const packet = { base: act, head: first, size: first.length + 4, acts: [], isFull: false };
    if (await add(packet, act, door, MOST)) {
      packets.push(packet);
    } else {
      left++;
    }
  }
  const texts = [];
  for (let place = 0; place < packets.length; place++) {
    texts.push(await textOf(packets[place], place, packets.length, door.meetKey));
  }
  return { texts, left };
}

// Adds an act to a packet, if the packet stays within that many bytes.
async function add(packet, act, door, most) {
  const bytes = await actBytes(act, packet.base, door.serverOffset || 0);
  if (packet.size + bytes.length + MAC > most) {
    return false;
  }
  packet.acts.push(bytes);
  packet.size += bytes.length;
  return true;
}

async function textOf(packet, place, count, meetKey) {
  const to = new Writer();
  to.number(place + 1);
  to.number(count);
  to.raw(packet.head);
  to.number(packet.acts.length);
  packet.acts.forEach((bytes) => to.raw(bytes));
  const body = Uint8Array.from(to.bytes);
  const mac = await macOf(body, meetKey);
  return MARK + base32([...body, ...mac]);
}

// What a text of another door says: {kind: "acts", acts, part, parts, device, name}, or a kind that
// says why nothing of it may be believed: other-event, forged or damaged.
export async function unpack(text, door) {
  try {
    const bytes = fromBase32(text.slice(MARK.length));
    const body = bytes.slice(0, -MAC);
    const from = new Reader(body);
    const [part, parts] = [from.number(), from.number()];
    if (toHex(from.raw(4)) !== toHex(await tagOf(door.slug))) {
      return { kind: "other-event" };
    }
    if (toHex(bytes.slice(-MAC)) !== toHex(await macOf(body, door.meetKey))) {
      return { kind: "forged" };
    }
    const [device, name] = [from.id(), from.text()];
    const base = { seq: from.number(), time: from.number() };
    const acts = [];
    for (let left = from.number(); left > 0; left--) {
      acts.push(Object.assign(await readAct(from, device, base, door), { from: name }));
    }
    return { kind: "acts", acts, part, parts, device, name };
  } catch (_) {
    return { kind: "damaged" };
  }
}
