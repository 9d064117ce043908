// The print button: only where scripts run; elsewhere Ctrl+P does the same.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());

// Whichever way the list is printed, that is written down by itself: the form's own button is for when this fails.
const printed = document.getElementById("printed"), noted = document.getElementById("noted");
let done = false;
if (printed) {
  printed.hidden = true;
  window.addEventListener("beforeprint", async () => {
    if (done) return;
    done = true; // printed twice is one list
    try {
      const sent = { method: "POST", body: new URLSearchParams(new FormData(printed)), redirect: "manual", keepalive: true };
      done = (await fetch(printed.action, sent)).type === "opaqueredirect";
    } catch {
      done = false; // no network
    }
    printed.hidden = done;
    noted.textContent = done ? noted.dataset.done : noted.dataset.failed;
  });
}
