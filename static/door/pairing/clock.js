// Compares the clock of this browser with the server's, which stands in the page. The server wrote
// it between the moment of the request and that of the answer.

const MOST = 60000;
const line = document.getElementById("clock");
const visit = performance.getEntriesByType("navigation")[0];

if (visit && visit.responseStart) {
  const middle = (visit.requestStart + visit.responseStart) / 2;
  const ahead = performance.timeOrigin + middle - Number(line.dataset.now);
  const found = Math.abs(ahead) <= MOST ? "good" : "bad";
  line.querySelectorAll("[data-found]").forEach((one) => {
    one.hidden = one.dataset.found !== found;
  });
  line.className = found;
}
