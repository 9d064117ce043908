// Tests the browser before the one-time code is used: a worker, a real write into storage, and the
// camera if this telephone is to scan. The page has all sentences; this script only shows them.

import { heldDevice } from "./held.js";

const form = document.getElementById("pair");
const found = {};
const PATIENCE = 5000;
let sent = false;

function element(id) {
  return document.getElementById(id);
}

function within(promise) {
  return Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error("too slow")), PATIENCE)),
  ]);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

function isSecure() {
  return window.isSecureContext ? "ok" : "missing";
}

function started(worker) {
  return new Promise((resolve, reject) => {
    function look() {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("not started"));
    }
    worker.addEventListener("statechange", look);
    look();
  });
}

async function testWorker() {
  if (!("serviceWorker" in navigator) || !("caches" in window)) return "missing";
  const probe = form.dataset.probe;
  const made = await navigator.serviceWorker.register(probe);
  await started(made.installing || made.waiting || made.active);
  await made.unregister();
  const cache = await caches.open("eventreg-test");
  await cache.put(probe, new Response("kept"));
  const kept = await cache.match(probe);
  const text = kept ? await kept.text() : "";
  await caches.delete("eventreg-test");
  return text === "kept" ? "ok" : "broken";
}

async function testStorage() {
  if (!window.indexedDB) return "missing";
  const name = "eventreg-test";
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("acts");
  const database = await done(opening);
  try {
    // "strict" as for an arrival: only then the write has reached the disk.
    const writing = database.transaction("acts", "readwrite", { durability: "strict" });
    writing.objectStore("acts").put("kept", "key");
    await new Promise((resolve, reject) => {
      writing.oncomplete = resolve;
      writing.onabort = writing.onerror = () => reject(writing.error);
    });
    const read = database.transaction("acts").objectStore("acts").get("key");
    return (await done(read)) === "kept" ? "ok" : "broken";
  } finally {
    database.close();
    indexedDB.deleteDatabase(name);
  }
}

async function testKept() {
  if (!navigator.storage || !navigator.storage.persist) return "missing";
  return (await navigator.storage.persist()) ? "ok" : "refused";
}

async function testCamera() {
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return "missing";
  try {
    const wanted = { video: { facingMode: "environment" } };
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    stream.getTracks().forEach((track) => track.stop());
    return "ok";
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
    return error.name === "NotFoundError" ? "missing" : "broken";
  }
}

function show(name, result) {
  found[name] = result;
  const line = form.querySelector(`[data-test="${name}"]`);
  line.hidden = result === "off";
  line.querySelectorAll("[data-found]").forEach((one) => {
    one.hidden = one.dataset.found !== result;
  });
  form.elements.checks.value = JSON.stringify(found);
}

async function test(name, run, wait) {
  let result = "broken";
  try {
    result = await (wait ? within(run()) : run());
  } catch (error) {
    // "broken" says enough: the reasons of browsers help no volunteer.
  }
  show(name, result);
}

function isInApp() {
  return /MicroMessenger|QQ\/|Weibo|AlipayClient|DingTalk|aweme|FBA[NV]|Instagram|; wv\)/.test(
    navigator.userAgent
  );
}

// What the person can press now. Without a worker or storage the code is kept for a browser that
// has them; using it here, online only, is the second button.
function offer() {
  const works = ["secure", "worker", "storage"].every((name) => found[name] === "ok");
  element("testing").hidden = true;
  element("offline").hidden = !works;
  element("again").hidden = works;
  element("online").hidden = works;
  element("advice").hidden = works;
  element("on-paper").hidden = found.secure === "ok";
  element("in-app").hidden = works || found.secure !== "ok" || !isInApp();
  element("other-browser").hidden = works || found.secure !== "ok" || isInApp();
}

// The door that this telephone was before: its acts that were not uploaded stay its own.
async function takeUp() {
  try {
    form.elements.device.value = await within(heldDevice(form.dataset.store, form.dataset.slug));
  } catch (error) {
    form.elements.device.value = "";
  }
}

function begin() {
  ["offline", "again", "online", "advice"].forEach((id) => {
    element(id).hidden = true;
  });
  element("online").classList.remove("main");
  element("testing").hidden = false;
}

async function testAll() {
  begin();
  show("secure", isSecure());
  await test("worker", testWorker, true);
  await test("storage", testStorage, true);
  await test("kept", testKept, true);
  await takeUp();
  offer();
}

// The browser asks the person for the camera, so this waits as long as the person does.
async function cameraWanted() {
  const wanted = element("scan").checked;
  show("camera", "off");
  if (!wanted) return;
  element("offline").disabled = true;
  await test("camera", testCamera, false);
  element("offline").disabled = false;
}

form.addEventListener("submit", (event) => {
  // A second press would cancel the answer to the first one, which used the code.
  if (sent) event.preventDefault();
  sent = true;
});
window.addEventListener("pageshow", () => {
  sent = false;
});
element("scan").addEventListener("change", cameraWanted);
element("again").addEventListener("click", testAll);
element("scans").hidden = false;
show("camera", "off");
testAll();
