// Vouchers that lower the bill and gift cards that pay for it: typed or scanned, they lie on the counter until the sale is paid.

export function open(till) {
  const { $, say, money } = till;
  const vouchers = [];
  const giftCards = [];

  const clean = (code) => code.replace(/\s/g, "").toUpperCase();

  // What of ours a code is: "voucher", "gift_card", or null.
  async function kindOf(code) {
    const response = await fetch(`${till.root.dataset.codes}?${new URLSearchParams({ code, store: till.store().value })}`).catch(() => null);
    return response?.ok ? (await response.json()).kind : null;
  }

  // What is no gift card is a voucher: the quote says whether it is good, and what it takes off.
  async function take(typed) {
    const code = clean(typed);
    if (!code || vouchers.includes(code) || giftCards.some((one) => one.gift_card_number === code)) return;
    if (till.queue.offline()) throw new Error(say("codes_offline"));
    const card = await kindOf(code) === "gift_card" ? await till.server.ask(`/gift-cards/${encodeURIComponent(code)}`) : null;
    if (!card) vouchers.push(code);
    else if (card.state === "blocked") throw new Error(say("gift_card_blocked"));
    else if (card.currency !== till.currency()) throw new Error(say("gift_card_currency", { currency: card.currency }));
    else giftCards.push(card);
    draw();
    till.basket.changed();
  }

  function draw() {
    $("till-codes").replaceChildren(
      ...vouchers.map((code) => chip(say("voucher", { code }), () => vouchers.splice(vouchers.indexOf(code), 1))),
      ...giftCards.map((card) => chip(say("gift_card_holds", { code: ending(card), amount: money(card.balance) }), () => giftCards.splice(giftCards.indexOf(card), 1))),
    );
  }

  function chip(words, remove) {
    const row = $("till-code-template").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-words]").textContent = words;
    const button = row.querySelector("[data-remove]");
    button.setAttribute("aria-label", `${say("remove")}: ${words}`);
    button.addEventListener("click", () => { remove(); draw(); till.basket.changed(); });
    return row;
  }

  const ending = (card) => `…${card.gift_card_number.slice(-4)}`;

  // What each gift card pays of a bill, the first one first.
  function share(due) {
    let rest = Math.max(0, due);
    return giftCards.map((card) => {
      const amount = Math.min(card.balance, rest);
      rest -= amount;
      return { card, amount, label: say("by_gift_card", { code: ending(card) }) };
    }).filter((one) => one.amount);
  }

  // Takes the money off the cards. The same receipt takes it once, however often it is tried.
  async function spend(due, receiptNumber) {
    const booked = [];
    const giveBack = async () => {
      for (const { card, amount, entry_id } of booked.splice(0)) {
        await till.server.ask(`/gift-cards/${card.gift_card_number}/give-back`, { amount, entry_id }, `${receiptNumber}.back.${card.gift_card_number}`).catch(() => null);
      }
    };
    try {
      for (const { card, amount } of share(due)) {
        const done = await till.server.ask(`/gift-cards/${card.gift_card_number}/spend`, { amount, receipt_number: receiptNumber }, `${receiptNumber}.${card.gift_card_number}`);
        booked.push({ card, amount, entry_id: done.entry_id });
      }
    } catch (error) {
      if (!error.unreachable) await giveBack();
      throw error;
    }
    return { tenders: booked.map(({ amount }) => ({ type: "gift_card", amount })), giveBack };
  }

  function clear() {
    vouchers.splice(0);
    giftCards.splice(0);
    $("till-code").value = "";
    draw();
  }

  $("till-code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = $("till-code").value;
    $("till-code").value = "";
    till.busy(() => take(code));
  });
  till.onStore.push(clear);
  return { take, kindOf, share, spend, clear, vouchers: () => [...vouchers] };
}
