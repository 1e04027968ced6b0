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
  settle(from);
  settle(to);
  // What came onto a page or left it gets the buttons of its new place from the server.
  if ("reserve" in from.dataset !== "reserve" in to.dataset) form.querySelector("button[value=show]").click();
  else refresh(to.closest("[data-page]")?.dataset.page);
});

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

if (form && frame) refresh();
