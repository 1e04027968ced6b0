// The frame's behaviour: shortcuts, side panel, rows as doors, menus, toasts, signs of life.
// Everything works without it by plain links and forms.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;
const panel = $("#panel");
let cameFrom = null;

// The open tab is in sight where the tabs do not all have room.
$$(".tabs [aria-current]").forEach((tab) => { tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2; });

// --- Side panel -----------------------------------------------------------

function closePanel() {
  if (!panel || !panel.hasChildNodes()) return false;
  panel.replaceChildren();
  $$("tr.is-current").forEach((row) => row.classList.remove("is-current"));
  if (cameFrom && cameFrom.isConnected) cameFrom.focus();
  cameFrom = null;
  return true;
}

body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== panel) return;
  panel.scrollTop = 0;
  const title = $("h2", panel);
  if (title) {
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }
});

body.addEventListener("htmx:beforeRequest", (event) => {
  const row = event.detail.elt.closest && event.detail.elt.closest("tr[data-row]");
  if (!row || event.detail.target !== panel) return;
  cameFrom = event.detail.elt;
  $$("tr.is-current").forEach((other) => other.classList.remove("is-current"));
  row.classList.add("is-current");
});

// A click anywhere in a row is a click on its link; a marked text is not a click.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-panel]")) {
    event.preventDefault();
    closePanel();
    return;
  }
  const row = event.target.closest("tr[data-row]");
  if (!row || event.target.closest("a, button, input, select, label, summary")) return;
  if (String(window.getSelection())) return;
  const link = $("a.row-link", row);
  if (!link) return;
  if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

// --- Menus: one open at a time, closed by Escape and by a click elsewhere ---

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.menu[open]")) return;
  $$("details.menu[open]").forEach((menu) => { if (menu !== event.target) menu.open = false; });
  const sheet = $(".menu-sheet", event.target);
  if (sheet && sheet.getBoundingClientRect().right > window.innerWidth - 8) event.target.classList.add("menu-right");
  $("[autofocus], input:checked", sheet || event.target)?.focus();
}, true);

document.addEventListener("click", (event) => {
  $$("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  if (event.target.closest("[data-open-side]")) showSide(!$(".side").classList.contains("is-open"));
  else if (!event.target.closest(".side")) showSide(false);
});

// Where it is narrow the navigation lies over the page: who opens it is in it, and who closes it is where they were.
function showSide(open) {
  const side = $(".side");
  if (!side || side.classList.contains("is-open") === open) return false;
  const opener = $("[data-open-side]");
  const inside = side.contains(document.activeElement);
  side.classList.toggle("is-open", open);
  opener.setAttribute("aria-expanded", String(open));
  if (open) ($("a[aria-current]", side) || $("a", side)).focus();
  else if (inside) opener.focus();
  return true;
}

// --- Small conveniences ------------------------------------------------------

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto-submit]");
  if (form) form.requestSubmit();
});

// A long list of choices is narrowed by typing; without this it is scrolled. What is chosen always stays in sight.
document.addEventListener("input", (event) => {
  const field = event.target.closest("input[data-narrow]");
  if (!field) return;
  const words = field.value.trim().toLocaleLowerCase();
  $$("[data-named]", document.getElementById(field.dataset.narrow)).forEach((one) => {
    const kept = $("input:checked", one) || $("input:not([type=checkbox])", one)?.value;
    one.hidden = Boolean(words) && !kept && !one.dataset.named.toLocaleLowerCase().includes(words);
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("input[data-narrow]")) event.preventDefault();
});

// --- Rows chosen for something that is done to several at once -------------

function countPicked() {
  const picked = $$("input[name=chosen]:checked").length;
  $$("[data-picked]").forEach((place) => { place.textContent = String(picked); });
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) {
    const boxes = $$("input[name=chosen]", event.target.closest("table"));
    boxes.forEach((box) => { box.checked = event.target.checked; });
  }
  if (event.target.matches("[data-pick-all], input[name=chosen]")) countPicked();
});
body.addEventListener("htmx:afterSettle", countPicked);

document.addEventListener("click", async (event) => {
  const copier = event.target.closest("[data-copy]");
  if (!copier) return;
  await navigator.clipboard.writeText($(copier.dataset.copy).textContent.trim());
  toast(copier.dataset.copied, "good");
});

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close-toast]");
  if (closer) closer.closest(".toast").remove();
});

