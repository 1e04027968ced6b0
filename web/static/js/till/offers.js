// What a quote says of offers: which ones lowered a line, what is given along, what is missing for others, what goes well with the basket, and what the member thinks of it.

export function open(till) {
  const { $, say } = till;
  const ANSWERS = ["accepted", "not_now", "never", "wrong_product"];

  const item = (text) => Object.assign(document.createElement("li"), { textContent: text });

  const names = JSON.parse(till.root.dataset.names);

  function draw(quote, cardNumber) {
    $("till-given").replaceChildren(
      ...(quote.gifts || []).map((one) => item(say("given_gift", { gift: names.rewards[one.reward_code] || one.reward_code, quantity: till.number(one.quantity) }))),
      ...(quote.vouchers || []).map((one) => item(say("given_voucher", { voucher: names.batches[one.batch] || one.batch }))),
    );
    $("till-missing").replaceChildren(...(quote.not_applied || []).map((one) => item(`${one.name || one.offer_code}: ${one.reason}`)));
    const next = quote.next_offers || [];
    $("till-next").hidden = !next.length;
    $("till-next-list").replaceChildren(...next.map((one) => offered(one, cardNumber)));
  }

  function offered(one, cardNumber) {
    const row = $("till-next-template").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-headline]").textContent = one.headline;
    row.querySelector("[data-reason]").textContent = one.reason;
    const buttons = row.querySelector("[data-answers]");
    buttons.hidden = !cardNumber;
    buttons.replaceChildren(...ANSWERS.map((reaction) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-small", textContent: say(reaction) });
      button.setAttribute("aria-label", `${say(reaction)}: ${one.headline}`);
      button.addEventListener("click", () => till.busy(() => answer(one, reaction, cardNumber, row)));
      return button;
    }));
    return row;
  }

  async function answer(one, reaction, cardNumber, row) {
    await till.server.ask("/reactions", { card_number: cardNumber, decision_id: one.decision_id, reaction, scope: "item" });
    row.remove();
    $("till-next").hidden = !$("till-next-list").childElementCount;
    till.toast(say("answer_kept"), "good");
  }

  // Under a line: why it costs less.
  const reasons = (line) => (line?.discounts || []).map((one) => one.reason).join(" · ");

  // What the offers of a quote are called, by their codes: receipts keep the codes, people read the names.
  const called = (quote) => new Map((quote?.lines || []).flatMap((line) => (line.discounts || []).map((one) => [one.offer_code, one.reason])));

  return { draw, called, reasons };
}
