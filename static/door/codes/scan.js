// The camera as a scanner: opens it, reads codes from it, rests, and says at each moment what it is
// doing. It throws nothing into the page: whatever happens is a state.

import { makeDetector } from "./detector.js";

const SAME_CODE = 3000; // ms in which a code that is still in view is not told again
const HINT_AFTER = 5000;
const REST_AFTER = 60000;
const SHORTEST_PAUSE = 60;

// The state for a refusal of getUserMedia; older engines have names of their own.
const REFUSED_AS = {
  NotAllowedError: "refused",
  PermissionDeniedError: "refused",
  SecurityError: "refused",
  NotFoundError: "no_camera",
  DevicesNotFoundError: "no_camera",
  OverconstrainedError: "no_camera",
  NotReadableError: "in_use",
  TrackStartError: "in_use",
  AbortError: "in_use",
};

// Whether this page may ask for a camera at all: "" or the state that says why not.
export function whyNoCamera() {
  if (window.isSecureContext === false) {
    return "not_https";
  }
  const devices = navigator.mediaDevices;
  return devices && devices.getUserMedia ? "" : "no_camera";
}

export function canScan() {
  return whyNoCamera() === "";
}

// Opens the camera and calls onText with what codes say, and onState with {kind, hint, torch, lit,
// decoder}. `kind`: starting, scanning, paused, no_camera, refused, in_use, not_https, no_decoder or
// failed. `hint`: nothing was read for five seconds. `torch`: there is a light to switch.
export function openScanner(video, onText, onState) {
  return new Scanner(video, onText, onState);
}

class Scanner {
  constructor(video, onText, onState) {
    this.video = video;
    this.onText = onText;
    this.onState = onState;
    this.state = { kind: "starting", hint: false, torch: false, lit: false, decoder: "" };
    this.turn = 0; // grows with each start and stop, so that what began earlier ends
    this.stream = null;
    this.detector = null;
    this.lock = null;
    this.timers = [];
    this.seen = { text: "", at: 0 };
    this.onVisible = () => this.comeBack();
    document.addEventListener("visibilitychange", this.onVisible);
    this.start();
  }

  // Calls one of the page's functions; a fault of the page stops no scanner.
  tell(listener, what) {
    try {
      listener(what);
    } catch (fault) {
      setTimeout(() => {
        throw fault;
      });
    }
  }

  show(change) {
    this.state = Object.assign({}, this.state, change);
    this.tell(this.onState, this.state);
  }

  async start() {
    const turn = ++this.turn;
    const why = whyNoCamera();
    if (why) {
      this.show({ kind: why });
      return;
    }
    this.show({ kind: "starting", hint: false, torch: false, lit: false });
    try {
      const camera = this.openCamera();
      // If the detector fails first, a refused camera has no one else who listens.
      camera.catch(() => {});
      this.detector = this.detector || (await makeDetector());
      const stream = await camera;
      if (turn !== this.turn) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      this.stream = stream;
      if (this.detector.kind === "none") {
        this.detector = null; // at the next try the library may have come
        this.stop("no_decoder");
        return;
      }
      await this.play(stream);
      if (turn === this.turn) {
        this.scan(turn, stream);
      }
    } catch (fault) {
      if (turn === this.turn) {
        this.stop(REFUSED_AS[fault && fault.name] || "failed");
      }
    }
  }

  openCamera() {
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const back = Object.assign({ facingMode: { ideal: "environment" } }, size);
    return navigator.mediaDevices.getUserMedia({ audio: false, video: back });
  }

  // iOS shows a black picture unless the video is muted, inline and told to play.
  async play(stream) {
    this.video.muted = true;
    this.video.setAttribute("playsinline", "");
    this.video.srcObject = stream;
    await this.video.play();
  }

  scan(turn, stream) {
    const track = stream.getVideoTracks()[0];
    track.addEventListener("ended", () => turn === this.turn && this.stop("paused"));
    const can = track.getCapabilities ? track.getCapabilities() : {};
    this.show({ kind: "scanning", torch: Boolean(can.torch), decoder: this.detector.kind });
    this.keepAwake();
    this.await();
    this.readOn(turn);
  }

  // From now on: a hint after five seconds without a code, a rest after sixty.
  await() {
    this.timers.forEach(clearTimeout);
    this.timers = [
      setTimeout(() => this.show({ hint: true }), HINT_AFTER),
      setTimeout(() => this.stop("paused"), REST_AFTER),
    ];
    if (this.state.hint) {
      this.show({ hint: false });
    }
  }

  async readOn(turn) {
    while (turn === this.turn) {
      const began = performance.now();
      if (this.video.readyState >= 2 && !document.hidden) {
        const text = await this.detector.read(this.video).catch(() => "");
        if (turn !== this.turn) {
          return;
        }
        if (this.detector.kind === "none") {
          this.detector = null;
          this.stop("no_decoder");
          return;
        }
        if (this.detector.kind !== this.state.decoder) {
          this.show({ decoder: this.detector.kind });
        }
        if (text) {
          this.hit(text);
        }
      }
      // A slow phone needs as long for its other work as for reading.
      const pause = Math.max(SHORTEST_PAUSE, performance.now() - began);
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  hit(text) {
    const now = performance.now();
    const isSame = text === this.seen.text && now - this.seen.at < SAME_CODE;
    this.seen = { text, at: now };
    this.await();
    if (!isSame) {
      this.tell(this.onText, text);
    }
  }

  async keepAwake() {
    try {
      if (navigator.wakeLock && !document.hidden) {
        this.lock = await navigator.wakeLock.request("screen");
        if (this.state.kind !== "scanning") {
          this.letSleep();
        }
      }
    } catch (_) {
      this.lock = null; // battery saver: the screen may go dark, the scanner still works
    }
  }

  letSleep() {
    const lock = this.lock;
    this.lock = null;
    if (lock) {
      Promise.resolve(lock.release()).catch(() => {});
    }
  }

  // The browser takes the wake lock, and on iOS the picture, from a page that is not in front.
  comeBack() {
    if (document.hidden || this.state.kind !== "scanning") {
      return;
    }
    this.keepAwake();
    if (this.video.paused) {
      Promise.resolve(this.video.play()).catch(() => this.stop("paused"));
    }
  }

  stop(kind) {
    this.turn++;
    this.timers.forEach(clearTimeout);
    this.timers = [];
    this.letSleep();
    if (this.stream) {
      this.stream.getTracks().forEach((track) => track.stop());
    }
    this.stream = null;
    this.video.srcObject = null;
    this.show({ kind, hint: false, torch: false, lit: false });
  }

  // Opens the camera again, after a rest or a refusal.
  resume() {
    if (this.state.kind !== "scanning" && this.state.kind !== "starting") {
      this.start();
    }
  }

  async torch(on) {
    const track = this.stream && this.stream.getVideoTracks()[0];
    try {
      if (track) {
        await track.applyConstraints({ advanced: [{ torch: on }] });
        this.show({ lit: on });
      }
    } catch (_) {
      this.show({ torch: false, lit: false });
    }
  }

  close() {
    document.removeEventListener("visibilitychange", this.onVisible);
    this.onState = () => {};
    this.stop("paused");
  }
}
