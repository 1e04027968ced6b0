// Keeps what is pressed before the page's scripts have come, and does it when they have: nothing is lost, nothing is done twice.
// Loaded before the page is drawn, so nothing can be pressed earlier still.

(() => {
  // What only scripts answer, or answer better than the browser does by itself.
  const ANSWERED = "a[hx-get], button[hx-post], button[hx-get], form[hx-post]:not([hx-trigger]) button, [data-open-side], [data-open-keys], [data-print], [data-copy]";
  const OF_ITSELF = "a, button, input, select, label, summary";
  const PATIENCE = 10_000;
  const pressed = new Map();
  const changed = new Map();
  let passing = false;

  function press(event) {
    if (passing || event.button) return;
    const inside = event.target.closest(OF_ITSELF);
    const control = inside ? inside.closest(ANSWERED) : event.target.closest("tr[data-row]");
    if (!control || (control.href && (event.ctrlKey || event.metaKey || event.shiftKey))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.documentElement.classList.add("waiting");
    if (pressed.has(control)) return;
    pressed.set(control, [event.target, new MouseEvent("click", event)]);
    setTimeout(plainly, PATIENCE, control);
  }

  // A link has an address and a form somewhere to go: what waited long enough goes there without a script.
  function plainly(control) {
    if (!pressed.has(control) || !(control.href || (control.form && control.type === "submit"))) return;
    passing = true;
    again(pressed.get(control));
    passing = false;
    pressed.delete(control);
  }

  function again([target, event]) {
    if (target.isConnected) target.dispatchEvent(event);
  }

  function change(event) {
    changed.set(event.target, [event.target, new Event(event.type, { bubbles: true })]);
  }

  document.addEventListener("click", press, true);
  document.addEventListener("change", change, true);
  // Scripts that are deferred have run by then; those that failed will not come, and the browser does what it can alone.
  document.addEventListener("DOMContentLoaded", () => setTimeout(() => {
    document.removeEventListener("click", press, true);
    document.removeEventListener("change", change, true);
    document.documentElement.classList.remove("waiting");
    [...changed.values(), ...pressed.values()].forEach(again);
    changed.clear();
    pressed.clear();
  }));
})();
