// The printed receipt.

export function open(till) {
  const { $, say, money } = till;
  const paper = $("till-paper");

  function piece(kind, ...texts) {
    const element = document.createElement("div");
    element.className = kind;
    element.append(...texts.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
    return element;
  }
  const rule = () => Object.assign(document.createElement("hr"), { className: "rule-line" });

  // `sent` is the receipt as it went out, `answer` what came back: null while it waits to be sent; `why` names offers by their codes.
  function print(sent, answer, why = new Map()) {
    const back = sent.type === "return";
    const totals = sent.totals || {};
    paper.replaceChildren(
      piece("center total", till.store().dataset.name),
      piece("center quiet", new Date(sent.closed_at).toLocaleString(till.language, { timeZone: till.store().dataset.timezone })),
      piece("center quiet", `${say("receipt")} ${sent.receipt_number}`),
      ...(sent.type === "sale" ? [] : [piece("center total", say(sent.type))]),
      ...(sent.original ? [piece("center quiet", `${say("original")} ${sent.original.receipt_number}`)] : []),
      ...(sent.mode === "training" ? [piece("center total", say("training"))] : []),
      rule(),
      ...(sent.lines || []).flatMap((line) => [
        // What is taken off stands below, so that the column adds up to the total.
        piece("pair", line.name || line.sku, money(back ? -line.total_amount : line.total_amount + (line.discounts ? line.discount_amount || 0 : 0))),
        ...(line.quantity === "1" ? [] : [piece("quiet", `${line.quantity} × ${money(line.unit_price)}`)]),
        ...(back ? [] : line.discounts || []).map((one) => piece("pair quiet", why.get(one.offer_code) || one.offer_code, money(-one.amount))),
      ]),
      ...(sent.lines ? [rule()] : []),
      ...(totals.points_amount ? [piece("pair", say("by_points"), money(back ? totals.points_amount : -totals.points_amount))] : []),
      ...(sent.lines ? [piece("pair total", say(back ? "handed_back" : "total"), money(totals.payable_amount))] : []),
      ...(sent.tenders || []).map((tender) => piece("pair quiet", say(tender.type), money(tender.amount))),
      rule(),
      ...(answer ? answer.print.map((line) => piece("", line)) : [piece("", say("unsent"))]),
      ...(answer?.differences.length ? [rule(), ...answer.differences.map((one) => piece("quiet", say("difference", { field: one.field, quoted: one.quoted ?? "–", paid: one.paid ?? "–" })))] : []),
      ...(answer?.flags.length ? [rule(), ...answer.flags.map((flag) => piece("quiet", `${flag.code}: ${flag.detail}`))] : []),
    );
    paper.dataset.earned = answer ? answer.points.earned : "";
    $("till-print").hidden = false;
  }

  return { print };
}
