// Numbers, texts and ids as few bytes, and bytes as letters of a small QR code. Pure.

// The letters of Crockford's base32: QR codes hold capitals and digits in five and a half bits.
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export const toBytes = (text) => new TextEncoder().encode(text);
export const toHex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
export const fromHex = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
export const asUuid = (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

export class Writer {
  constructor() {
    this.bytes = [];
  }

  raw(bytes) {
    this.bytes.push(...bytes);
  }

  // A whole number in as few bytes as it needs; negative ones too.
  number(value) {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 127) {
      this.bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.bytes.push(rest);
  }

  text(text) {
    const bytes = toBytes(text);
    this.number(bytes.length);
    this.raw(bytes);
  }

  // A random id: 32 hex digits, with or without the hyphens of a UUID, or another text.
  id(text) {
    const hex = text.replace(/-/g, "");
    const isHex = /^[0-9a-f]{32}$/.test(hex);
    if (isHex && (text === hex || text === asUuid(hex))) {
      this.raw([text === hex ? 1 : 2]);
      this.raw(fromHex(hex));
    } else {
      this.raw([0]);
      this.text(text);
    }
  }
}

export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.place = 0;
  }

  raw(count) {
    const end = this.place + count;
    if (count < 0 || end > this.bytes.length) {
      throw new RangeError("the packet ends too early");
    }
    const part = this.bytes.slice(this.place, end);
    this.place = end;
    return part;
  }

  number() {
    let value = 0;
    for (let weight = 1; weight < 2 ** 53; weight *= 128) {
      const one = this.raw(1)[0];
      value += (one % 128) * weight;
      if (one < 128) {
        return value % 2 ? -(value + 1) / 2 : value / 2;
      }
    }
    throw new RangeError("a number is too long");
  }

  text() {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.raw(this.number()));
  }

  id() {
    const kind = this.raw(1)[0];
    if (kind === 0) {
      return this.text();
    }
    const hex = toHex(this.raw(16));
    return kind === 1 ? hex : asUuid(hex);
  }
}

export function base32(bytes) {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const one of bytes) {
    held = (held << 8) | one;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

export function fromBase32(text) {
  const bytes = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) {
      throw new RangeError("not a letter of a packet");
    }
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 255);
      held &= (1 << bits) - 1;
    }
  }
  return Uint8Array.from(bytes);
}
