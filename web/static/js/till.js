// A till: it keeps a basket, asks for the card, posts the receipt and prints what the server answers.

import { toast } from "./app.js";

const root = document.querySelector("#till");
if (root) start();

function start() {
  const $ = (id) => document.getElementById(id);
  const words = JSON.parse(root.dataset.words);
  const say = (name, values = {}) => words[name].replace(/%\((\w+)\)s/g, (_, key) => values[key]);
  const language = document.documentElement.lang;
  const lines = [];
  let card = null;

  const store = () => $("till-store").selectedOptions[0];
  const currency = () => store().dataset.currency;
  const digits = () => new Intl.NumberFormat("en", { style: "currency", currency: currency() }).resolvedOptions().maximumFractionDigits;
  const money = (minor) => new Intl.NumberFormat(language, { style: "currency", currency: currency() }).format(minor / 10 ** digits());
  const number = (value) => new Intl.NumberFormat(language).format(value);
  const keyName = () => `till-key ${store().value}`;
  const lineTotal = (line) => Math.round(line.price * line.quantity + Number.EPSILON);
  const total = () => lines.reduce((sum, line) => sum + lineTotal(line), 0);

  // --- The key, in this tab only -------------------------------------------------

  function showKey() {
    $("till-key").value = sessionStorage.getItem(keyName()) || "";
    const has = Boolean($("till-key").value);
    $("till-state").textContent = has ? store().dataset.name : say("no_key");
    $("till-setting").open = !has;
  }

  $("till-store").addEventListener("change", () => { showKey(); drawLines(); });
  $("till-key").addEventListener("change", () => {
    sessionStorage.setItem(keyName(), $("till-key").value.trim());
    showKey();
  });
  $("till-make-key")?.addEventListener("click", async () => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const response = await fetch(root.dataset.keyAddress, { method: "POST", headers, body: new URLSearchParams({ store: store().value }) });
    if (!response.ok) return problem(document.body.dataset.failed);
    sessionStorage.setItem(keyName(), (await response.json()).key);
    showKey();
    toast(say("key_made"), "good");
    $("till-card").focus();
  });

  async function ask(path, options = {}) {
    const key = sessionStorage.getItem(keyName());
    if (!key) {
      $("till-setting").open = true;
      $("till-key").focus();
      throw new Error(say("no_key"));
    }
    let response;
    try {
      response = await fetch(`/pos/v1${path}`, { ...options, credentials: "omit", headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" } });
    } catch {
      throw new Error(say("unreachable"));
    }
    const body = await response.json().catch(() => ({}));
    if (!response.ok) {
      const places = (body.errors || []).map((one) => `${one.pointer}: ${one.detail}`).join("\n");
      throw Object.assign(new Error([body.title, body.detail, places].filter(Boolean).join("\n")), { status: response.status });
    }
    return body;
  }

  function problem(text) {
    const place = $("till-problem");
    place.replaceChildren();
    if (!text) return;
    place.append($("till-problem-template").content.cloneNode(true));
    const paragraphs = place.querySelectorAll("p");
    paragraphs[0].textContent = text.split("\n")[0];
    paragraphs[1].textContent = text.split("\n").slice(1).join(" · ");
  }

  // --- The card ---------------------------------------------------------------------

  $("till-card-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    problem("");
    const typed = $("till-card").value.replace(/\s/g, "");
    $("till-member").replaceChildren();
    card = null;
    if (!typed) return;
    try {
      card = await ask(`/cards/${encodeURIComponent(typed)}`);
      showCard();
      $("till-article").focus();
    } catch (error) {
      problem(error.status === 404 ? say("unknown_card") : error.message);
    }
  });
  $("till-card").addEventListener("input", () => { card = null; });

  function showCard() {
    const strip = $("till-member-template").content.cloneNode(true);
    const state = { blocked: say("blocked"), replaced: say("replaced") }[card.state];
    strip.querySelector("[data-name]").textContent = state || card.member?.greeting || say("anonymous");
    const points = [say("available", { points: number(card.points.available) })];
    if (card.points.pending) points.push(say("pending", { points: number(card.points.pending) }));
    strip.querySelector("[data-points]").textContent = points.join(" · ");
    $("till-member").replaceChildren(strip);
  }

  // --- Articles ----------------------------------------------------------------------

  let found = [];
  let marked = 0;
  let asked = 0;

  async function search() {
    const query = $("till-article").value.trim();
    const turn = (asked += 1);
    if (query.length < 2) return showFound([]);
    const response = await fetch(`${root.dataset.articles}?${new URLSearchParams({ q: query })}`);
    if (response.ok && turn === asked) showFound(await response.json(), true);
  }

  function showFound(articles, open = false) {
    found = articles;
    marked = 0;
    const box = $("till-found");
    box.hidden = !open;
    $("till-article").setAttribute("aria-expanded", String(open));
    box.replaceChildren(...articles.map((article, index) => {
      const option = document.createElement("button");
      option.type = "button";
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === 0));
      const name = document.createElement("span");
      name.textContent = article.name;
      const price = document.createElement("span");
      price.className = "number";
      price.textContent = article.price === null ? say("no_price") : money(article.price);
      const code = document.createElement("small");
      code.textContent = [article.sku, article.brand].filter(Boolean).join(" · ");
      option.append(name, price, code);
      option.addEventListener("click", () => add(article));
      return option;
    }));
    if (open && !articles.length) {
      const nothing = document.createElement("p");
      nothing.className = "menu-title";
      nothing.textContent = say("nothing_found");
      box.append(nothing);
    }
  }

  function add(article) {
    const same = lines.find((line) => line.sku === article.sku);
    if (same) same.quantity += 1;
    else lines.push({ ...article, price: article.price ?? 0, quantity: 1 });
    $("till-article").value = "";
    showFound([]);
    drawLines();
    $("till-article").focus();
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
      if (!found.length) await search();
      if (found[marked]) add(found[marked]);
    }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".till-find")) showFound([]); });

  // --- The basket ------------------------------------------------------------------------

  function drawLines() {
    $("till-empty").hidden = lines.length > 0;
    $("till-lines").replaceChildren(...lines.map((line, index) => {
      const row = $("till-line").content.cloneNode(true);
      row.querySelector("[data-name]").textContent = line.name;
      row.querySelector("[data-sku]").textContent = line.sku;
      row.querySelector("[data-price]").textContent = money(line.price);
      row.querySelector("[data-total]").textContent = money(lineTotal(line));
      const quantity = row.querySelector("[data-quantity]");
      quantity.value = line.quantity;
      quantity.setAttribute("aria-label", `${say("quantity")}: ${line.name}`);
      quantity.addEventListener("change", () => {
        line.quantity = Math.max(0.001, Math.round(Number(quantity.value) * 1000) / 1000 || 1);
        drawLines();
      });
      const remove = row.querySelector("[data-remove]");
      remove.setAttribute("aria-label", `${say("remove")}: ${line.name}`);
      remove.addEventListener("click", () => { lines.splice(index, 1); drawLines(); });
      return row;
    }));
    $("till-total").textContent = money(total());
  }

  // --- Paying ------------------------------------------------------------------------------

  const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: store().dataset.timezone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());

  function receipt(tender) {
    const typed = $("till-card").value.replace(/\s/g, "");
    const sum = total();
    return {
      type: "sale",
      mode: $("till-training").checked ? "training" : "live",
      business_date: today(),
      receipt_number: `S${Date.now()}`,
      closed_at: new Date().toISOString(),
      currency: currency(),
      ...(typed ? { card_number: typed, card_entry_mode: "keyed" } : {}),
      lines: lines.map((line, index) => ({
        line_number: index + 1,
        sku: line.sku,
        name: line.name,
        quantity: String(line.quantity),
        unit: line.unit,
        unit_price: line.price,
        total_amount: lineTotal(line),
        tax_rate: line.tax_rate,
      })),
      tenders: [{ type: tender, amount: sum }],
      totals: { gross_amount: sum, payable_amount: sum },
    };
  }

  root.querySelectorAll("[data-pay]").forEach((button) => button.addEventListener("click", async () => {
    problem("");
    if (!lines.length) return problem(say("no_lines"));
    const sent = receipt(button.dataset.pay);
    root.querySelectorAll("[data-pay]").forEach((one) => { one.disabled = true; });
    document.documentElement.classList.add("waiting");
    try {
      const answer = await ask("/receipts", { method: "POST", body: JSON.stringify(sent) });
      print(sent, answer);
      toast(say(answer.replayed ? "again" : "booked"), "good");
      lines.splice(0);
      drawLines();
      $("till-card").value = "";
      $("till-member").replaceChildren();
      $("till-card").focus();
    } catch (error) {
      problem(error.message);
    } finally {
      root.querySelectorAll("[data-pay]").forEach((one) => { one.disabled = false; });
      document.documentElement.classList.remove("waiting");
    }
  }));

  function print(sent, answer) {
    const paper = $("till-paper");
    const piece = (kind, ...texts) => {
      const element = document.createElement("div");
      element.className = kind;
      element.append(...texts.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
      return element;
    };
    const rule = () => Object.assign(document.createElement("hr"), { className: "rule-line" });
    paper.replaceChildren(
      piece("center total", store().dataset.name),
      piece("center quiet", `${new Date(sent.closed_at).toLocaleString(language, { timeZone: store().dataset.timezone })}`),
      piece("center quiet", `${say("receipt")} ${sent.receipt_number}`),
      ...(sent.mode === "training" ? [piece("center total", say("training"))] : []),
      rule(),
      ...sent.lines.flatMap((line) => [
        piece("pair", line.name, money(line.total_amount)),
        ...(line.quantity === "1" ? [] : [piece("quiet", `${line.quantity} × ${money(line.unit_price)}`)]),
      ]),
      rule(),
      piece("pair total", say("total"), money(sent.totals.payable_amount)),
      piece("pair quiet", say(sent.tenders[0].type), money(sent.tenders[0].amount)),
      rule(),
      ...(answer.print || []).map((line) => piece("", line)),
      ...(answer.flags.length ? [rule(), ...answer.flags.map((flag) => piece("quiet", `${flag.code}: ${flag.detail}`))] : []),
    );
    paper.dataset.earned = answer.points.earned;
  }

  showKey();
  drawLines();
}
