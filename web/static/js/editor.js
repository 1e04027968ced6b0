// The edition editor: articles are dragged between pages, and the frame beside shows what comes of it.
// Without this file the buttons of every article do the same.

const form = document.querySelector("#edition");
const frame = document.querySelector("iframe[name=preview]");
const show = form?.querySelector("[data-preview-button]");
let dragged = null;
let waiting = 0;

// --- The preview -----------------------------------------------------------

function refresh(page) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (page !== undefined) show.formAction = `${form.dataset.preview}#page-${Number(page) + 2}`;
    form.requestSubmit(show);
  }, 150);
}

// --- What a page holds -------------------------------------------------------

function settle(list) {
  const page = list.closest("[data-page]")?.dataset.page;
  const room = Number(list.dataset.fits || 0);
  [...list.querySelectorAll(":scope > .slot")].forEach((slot, place) => {
    slot.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
    slot.classList.toggle("is-over", page !== undefined && place >= room);
    if (page === undefined) return;
    slot.prepend(field("article", page, slot));
    if (slot.dataset.pinned !== undefined) slot.prepend(field("pinned", page, slot));
    slot.querySelectorAll("button[name=do]").forEach((button) => {
      const [wish] = button.value.split(":");
      button.value = `${wish}:${page}:${slot.dataset.article}`;
    });
  });
}

function field(name, page, slot) {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = `${name}-${page}`;
  input.value = slot.dataset.article;
  return input;
}

// --- Dragging ----------------------------------------------------------------

function beforeWhich(list, y) {
  return [...list.querySelectorAll(":scope > .slot:not(.is-dragged)")].find((slot) => {
    const box = slot.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
}

form?.addEventListener("dragstart", (event) => {
  const slot = event.target.closest?.(".slot");
  if (!slot) return;
  dragged = { slot, from: slot.parentElement };
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", slot.dataset.article);
  requestAnimationFrame(() => slot.classList.add("is-dragged"));
});

form?.addEventListener("dragover", (event) => {
  const list = event.target.closest?.("[data-slots]");
  if (!dragged || !list) return;
  event.preventDefault();
  list.insertBefore(dragged.slot, beforeWhich(list, event.clientY) || null);
});

form?.addEventListener("drop", (event) => {
  if (dragged && event.target.closest?.("[data-slots]")) event.preventDefault();
});

form?.addEventListener("dragend", () => {
  if (!dragged) return;
  const { slot, from } = dragged;
  dragged = null;
  slot.classList.remove("is-dragged");
  const to = slot.parentElement;
  if (!("reserve" in to.dataset)) slot.dataset.pinned = "";
  else delete slot.dataset.pinned;
  pinned(slot);
  settle(from);
  settle(to);
  // What came onto a page or left it gets the buttons of its new place from the server.
  if ("reserve" in from.dataset !== "reserve" in to.dataset) form.querySelector("button[value=show]").click();
  else refresh(to.closest("[data-page]")?.dataset.page);
});

// --- By keyboard: what can be done here is done here, and the focus stays ------

function beyond(slot, wish) {
  return wish === "up" ? slot.previousElementSibling : slot.nextElementSibling;
}

function step(button, slot, wish) {
  const list = slot.parentElement;
  const other = beyond(slot, wish);
  if (wish === "up") list.insertBefore(slot, other);
  else list.insertBefore(other, slot);
  slot.dataset.pinned = "";
  pinned(slot);
  settle(list);
  button.focus();
}

function pinned(slot) {
  const on = slot.dataset.pinned !== undefined;
  const button = slot.querySelector("button[value^='pin:'], button[value^='loose:']");
  if (!button) return;
  button.value = button.value.replace(/^\w+/, on ? "loose" : "pin");
  button.classList.toggle("is-on", on);
  button.setAttribute("aria-pressed", String(on));
}

form?.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-page] .slot button[name=do]");
  const wish = button?.value.split(":")[0];
  if (!["up", "down", "pin", "loose"].includes(wish)) return;
  const slot = button.closest(".slot");
  // Over the edge of a page it goes onto the next, which the server does.
  if ((wish === "up" || wish === "down") && !beyond(slot, wish)) return;
  event.preventDefault();
  if (wish === "up" || wish === "down") step(button, slot, wish);
  else {
    if (wish === "pin") slot.dataset.pinned = "";
    else delete slot.dataset.pinned;
    pinned(slot);
    settle(slot.parentElement);
    button.focus();
  }
  refresh(slot.closest("[data-page]").dataset.page);
});

// The panel of what could stand there instead, closed again, gives the focus back.
const panel = document.querySelector("#panel");
let opener = null;

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target === panel && form?.contains(event.detail.elt)) opener = event.detail.elt;
});

if (form && panel) {
  new MutationObserver(() => {
    if (panel.hasChildNodes() || !opener?.isConnected) return;
    opener.focus();
    opener = null;
  }).observe(panel, { childList: true });
}

// What only the server can do comes back as a new page: the focus goes where it was, or to what is next there.
const KEPT = "editor-place";

form?.addEventListener("submit", (event) => {
  const by = event.submitter;
  if (!by || by === show) return;
  const from = document.activeElement?.closest?.("[data-page], [data-put], .panel") ? document.activeElement : by;
  const [wish, page] = (by.value || "").split(":");
  const list = from.closest(".slots");
  sessionStorage.setItem(KEPT, JSON.stringify({
    path: location.pathname,
    y: scrollY,
    label: from.getAttribute("aria-label"),
    page: wish === "earlier" ? Number(page) - 1 : wish === "later" ? Number(page) + 1 : Number(page),
    place: list ? [...list.children].indexOf(from.closest(".slot")) : 0,
  }));
});

function returned() {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT));
  } catch { /* nothing to go back to */ }
  sessionStorage.removeItem(KEPT);
  if (!kept || kept.path !== location.pathname || location.hash) return;
  scrollTo(0, kept.y);
  const section = Number.isInteger(kept.page) ? form.querySelector(`[data-page="${kept.page}"]`) : null;
  const same = [...form.querySelectorAll("button, select")].filter(
    (one) => kept.label && one.getAttribute("aria-label") === kept.label && !one.disabled,
  );
  const slots = section ? [...section.querySelectorAll(".slot")] : [];
  const next = slots[Math.min(Math.max(kept.place, 0), slots.length - 1)];
  const target = same.find((one) => section?.contains(one)) || same[0] || next?.querySelector("button")
    || section?.querySelector("select");
  target?.focus({ preventScroll: false });
}

// --- Everything else that changes the pages ----------------------------------

form?.addEventListener("change", (event) => {
  if (event.target.matches("[data-put]")) {
    if (!event.target.value) return;
    const press = form.querySelector("button[value=show]");
    press.value = event.target.value;
    press.click();
    return;
  }
  if (event.target.matches("#store")) {
    form.querySelector("button[value=show]").click();
    return;
  }
  if (event.target.matches("select[data-room]")) {
    const list = event.target.closest("[data-page]").querySelector("[data-slots]");
    list.dataset.fits = event.target.selectedOptions[0].dataset.room;
    settle(list);
  }
  refresh(event.target.closest("[data-page]")?.dataset.page);
});

form?.addEventListener("focusin", (event) => {
  const page = event.target.closest("[data-page]")?.dataset.page;
  if (page !== undefined) show.formAction = `${form.dataset.preview}#page-${Number(page) + 2}`;
});

if (form && frame) {
  form.querySelectorAll(".slot").forEach((slot) => { slot.draggable = true; });
  returned();
  refresh();
}
