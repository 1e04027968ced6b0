// Store and forward: what was paid is kept in this browser until the server has it, and sent in batches.

const MOST = 500;

export function open(till) {
  const { $, say, store } = till;
  const name = () => `till-queue ${store().value}`;
  const waiting = () => JSON.parse(localStorage.getItem(name()) || "[]");
  const keep = (receipts) => {
    if (receipts.length) localStorage.setItem(name(), JSON.stringify(receipts));
    else localStorage.removeItem(name());
    draw();
  };
  const offline = () => $("till-offline").checked;

  function draw() {
    const count = waiting().length;
    $("till-queue").hidden = !count;
    $("till-queue-count").textContent = say("waiting", { receipts: till.number(count) });
    $("till-send").disabled = offline();
    till.root.classList.toggle("is-offline", offline());
  }

  // Returns the answer, or null when the receipt waits to be sent.
  async function book(receipt) {
    if (!offline()) {
      try {
        return await till.server.ask("/receipts", receipt);
      } catch (error) {
        if (!error.unreachable) throw error;
        // The same receipt is booked once however often it is sent, so it is safe to send it again later.
        till.toast(say("kept"), "bad");
      }
    }
    keep([...waiting(), { ...receipt, offline: true }]);
    return null;
  }

  async function send() {
    const sent = waiting().slice(0, MOST);
    if (!sent.length) return;
    const { results } = await till.server.ask("/receipts/batch", { receipts: sent });
    const done = new Set(results.filter((one) => one.status < 300).map((one) => sent[one.index].receipt_number));
    keep(waiting().filter((receipt) => !done.has(receipt.receipt_number)));
    if (done.size) till.toast(say("sent", { receipts: till.number(done.size) }), "good");
    const refused = results.filter((one) => one.status >= 300);
    if (refused.length) {
      till.problem([say("not_taken"), ...refused.map((one) => `${sent[one.index].receipt_number}: ${till.server.told(one.problem)}`)].join("\n"));
    } else if (waiting().length) await send();
  }

  $("till-offline").addEventListener("change", () => {
    draw();
    till.busy(offline() ? till.snapshot.take : send).finally(() => till.basket.changed());
  });
  $("till-send").addEventListener("click", () => till.busy(send));
  till.onStore.push(draw);
  return { book, offline };
}
