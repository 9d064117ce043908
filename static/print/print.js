// The print button, which needs scripts. Ctrl+P does the same without.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());

// Printing is recorded automatically, also after Ctrl+P. The form's button is for when that fails.
const printed = document.getElementById("printed"), noted = document.getElementById("noted");
let done = false;
if (printed) {
  printed.hidden = true;
  window.addEventListener("beforeprint", async () => {
    if (done) return;
    done = true; // record the list once
    try {
      const body = new URLSearchParams(new FormData(printed));
      const sent = { method: "POST", body, redirect: "manual", keepalive: true };
      done = (await fetch(printed.action, sent)).type === "opaqueredirect";
    } catch {
      done = false; // no network: try again after the next print
    }
    printed.hidden = done;
    noted.textContent = done ? noted.dataset.done : noted.dataset.failed;
  });
}
