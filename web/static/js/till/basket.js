// The sale: card, articles, the basket with its quote, points to spend, and paying.

export function open(till) {
  const { $, say, money, number } = till;
  const lines = [];
  let quote = null;

  const cardNumber = () => $("till-card").value.replace(/\s/g, "");
  const gross = (line) => Math.round(line.price * line.quantity + Number.EPSILON);
  const total = () => lines.reduce((sum, line) => sum + gross(line), 0);

  // --- The card ---------------------------------------------------------------------

  async function lookUp() {
    till.problem("");
    $("till-member").replaceChildren();
    $("till-points").value = "";
    const typed = cardNumber();
    if (typed && till.queue.offline()) showTaken(typed);
    else if (typed) {
      try {
        showCard(await till.server.ask(`/cards/${encodeURIComponent(typed)}`));
      } catch (error) {
        till.problem(error.status === 404 ? say("unknown_card") : error.message);
      }
    }
    changed();
    $("till-article").focus();
  }

  function showCard(card) {
    const strip = $("till-member-template").content.cloneNode(true);
    const state = { blocked: say("blocked"), replaced: say("replaced") }[card.state];
    strip.querySelector("[data-name]").textContent = [card.member?.greeting, state].filter(Boolean).join(" · ") || say("anonymous");
    const points = [say("available", { points: number(card.points.available) })];
    if (card.points.pending) points.push(say("pending", { points: number(card.points.pending) }));
    if (card.member?.birthday) points.push(say("birthday"));
    strip.querySelector("[data-points]").textContent = points.join(" · ");
    $("till-member").replaceChildren(strip);
  }

  function showTaken(typed) {
    const strip = $("till-member-template").content.cloneNode(true);
    const card = till.snapshot.card(typed);
    const state = { blocked: say("blocked"), replaced: say("replaced") }[card?.state];
    strip.querySelector("[data-name]").textContent = [typed, state].filter(Boolean).join(" · ");
    strip.querySelector("[data-points]").textContent = card ? say("offline_points", { points: number(card.left) }) : say("not_taken_along");
    $("till-member").replaceChildren(strip);
  }

  $("till-card-form").addEventListener("submit", (event) => {
    event.preventDefault();
    lookUp();
  });

  function takeCard(code) {
    $("till-card").value = code;
    return lookUp();
  }

  // --- Articles ----------------------------------------------------------------------

  let found = [];
  let marked = 0;
  let asked = 0;

  async function fetchArticles(query) {
    const response = await fetch(`${till.root.dataset.articles}?${new URLSearchParams({ q: query, store: till.store().value })}`).catch(() => null);
    return response?.ok ? response.json() : [];
  }

  async function search() {
    const query = $("till-article").value.trim();
    const turn = (asked += 1);
    if (query.length < 2) return showFound([]);
    const articles = await fetchArticles(query);
    if (turn === asked) showFound(articles, true);
  }

  function showFound(articles, open = false) {
    found = articles;
    marked = 0;
    const box = $("till-found");
    box.hidden = !open;
    $("till-article").setAttribute("aria-expanded", String(open));
    box.replaceChildren(...articles.map((article, index) => {
      const option = $("till-option").content.firstElementChild.cloneNode(true);
      option.setAttribute("aria-selected", String(index === 0));
      option.querySelector("[data-name]").textContent = article.name;
      option.querySelector("[data-price]").textContent = article.price === null ? say("no_price") : money(article.price);
      option.querySelector("[data-code]").textContent = [article.sku, article.brand].filter(Boolean).join(" · ");
      option.addEventListener("click", () => add(article));
      return option;
    }));
    if (open && !articles.length) {
      box.append(Object.assign(document.createElement("p"), { className: "menu-title", textContent: say("nothing_found") }));
    }
  }

  function add(article) {
    const same = lines.find((line) => line.sku === article.sku);
    if (same) same.quantity += 1;
    else lines.push({ ...article, price: article.price ?? 0, quantity: 1 });
    $("till-article").value = "";
    showFound([]);
    changed();
    $("till-article").focus();
  }

  // Another store charges its own prices, in another currency perhaps.
  async function reprice() {
    await Promise.all(lines.map(async (line) => {
      const same = (await fetchArticles(line.sku)).find((article) => article.sku === line.sku);
      line.price = same?.price ?? 0;
    }));
    changed();
  }

  // A code that names exactly one article goes straight into the basket; says whether it did.
  async function takeArticle(code) {
    const articles = await fetchArticles(code);
    if (articles.length !== 1) return false;
    add(articles[0]);
    return true;
  }

  let pause = 0;
  $("till-article").addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(search, 120);
  });
  $("till-article").addEventListener("keydown", async (event) => {
    if (event.key === "Escape") return showFound([]);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      marked = Math.max(0, Math.min(found.length - 1, marked + (event.key === "ArrowDown" ? 1 : -1)));
      [...$("till-found").children].forEach((option, index) => option.setAttribute("aria-selected", String(index === marked)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(pause);
      const typed = $("till-article").value.trim();
      if (/^\d{8,19}$/.test(typed)) {
        $("till-article").value = "";
        showFound([]);
        return till.scanned(typed);
      }
      if (!found.length) await search();
      if (found[marked]) add(found[marked]);
    }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".till-find")) showFound([]); });

  // --- The basket ------------------------------------------------------------------------

  function draw() {
    $("till-empty").hidden = lines.length > 0;
    $("till-lines").replaceChildren(...lines.map((line, index) => {
      const row = $("till-line").content.cloneNode(true);
      row.querySelector("[data-name]").textContent = line.name;
      row.querySelector("[data-sku]").textContent = [line.sku, till.offers.reasons(quoted(index))].filter(Boolean).join(" · ");
      row.querySelector("[data-price]").textContent = money(line.price);
      row.querySelector("[data-total]").textContent = money(quoted(index)?.net_amount ?? gross(line));
      const quantity = row.querySelector("[data-quantity]");
      quantity.value = line.quantity;
      quantity.setAttribute("aria-label", `${say("quantity")}: ${line.name}`);
      quantity.addEventListener("change", () => {
        line.quantity = Math.max(0.001, Math.round(Number(quantity.value) * 1000) / 1000 || 1);
        changed();
      });
      const remove = row.querySelector("[data-remove]");
      remove.setAttribute("aria-label", `${say("remove")}: ${line.name}`);
      remove.addEventListener("click", () => { lines.splice(index, 1); changed(); });
      return row;
    }));
    const due = quote ? quote.totals.payable_amount : total();
    $("till-total").textContent = money(due - till.codes.share(due).reduce((sum, one) => sum + one.amount, 0));
    drawQuote();
  }

  const quoted = (index) => quote?.lines.find((line) => line.line_number === index + 1);

  // --- The quote: asked again whenever something changes ------------------------------------

  let wait = 0;
  let turn = 0;

  function changed() {
    quote = null;
    turn += 1;
    clearTimeout(wait);
    if (lines.length && till.queue.offline()) quote = till.snapshot.quote(cardNumber(), total(), wantedPoints());
    draw();
    if (lines.length && !till.queue.offline()) wait = setTimeout(askQuote, 150);
  }

  const wantedPoints = () => Math.max(0, Math.trunc(Number($("till-points").value) || 0));

  async function askQuote() {
    const mine = turn;
    try {
      const answer = await till.server.ask("/quotes", {
        currency: till.currency(),
        at: new Date().toISOString(),
        ...(cardNumber() ? { card_number: cardNumber() } : {}),
        points_to_spend: wantedPoints(),
        voucher_codes: till.codes.vouchers(),
        lines: stated().map(({ total_amount, ...line }) => line),
      });
      if (mine !== turn) return;
      quote = answer;
      draw();
    } catch (error) {
      if (mine === turn && error.status) till.problem(error.message);
    }
  }

  function drawQuote() {
    $("till-quote").hidden = !quote;
    $("till-spend").hidden = !quote || (!quote.points.spendable_now && !$("till-points").value);
    if (!quote) return;
    const facts = [
      ["gross_amount", quote.totals.gross_amount, say("gross")],
      ["discount_amount", -quote.totals.discount_amount, say("discount")],
      ["points_amount", -quote.totals.points_amount, say("by_points")],
    ].filter(([name, amount]) => amount && (name !== "gross_amount" || quote.totals.payable_amount !== amount));
    const cards = till.codes.share(quote.totals.payable_amount).map((one) => pair(one.label, money(-one.amount)));
    $("till-facts").replaceChildren(...facts.map(([, amount, label]) => pair(label, money(amount))), ...cards);
    // Offline nobody knows yet: what is left out from earning is known to the server only.
    $("till-earns").textContent = quote.quote_id ? say("earns", { points: number(quote.points.to_earn) }) : "";
    $("till-spendable").textContent = say("spendable", { points: number(quote.points.spendable_now), value: money(quote.points.spendable_value) });
    $("till-points").max = quote.points.spendable_now;
    till.offers.draw(quote, cardNumber());
    $("till-messages").replaceChildren(...quote.messages.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  function pair(label, amount) {
    const row = document.createElement("div");
    row.append(Object.assign(document.createElement("dt"), { textContent: label }), Object.assign(document.createElement("dd"), { textContent: amount, className: "number" }));
    return row;
  }

  $("till-points").addEventListener("change", changed);
  $("till-all-points").addEventListener("click", () => {
    $("till-points").value = quote?.points.spendable_now ?? "";
    changed();
  });

  // --- Paying ------------------------------------------------------------------------------

  function stated() {
    return lines.map((line, index) => ({
      line_number: index + 1,
      sku: line.sku,
      name: line.name,
      quantity: String(line.quantity),
      unit: line.unit,
      unit_price: line.price,
      total_amount: gross(line),
      tax_rate: line.tax_rate,
    }));
  }

  // The number of the sale that is being paid: kept while nobody knows whether it was, so that nothing is taken twice.
  let paying = null;

  function toPay(spent) {
    const discount = lines.reduce((sum, _line, index) => sum + (quoted(index)?.discount_amount || 0), 0);
    return total() - discount - spent.value;
  }

  function receipt(tender, spent, cards) {
    const sold = stated().map((line, index) => {
      const told = quoted(index);
      return told?.discount_amount ? { ...line, discount_amount: told.discount_amount, total_amount: told.net_amount, discounts: told.discounts.map(({ reason, ...one }) => one) } : line;
    });
    const discount = sold.reduce((sum, line) => sum + (line.discount_amount || 0), 0);
    // As a means of payment points lower neither the bill nor its tax; as a discount both.
    const points = spent.asTender ? 0 : spent.value;
    const payable = total() - discount - points;
    const paid = [...(spent.asTender ? [{ type: "points", amount: spent.value }] : []), ...cards.tenders];
    const rest = payable - paid.reduce((sum, one) => sum + one.amount, 0);
    return {
      type: "sale",
      mode: $("till-training").checked ? "training" : "live",
      business_date: till.today(),
      receipt_number: paying,
      closed_at: new Date().toISOString(),
      currency: till.currency(),
      ...(cardNumber() ? { card_number: cardNumber(), card_entry_mode: "keyed" } : {}),
      ...(quote?.quote_id ? { quote_id: quote.quote_id } : {}),
      ...spent.stated,
      ...(till.codes.vouchers().length ? { voucher_codes: till.codes.vouchers() } : {}),
      lines: sold,
      tenders: rest || !paid.length ? [...paid, { type: tender, amount: rest }] : paid,
      totals: { gross_amount: total(), discount_amount: discount, points_amount: points, payable_amount: payable },
    };
  }

  // Holds the points that the quote allows, or offline takes them out of the card's signed allowance.
  async function spendPoints() {
    const none = { value: 0, asTender: false, stated: {}, giveBack: async () => null };
    const points = $("till-training").checked ? 0 : quote?.points.to_spend;
    if (!points) return none;
    if (till.queue.offline()) {
      till.snapshot.spend(cardNumber(), points);
      return { ...none, value: quote.totals.points_amount, asTender: quote.points_as === "tender", stated: { offline_redemptions: [{ points, allowance: quote.allowance }] } };
    }
    const asTender = await pointsAreTender();
    const held = await till.server.ask("/redemptions", { card_number: cardNumber(), points });
    return {
      value: held.value_amount,
      asTender,
      stated: { redemption_ids: [held.redemption_id] },
      giveBack: () => till.server.ask(`/redemptions/${held.redemption_id}/release`, {}).catch(() => null),
    };
  }

  // The rules of the day say so. Whoever cannot ask states points as a discount, which is understood as well.
  async function pointsAreTender() {
    const response = await fetch(`${till.root.dataset.programme}?${new URLSearchParams({ day: till.today() })}`).catch(() => null);
    return response?.ok ? (await response.json()).points_as === "tender" : false;
  }

  async function pay(tender) {
    if (!lines.length) throw new Error(say("no_lines"));
    const spent = await spendPoints();
    paying ??= till.newNumber();
    let cards = { tenders: [], giveBack: async () => null };
    let sent;
    let answer;
    let why;
    try {
      if (!$("till-training").checked) cards = await till.codes.spend(toPay(spent), paying);
      sent = receipt(tender, spent, cards);
      why = till.offers.called(quote);
      answer = await till.queue.book(sent);
    } catch (error) {
      // Nothing was paid, so the points that were held for it go back, and so does the money of gift cards.
      await Promise.all([spent.giveBack(), cards.giveBack()]);
      if (!error.unreachable) paying = null;
      throw error;
    }
    paying = null;
    till.paper.print(sent, answer, why);
    till.returns.remember(sent);
    if (answer) till.toast(say(answer.replayed ? "again" : "booked"), "good");
    lines.splice(0);
    $("till-card").value = "";
    $("till-points").value = "";
    $("till-member").replaceChildren();
    till.codes.clear();
    changed();
    $("till-card").focus();
  }

  till.root.querySelectorAll("[data-pay]").forEach((button) => {
    button.addEventListener("click", () => till.busy(() => pay(button.dataset.pay)));
  });
  till.onStore.push(() => till.busy(reprice));
  return { takeCard, takeArticle, changed };
}
