// A till: what all of its parts share, and the parts put together. Each part is a file of its own under till/.

const root = document.querySelector("#till");
if (root) start();

async function start() {
  // Addresses come from the page: they change with the files, which browsers keep for a year.
  const names = Object.entries(JSON.parse(root.dataset.modules));
  const loaded = await Promise.all(names.map(([, address]) => import(address)));
  const parts = Object.fromEntries(names.map(([name], index) => [name, loaded[index]]));
  const words = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const $ = (id) => document.getElementById(id);
  const store = () => $("till-store").selectedOptions[0];

  const till = {
    root,
    $,
    language,
    store,
    say: (name, values = {}) => words[name].replace(/%\((\w+)\)s/g, (_, key) => values[key]),
    currency: () => store().dataset.currency,
    digits: () => new Intl.NumberFormat("en", { style: "currency", currency: till.currency() }).resolvedOptions().maximumFractionDigits,
    money: (minor) => new Intl.NumberFormat(language, { style: "currency", currency: till.currency() }).format(minor / 10 ** till.digits()),
    number: (value) => new Intl.NumberFormat(language).format(value),
    toast: (text, kind = "") => document.body.dispatchEvent(new CustomEvent("say", { detail: { words: text, kind } })),
    today: () => new Intl.DateTimeFormat("en-CA", { timeZone: store().dataset.timezone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date()),
    newNumber: () => `S${Date.now()}`,
    problem,
    busy,
    onStore: [],
  };

  function problem(text) {
    const place = $("till-problem");
    place.replaceChildren();
    if (!text) return;
    place.append($("till-problem-template").content.cloneNode(true));
    const paragraphs = place.querySelectorAll("p");
    paragraphs[0].textContent = text.split("\n")[0];
    paragraphs[1].textContent = text.split("\n").slice(1).join(" · ");
  }

  // While something is being booked nothing else can be; whatever happens, the buttons come back.
  async function busy(work) {
    problem("");
    const buttons = root.querySelectorAll("[data-books]");
    buttons.forEach((one) => { one.disabled = true; });
    document.documentElement.classList.add("waiting");
    try {
      await work();
    } catch (error) {
      problem(error.message);
    } finally {
      buttons.forEach((one) => { one.disabled = false; });
      document.documentElement.classList.remove("waiting");
    }
  }

  till.server = parts.server.open(till);
  till.paper = parts.paper.open(till);
  till.snapshot = parts.snapshot.open(till);
  till.queue = parts.queue.open(till);
  till.codes = parts.codes.open(till);
  till.offers = parts.offers.open(till);
  till.basket = parts.basket.open(till);
  till.returns = parts.returns.open(till);
  till.BarcodeReader = parts.barcode.Reader;
  parts.scanner.open(till);

  $("till-store").addEventListener("change", () => till.onStore.forEach((tell) => tell()));
  root.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => {
    problem("");
    root.querySelectorAll("[data-mode]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    $("till-sale").hidden = button.dataset.mode !== "sale";
    $("till-return").hidden = button.dataset.mode !== "return";
  }));
  till.onStore.forEach((tell) => tell());
  $("till-parts").disabled = false;
  root.dataset.ready = "yes";
}
