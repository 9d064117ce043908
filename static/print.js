// The print button: only where scripts run; elsewhere Ctrl+P does the same.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
