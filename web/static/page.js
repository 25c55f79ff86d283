// What a page does by itself where scripts run; nothing depends on it.
"use strict";
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.menu[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
// Input is not lost by leaving: the browser asks before a changed form is left.
const changed = new Set();
document.addEventListener("input", (event) => {
  if (event.target.form && event.target.form.method === "post") changed.add(event.target.form);
});
function free() {
  for (const button of document.querySelectorAll("button[disabled][type=submit]")) button.disabled = false;
}
document.addEventListener("submit", (event) => {
  changed.clear();
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    if (event.submitter !== button) button.disabled = true;
  }
  setTimeout(free, 2000); // where a file comes, the page stays, and the next file may be wanted
});
window.addEventListener("beforeunload", (event) => {
  if (changed.size) event.preventDefault();
});
window.addEventListener("pageshow", free);
// A page of work that goes on looks again by itself; without scripts the browser does.
const again = document.querySelector("[data-again]");
if (again) setTimeout(() => location.reload(), Number(again.dataset.again) * 1000);
