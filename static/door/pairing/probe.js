// A worker that does nothing. The pairing page starts and removes it, to see whether this browser
// runs workers at all.
self.addEventListener("install", () => self.skipWaiting());
