// The proof room by keyboard: the arrows turn the page of all copies, up and down go through the copies one by one.

const links = { ArrowLeft: "previous-page", ArrowRight: "next-page", ArrowUp: "previous-copy", ArrowDown: "next-copy", Escape: "all-copies" };

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const link = links[event.key] && document.querySelector(`[data-turn="${links[event.key]}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
