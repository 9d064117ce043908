// Reads QR codes from a picture. The browser's own reader comes first, if it proves that it reads:
// phones without Google's services, and browsers inside other apps, have one that lists `qr_code`
// and then finds nothing, or throws. Otherwise the `qr` library reads, if it is here (script/scanner).

const SIDE = 640;
const PATIENCE = 1500;
const TEST_TEXT = "EVENTREG";
// The code of that text: each number is one row of 21 modules, the first module in the highest bit.
const TEST_ROWS = [
  0x1fcc7f, 0x104c41, 0x17565d, 0x175d5d, 0x175f5d, 0x105141, 0x1fd57f, 0x1300, 0x17cd7c,
  0xea52e, 0x14669e, 0x163436, 0x1efa9d, 0x13e1, 0x1fcd68, 0x1053ec, 0x175526, 0x175518,
  0x1756ac, 0x104825, 0x1fd28c,
];

// Refuses if the promise does not settle in time: some readers never answer at all.
function inTime(promise) {
  let timer = 0;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error("no answer")), PATIENCE);
  });
  const stopped = (settle) => (what) => {
    clearTimeout(timer);
    return settle(what);
  };
  return Promise.race([promise, late]).then(
    stopped((answer) => answer),
    stopped((fault) => Promise.reject(fault))
  );
}

function testPicture() {
  const scale = 8;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = (TEST_ROWS.length + 8) * scale;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  TEST_ROWS.forEach((row, y) => {
    for (let x = 0; x < TEST_ROWS.length; x++) {
      if ((row >> (TEST_ROWS.length - 1 - x)) & 1) {
        pen.fillRect((x + 4) * scale, (y + 4) * scale, scale, scale);
      }
    }
  });
  return canvas;
}

async function nativeReader() {
  try {
    if (!("BarcodeDetector" in window)) {
      return null;
    }
    const formats = await inTime(window.BarcodeDetector.getSupportedFormats());
    if (formats.indexOf("qr_code") < 0) {
      return null;
    }
    const reader = new window.BarcodeDetector({ formats: ["qr_code"] });
    const read = async (picture) => {
      const hits = await inTime(reader.detect(picture));
      return hits.length ? hits[0].rawValue : "";
    };
    return (await read(testPicture())) === TEST_TEXT ? read : null;
  } catch (_) {
    return null;
  }
}

// The library is two classic scripts beside the page's module, loaded when they are first wanted.
const loading = {};

function load(file, name) {
  if (window[name]) {
    return Promise.resolve(window[name]);
  }
  loading[file] = loading[file] || new Promise((done) => {
    const main = document.querySelector('script[type="module"][src*="/door/assets/"]');
    const script = document.createElement("script");
    script.src = new URL(file, main ? main.src : document.baseURI).href;
    script.onload = () => done(window[name] || null);
    script.onerror = () => {
      delete loading[file]; // the next try may have a network
      done(null);
    };
    document.head.append(script);
  });
  return loading[file];
}

// {decodeQR}, or null if it is not here.
export const library = () => load("qr.js", "eventregQr");
// {encodeQR}, or null.
export const drawing = () => load("qr-draw.js", "eventregQrDraw");

// Draws one frame: the whole picture, or every second time its middle, twice as large. The middle
// reads small and dark codes, the whole reads large ones that are turned.
function drawFrame(pen, picture, isMiddle) {
  const wide = picture.videoWidth || picture.width;
  const high = picture.videoHeight || picture.height;
  const scale = Math.min(1, SIDE / Math.max(wide, high));
  const width = Math.max(1, Math.round(wide * scale));
  const height = Math.max(1, Math.round(high * scale));
  if (pen.canvas.width !== width || pen.canvas.height !== height) {
    pen.canvas.width = width;
    pen.canvas.height = height;
  }
  if (isMiddle) {
    pen.drawImage(picture, wide / 4, high / 4, wide / 2, high / 2, 0, 0, width, height);
  } else {
    pen.drawImage(picture, 0, 0, width, height);
  }
  return pen.getImageData(0, 0, width, height);
}

async function libraryReader() {
  try {
    const loaded = await library();
    if (!loaded) {
      return null;
    }
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    let count = 0;
    const read = async (picture) => {
      const frame = drawFrame(pen, picture, count++ % 2 === 1);
      try {
        return loaded.decodeQR(frame);
      } catch (_) {
        return ""; // its way to say that the frame shows no code
      }
    };
    return (await read(testPicture())) === TEST_TEXT ? read : null;
  } catch (_) {
    return null;
  }
}

// A reader of pictures: `kind` is "native", "library" or "none"; `read` gives the text of a code, or
// "" if the picture shows none. If the native reader throws once, the library reads from then on.
export async function makeDetector() {
  const native = await nativeReader();
  const made = { kind: "native", read: null };
  let reader = native;
  const useLibrary = async () => {
    reader = await libraryReader();
    made.kind = reader ? "library" : "none";
  };
  if (!reader) {
    await useLibrary();
  }
  made.read = async (picture) => {
    if (!reader) {
      return "";
    }
    try {
      return await reader(picture);
    } catch (_) {
      await useLibrary();
      return "";
    }
  };
  return made;
}