export function toast(words, kind = "") {
  const box = $("#toasts");
  const template = $("#toast-template");
  if (!box || !template) return;
  const item = template.content.firstElementChild.cloneNode(true);
  if (kind) item.classList.add(`is-${kind}`);
  $("[data-words]", item).textContent = words;
  box.append(item);
  setTimeout(() => item.remove(), 6000);
}

body.addEventListener("say", (event) => toast(event.detail.words, event.detail.kind));
body.addEventListener("htmx:sendError", () => toast(body.dataset.offline, "bad"));
body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) window.location.reload();
  else toast(body.dataset.failed, "bad");
});

// A server's refusal of a form in the panel comes as 422 and is shown in place.
body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// What is ticked among things that were found joins those that are chosen, so that another search does not lose it.
document.addEventListener("change", (event) => {
  const one = event.target.closest(".find-one");
  const marks = one && $(".marks", one.closest("fieldset"));
  if (!marks || !event.target.checked) return;
  $("[data-all]", marks)?.remove();
  one.className = "mark";
  marks.append(one);
  event.target.focus();
});

// --- A sign of life for everything that takes its time --------------------------

let running = 0;
const wait = () => document.documentElement.classList.add("waiting");
const rest = () => document.documentElement.classList.remove("waiting");
body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches?.("[data-quiet]")) return;
  running += 1;
  wait();
});
body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.matches?.("[data-quiet]")) return;
  running = Math.max(0, running - 1);
  if (!running) rest();
});
// Who presses twice means it once: a form that is on its way is not sent again until a page has come of it.
const ON_ITS_WAY = 10_000;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("data-stays")) return;
  if (form.getAttribute("method") === "post" && !form.hasAttribute("data-downloads")) {
    if (Date.now() - (form.sentAt ?? 0) < ON_ITS_WAY) {
      event.preventDefault();
      return;
    }
    form.sentAt = Date.now();
  }
  // What is shown elsewhere or kept as a file ends no waiting here: this page stays.
  if (!form.hasAttribute("target") && !form.hasAttribute("data-downloads")) wait();
});
const mayBeSentAgain = () => $$("form").forEach((form) => { delete form.sentAt; });
window.addEventListener("pageshow", mayBeSentAgain);
// Escape stops a page on its way here: the form is not on its way any more, and whoever sends it again means it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  mayBeSentAgain();
  if (!running) rest();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || link.target) return;
  if (link.hasAttribute("download") || link.getAttribute("href").startsWith("#") || link.hasAttribute("hx-get")) return;
  wait();
});
window.addEventListener("pageshow", rest);

// --- Keyboard ---------------------------------------------------------------------

const typing = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
let leader = 0;

function moveRow(step) {
  const rows = $$("main tr[data-row]");
  if (!rows.length) return;
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const marked = current >= 0 ? current : rows.findIndex((row) => row.classList.contains("is-current"));
  const next = Math.max(0, Math.min(rows.length - 1, marked + step));
  const link = $("a.row-link", rows[next]);
  link?.focus();
  rows[next].scrollIntoView({ block: "nearest" });
  if (panel?.hasChildNodes() && link?.hasAttribute("hx-get")) link.click();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = $("details.menu[open]");
    if (open) {
      open.open = false;
      $("summary", open).focus();
    } else if (!showSide(false) && !closePanel() && typing(event.target)) {
      event.target.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (Date.now() - leader < 1500) {
    leader = 0;
    const place = $(`.side a[data-key="${CSS.escape(event.key)}"]`);
    if (place) {
      event.preventDefault();
      place.click();
    }
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    ($("#search") || $(".find input"))?.focus();
  } else if (event.key === "g") leader = Date.now();
  else if (event.key === "j") moveRow(1);
  else if (event.key === "k") moveRow(-1);
  else if (event.key === "x") {
    const row = document.activeElement.closest("tr[data-row]") || $("tr.is-current");
    row && $("input[name=chosen]", row)?.click();
  }
  else if (event.key === "?") {
    event.preventDefault();
    $("#keys")?.showModal();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open-keys]")) $("#keys")?.showModal();
  if (event.target.closest("[data-print]")) window.print();
});
