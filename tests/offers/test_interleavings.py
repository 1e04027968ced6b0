"""R1 for what offers give: sales, returns, voids and voids of returns in random order, against a count of what stands."""

import random
from dataclasses import dataclass
from typing import Any

from tests.offers.conftest import ALWAYS, amount, basket, items, offer
from tests.reliability.rotation import seed_of_run

STEPS, CODES = 45, 5
LINES = basket(("tea", 1, 5000))


@dataclass
class Sold:
    """A sale, whether something of it stands, and what undid it."""

    body: dict[str, Any]
    uses: int
    code: str | None
    gift: int
    stands: bool = True
    back: dict[str, Any] | None = None
    ended: bool = False


class TestWhatStands:
    def test_is_what_budgets_vouchers_and_stock_count(self, market, publish):
        seed = seed_of_run()
        dice, sold = random.Random(f"{seed}-stands"), []
        market.live(
            offer("LESS", items("TEA"), amount(500), limits={"uses": 6, "amount": 2600}),
            offer("MUG", ALWAYS, {"kind": "gift", "reward": "MUG", "quantity": 1}, limits={"uses": 4}),
            rewards=[{"code": "MUG", "stock": {"S1": 3}}],
            vouchers=[{"batch": "W", "value_amount": 300, "currency": "CZK",
                       "codes": [f"W-000{number}" for number in range(CODES)]}],
        )  # fmt: skip
        for step in range(STEPS):
            said = f"seed {seed}, step {step}: {self.move(market, dice, sold)}"
            standing = [one for one in sold if one.stands]
            taken = {one.code for one in standing if one.code}
            counted = "select coalesce(sum(uses), 0) from {} where offer_code = :code {}"
            for code, expected in (
                ("LESS", sum(one.uses for one in standing)),
                ("MUG", sum(one.gift for one in standing)),
            ):
                own = market.prefix + code
                assert market.number(counted.format("offer_use", ""), code=own) == expected, said
                assert (
                    market.number(counted.format("offer_counter", "and period = 'total'"), code=own)
                    == expected
                )
            left = market.number(
                "select on_hand from reward_stock where reward_code = :code", code=f"{market.prefix}MUG"
            )
            assert left == 3 - sum(one.gift for one in standing), said
            redeemed = market.number(
                "select coalesce(string_agg(voucher_code, ' ' order by voucher_code), '') from voucher"
                " where state = 'redeemed' and batch_code = :batch",
                batch=f"{market.prefix}W",
            )
            assert redeemed == " ".join(sorted(market.prefix + code for code in taken)), said
        publish(f"R1 offers: {STEPS} steps, seed {seed}")

    def move(self, market, dice: random.Random, sold: list[Sold]) -> str:
        """Do one thing of those that can be done, and say what."""
        standing = [one for one in sold if one.stands and not one.ended]
        taken = {one.code for one in sold if one.stands and one.code}
        undone = [
            one for one in sold if one.back and not one.stands and not one.ended and one.code not in taken
        ]
        # Pieces that others got meanwhile cannot be taken again.
        undone = [one for one in undone if not one.gift]
        chance = dice.random()
        if standing and chance < 0.25:
            one = dice.choice(standing)
            quoted = market.returns(one.body, {1: "1"})
            one.back, one.stands = market.return_of(one.body, quoted), False
            market.post(one.back)
            return "returned"
        if standing and chance < 0.4:
            one = dice.choice(standing)
            market.post(market.void_of(one.body))
            one.stands, one.ended = False, True
            return "voided"
        if undone and chance < 0.55:
            one = dice.choice(undone)
            market.post(market.void_of(one.back))
            one.stands, one.ended = True, True
            return "a return voided"
        free = [f"W-000{number}" for number in range(CODES) if f"W-000{number}" not in taken]
        code = dice.choice(free) if free and dice.random() < 0.5 else None
        codes = [code] if code else []
        quote = market.quote(LINES, at=..., voucher_codes=codes)
        body = market.sale(quote, LINES, voucher_codes=codes)
        answer = market.post(body)
        uses = sum(name == "LESS" for name, _ in quote.shares[0])
        gifts = sum(gift["quantity"] for gift in answer["gifts"])
        sold.append(Sold(body, uses, code, gifts))
        return "sold"
