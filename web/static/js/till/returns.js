// Returns by their receipt, line by line, and voids of whole receipts.

const REMEMBERED = 8;

export function open(till) {
  const { $, say, money, number } = till;
  let sale = null;
  let original = null;
  let quote = null;
  let turn = 0;

  // --- The last sales of this till, to choose from -------------------------------------------

  const name = () => `till-sales ${till.store().value}`;
  const remembered = () => JSON.parse(sessionStorage.getItem(name()) || "[]");

  function remember(sent) {
    if (sent.type !== "sale" || sent.mode !== "live") return;
    const one = { number: sent.receipt_number, day: sent.business_date, amount: sent.totals.payable_amount };
    sessionStorage.setItem(name(), JSON.stringify([one, ...remembered()].slice(0, REMEMBERED)));
    drawRemembered();
  }

  function drawRemembered() {
    const sales = remembered();
    $("till-recent").hidden = !sales.length;
    $("till-recent-list").replaceChildren(...sales.map((one) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-small", textContent: `${one.number} · ${money(one.amount)}` });
      button.addEventListener("click", () => {
        $("return-till").value = till.root.dataset.code;
        $("return-day").value = one.day;
        $("return-number").value = one.number;
        till.busy(find);
      });
      return button;
    }));
  }

  // --- Finding the receipt --------------------------------------------------------------------

  async function find() {
    forget();
    original = {
      store_code: till.store().value,
      till_code: $("return-till").value.trim(),
      business_date: $("return-day").value,
      receipt_number: $("return-number").value.trim(),
    };
    const asked = new URLSearchParams({ store: original.store_code, till: original.till_code, day: original.business_date, number: original.receipt_number });
    const response = await fetch(`${till.root.dataset.original}?${asked}`).catch(() => null);
    if (!response) throw new Error(say("unreachable"));
    if (!response.ok) throw new Error(say("no_receipt"));
    const found = await response.json();
    if (found.type !== "sale") throw new Error(say("no_sale"));
    sale = { ...found, lines: found.lines.map((line) => ({ ...line, back: 0 })) };
    draw();
  }

  function forget() {
    sale = null;
    quote = null;
    turn += 1;
    draw();
  }

  function draw() {
    $("return-found").hidden = !sale;
    $("return-lines").replaceChildren(...(sale?.lines || []).map((line) => {
      const row = $("return-line").content.cloneNode(true);
      row.querySelector("[data-name]").textContent = line.name;
      row.querySelector("[data-sku]").textContent = line.sku;
      row.querySelector("[data-sold]").textContent = line.quantity;
      row.querySelector("[data-total]").textContent = money(line.total_amount);
      const back = row.querySelector("[data-back]");
      back.max = line.quantity;
      back.value = line.back;
      back.setAttribute("aria-label", `${say("brought_back")}: ${line.name}`);
      back.addEventListener("change", () => {
        line.back = Math.max(0, Math.round(Number(back.value) * 1000) / 1000 || 0);
        askQuote();
      });
      return row;
    }));
    drawQuote();
  }

  // --- What it would do -------------------------------------------------------------------------

  const wanted = () => sale.lines.filter((line) => line.back);

  async function askQuote() {
    const mine = (turn += 1);
    quote = null;
    drawQuote();
    if (!wanted().length) return;
    try {
      const answer = await till.server.ask("/returns/quotes", { original, lines: wanted().map((line) => ({ original_line_number: line.line_number, quantity: String(line.back) })) });
      if (mine !== turn) return;
      quote = answer;
      drawQuote();
    } catch (error) {
      if (mine === turn) till.problem(error.message);
    }
  }

  function drawQuote() {
    $("return-total").textContent = sale ? money(quote ? quote.totals.refund_amount : 0) : "";
    $("return-points").textContent = quote ? say("return_points", { reversed: number(quote.points.reversed), returned: number(quote.points.returned) }) : "";
    $("return-flags").replaceChildren(...(quote?.flags || []).map((flag) => Object.assign(document.createElement("li"), { textContent: flag.detail })));
    $("return-pay").disabled = !quote;
  }

  // --- Booking ----------------------------------------------------------------------------------

  const head = (type) => ({ type, business_date: till.today(), receipt_number: till.newNumber(), closed_at: new Date().toISOString(), currency: till.currency(), original });

  function returned() {
    const points = quote.points.returned * sale.point_value;
    const lines = wanted().map((line, index) => {
      const told = quote.lines[index];
      const amount = told.refund_amount + told.points_returned * sale.point_value;
      const gross = Math.round(line.unit_price * line.back + Number.EPSILON);
      return {
        line_number: index + 1,
        original_line_number: line.line_number,
        sku: line.sku,
        name: line.name,
        quantity: String(line.back),
        unit_price: line.unit_price,
        discount_amount: Math.max(0, gross - amount),
        total_amount: amount,
        tax_rate: line.tax_rate,
        reason: $("return-reason").value,
      };
    });
    const refund = quote.totals.refund_amount;
    return { ...head("return"), lines, tenders: [{ type: "cash", amount: refund }], totals: { points_amount: points, payable_amount: refund } };
  }

  async function book(sent) {
    const answer = await till.queue.book(sent);
    till.paper.print(sent, answer);
    if (answer) till.toast(say("booked"), "good");
    forget();
  }

  $("return-form").addEventListener("submit", (event) => {
    event.preventDefault();
    till.busy(find);
  });
  $("return-pay").addEventListener("click", () => till.busy(() => book(returned())));
  $("return-void").addEventListener("click", () => till.busy(() => book(head("void"))));
  till.onStore.push(() => {
    $("return-till").value ||= till.root.dataset.code;
    $("return-day").value ||= till.today();
    forget();
    drawRemembered();
  });

  function take(code) {
    $("return-number").value = code;
    return till.busy(find);
  }

  return { remember, take };
}
