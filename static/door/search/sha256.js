// SHA-256 in plain JavaScript. crypto.subtle exists only on secure pages and answers later; a
// scan is one block of text and must be answered at once.

const firstPrimes = [];
for (let n = 2; firstPrimes.length < 64; n++) {
  if (firstPrimes.every(p => n % p)) firstPrimes.push(n);
}
// The first 32 bits of the fractional part of a root.
const fraction = root => Math.floor((root - Math.floor(root)) * 4294967296) | 0;
const STEPS = firstPrimes.map(p => fraction(Math.cbrt(p)));
const START = firstPrimes.slice(0, 8).map(p => fraction(Math.sqrt(p)));

const turned = (x, by) => (x >>> by) | (x << (32 - by));

function padded(bytes) {
  const words = new Int32Array((((bytes.length + 8) >> 6) + 1) * 16);
  bytes.forEach((byte, i) => { words[i >> 2] |= byte << (24 - (i % 4) * 8); });
  words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
  words[words.length - 1] = bytes.length * 8;
  return words;
}

function mixed(state, block) {
  const w = new Int32Array(64);
  w.set(block);
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15];
    const b = w[i - 2];
    w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ (a >>> 3)) +
      w[i - 7] + (turned(b, 17) ^ turned(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const one = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
      ((e & f) ^ (~e & g)) + STEPS[i] + w[i] | 0;
    const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) +
      ((a & b) ^ (a & c) ^ (b & c)) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, d + one | 0, c, b, a, one + two | 0];
  }
  return [a, b, c, d, e, f, g, h].map((n, i) => n + state[i] | 0);
}

// The digest of a text of ASCII characters, as 64 hex digits.
export function sha256(text) {
  const words = padded(Array.from(text, c => c.charCodeAt(0)));
  let state = START;
  for (let i = 0; i < words.length; i += 16) state = mixed(state, words.subarray(i, i + 16));
  return state.map(n => (n >>> 0).toString(16).padStart(8, "0")).join("");
}
