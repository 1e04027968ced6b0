// What the till takes along when it goes offline: which cards there are, and how many points each may spend meanwhile.

export function open(till) {
  const { store } = till;
  const taken = new Map();

  // Asked for while the line still holds; without it the till can sell, but lets nobody spend.
  async function take() {
    const { payload, valid_until } = await till.server.ask("/snapshot");
    const cards = new Map(payload.cards.map((card) => [card.card_number, { ...card, left: card.spendable_now }]));
    taken.set(store().value, { cards, programme: payload.programme, until: Date.parse(valid_until) });
  }

  const current = () => {
    const found = taken.get(store().value);
    return found && found.until > Date.now() ? found : null;
  };
  const card = (number) => current()?.cards.get(number) ?? null;

  // The rules by which points pay for a part of a bill, as the snapshot states them; in the shape of a quote.
  function quote(number, bill, wanted) {
    const { programme } = current() ?? {};
    if (!programme) return null;
    const held = card(number);
    const inSteps = (points) => {
      const whole = Math.floor(points / programme.points_step) * programme.points_step;
      return whole >= programme.points_minimum ? whole : 0;
    };
    const share = Math.floor((Math.max(0, bill) * programme.points_share_percent) / 100);
    const most = held?.allowance ? inSteps(Math.min(held.left, Math.floor(share / programme.point_value))) : 0;
    const spent = inSteps(Math.min(wanted, most));
    const value = spent * programme.point_value;
    return {
      lines: [],
      totals: { gross_amount: bill, discount_amount: 0, points_amount: value, payable_amount: bill - value },
      points: { to_spend: spent, spendable_now: most, spendable_value: most * programme.point_value },
      messages: [],
      points_as: programme.points_as,
      allowance: held?.allowance,
    };
  }

  // Until the next snapshot the allowance is the same, so what was spent of it is remembered here.
  function spend(number, points) {
    const held = card(number);
    if (held) held.left -= points;
  }

  return { take, card, quote, spend };
}
