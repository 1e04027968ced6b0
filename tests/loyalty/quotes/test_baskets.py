"""A quote promises what a receipt then books."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.money import half_up
from loyalty.programme.rules import Excluded, Programme
from loyalty.quotes.baskets import quote_basket
from rewards.models import Reward
from sales.baskets import Basket, BasketLine
from sales.models import Article
from sales.receipts import PostedLine, Totals
from tests.reliability.rotation import seed_of_run
from tests.shop import CARD, OTHER_CARD, Shop

SEED = seed_of_run()


def basket(*prices: tuple[str, int], **changes) -> Basket:
    lines = tuple(
        BasketLine(number, Decimal(quantity), price, sku=f"sku{number}", tax_rate=Decimal(21))
        for number, (quantity, price) in enumerate(prices, 1)
    )
    return replace(Basket("CZK", lines, card_number=CARD), **changes)


def quoted(shop: Shop, wanted: Basket, *, till: str = "T1") -> dict:
    with shop.sessions.begin() as session:
        return quote_basket(session, till=shop.tills[till], basket=wanted, now=shop.now)


def enrol_with(shop: Shop, points: int, **changes) -> None:
    shop.enrol(CARD, **changes)
    shop.post(shop.sale(points * 100, business_date=shop.today - timedelta(days=60)))


def rows(shop: Shop, *tables: str) -> list[int]:
    with shop.sessions.begin() as session:
        return [session.scalar(text(f"select count(*) from {table}")) for table in tables]


class TestQuoteBasket:
    def test_says_what_lines_come_to_and_what_they_would_earn(self, shop: Shop):
        enrol_with(shop, 940)
        quote = quoted(shop, basket(("2", 5990), ("0.754", 3990)))
        assert [line["gross_amount"] for line in quote["lines"]] == [11980, 3008]
        assert quote["totals"] == {
            "gross_amount": 14988,
            "discount_amount": 0,
            "points_amount": 0,
            "payable_amount": 14988,
        }
        assert quote["points"] == {
            "to_earn": 149,
            "to_spend": 0,
            "available": 940,
            "pending": 0,
            "spendable_now": 940,
            "spendable_value": 9400,
        }
        assert quote["member"] == {"greeting": "Žofie N.", "tier": None, "birthday": False}
        assert quote["messages"] == []

    def test_holds_for_ten_minutes(self, shop: Shop):
        quote = quoted(shop, basket(("1", 100)))
        assert quote["valid_until"] == (shop.now + timedelta(minutes=10)).isoformat()

    def test_writes_nothing_but_itself(self, shop: Shop):
        enrol_with(shop, 100)
        tables = (
            "receipt",
            "ledger_entry",
            "ledger_leg",
            "lot",
            "redemption",
            "receipt_flag",
            "card",
            "account",
        )
        before = rows(shop, *tables)
        quoted(shop, basket(("1", 500), points_to_spend=10))
        assert rows(shop, *tables) == before
        assert rows(shop, "quote") == [1]

    def test_names_the_minimum_and_the_step_to_who_asks_for_fewer(self, shop: Shop):
        enrol_with(shop, 940)
        shop.approve(Programme(minimum=100, step=50), shop.today + timedelta(days=3))
        shop.later(days=3)
        few = quoted(shop, basket(("1", 500000), points_to_spend=99))
        assert few["points"]["to_spend"] == 0
        assert few["messages"][-1] == "Najednou lze uplatnit nejméně 100 bodů."
        between = quoted(shop, basket(("1", 500000), points_to_spend=149))
        assert between["points"]["to_spend"] == 100
        assert between["messages"][-1] == "Body lze uplatnit jen po 50."
        # Who cannot spend that much anyway is not told how much it would have to be.
        assert len(quoted(shop, basket(("1", 500), points_to_spend=99))["messages"]) == 1

    def test_counts_points_to_earn_after_points_to_spend(self, shop: Shop):
        enrol_with(shop, 940)
        quote = quoted(shop, basket(("1", 11980), points_to_spend=200))
        assert quote["totals"]["points_amount"] == 2000
        assert quote["totals"]["payable_amount"] == 9980
        assert (quote["points"]["to_earn"], quote["points"]["to_spend"]) == (99, 200)

    def test_cuts_points_to_what_there_is_and_says_so(self, shop: Shop):
        enrol_with(shop, 30, language="en")
        quote = quoted(shop, basket(("1", 11980), points_to_spend=2_000_000_000))
        assert quote["points"]["to_spend"] == 30
        assert quote["messages"] == ["Only 30 points can be spent on this purchase."]

    def test_cuts_points_to_the_bill(self, shop: Shop):
        enrol_with(shop, 500, language="pl")
        quote = quoted(shop, basket(("1", 1995), points_to_spend=500))
        assert (quote["points"]["to_spend"], quote["points"]["spendable_now"]) == (199, 199)
        assert quote["totals"]["payable_amount"] == 5
        assert quote["messages"] == ["W tym zakupie można wykorzystać tylko 199 punktów."]

    def test_knows_baskets_without_a_card(self, shop: Shop):
        quote = quoted(shop, basket(("1", 11980), card_number=None, points_to_spend=5))
        assert quote["member"] is None
        assert set(quote["points"].values()) == {0}
        assert quote["totals"]["payable_amount"] == 11980
        assert quote["messages"] == ["Na tento nákup nelze uplatnit žádné body."]

    @pytest.mark.parametrize("number", ["2990000000033", "2990000000018", "x"])
    def test_of_a_card_never_seen_earns_nothing_and_says_so(self, shop: Shop, number: str):
        quote = quoted(shop, basket(("1", 11980), card_number=number))
        assert (quote["member"], quote["points"]["to_earn"]) == (None, 0)
        assert quote["messages"] == ["Kartu neznáme, nákup proto nezíská žádné body."]

    def test_of_a_card_without_member_earns_but_spends_nothing(self, shop: Shop):
        shop.post(shop.sale(50000, business_date=shop.today - timedelta(days=60)))
        quote = quoted(shop, basket(("1", 10000), points_to_spend=10))
        assert (quote["member"], quote["points"]["to_earn"]) == (None, 100)
        assert (quote["points"]["available"], quote["points"]["spendable_now"]) == (500, 0)
        assert quote["messages"] == ["Body půjde uplatnit, až bude karta zaregistrovaná."]

    def test_of_a_blocked_card_earns_and_spends_nothing(self, shop: Shop):
        enrol_with(shop, 100, language="en")
        with shop.sessions.begin() as session:
            session.execute(
                text("update card set state = 'blocked', blocked_reason = 'lost', blocked_at = :now"),
                {"now": shop.now - timedelta(hours=1)},
            )
        quote = quoted(shop, basket(("1", 10000), points_to_spend=10))
        assert (quote["points"]["to_earn"], quote["points"]["to_spend"]) == (0, 0)
        assert quote["messages"][0] == "This card is blocked, so the purchase earns no points."

    def test_of_a_replaced_card_earns_for_its_successor_but_spends_nothing(self, shop: Shop):
        enrol_with(shop, 100, language="en")
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "update card set state = 'active', account_id = old.account_id, member_id = old.member_id "
                    "from card as old where card.card_number = :new and old.card_number = :old"
                ),
                {"new": OTHER_CARD, "old": CARD},
            )
            session.execute(
                text("update card set state = 'replaced', replaced_by = :new where card_number = :old"),
                {"new": OTHER_CARD, "old": CARD},
            )
        quote = quoted(shop, basket(("1", 10000), points_to_spend=10))
        assert quote["member"]["greeting"] == "Žofie N."
        assert (quote["points"]["to_earn"], quote["points"]["to_spend"]) == (100, 0)
        assert quote["messages"] == ["Points can be spent with the new card only."]

    def test_of_a_card_from_stock_earns_as_its_first_sale_will(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into card (card_number, state, created_at) values ('2990000000033', 'stock', :now)"
                ),
                {"now": shop.now},
            )
        wanted = basket(("1", 10000), card_number="2990000000033")
        assert quoted(shop, wanted)["points"]["to_earn"] == 100
        assert shop.points(shop.sale(10000, card_number="2990000000033"))["earned"] == 100

    def test_in_another_currency_has_no_points(self, shop: Shop):
        enrol_with(shop, 100, language="en")
        quote = quoted(shop, basket(("1", 10000), currency="EUR", points_to_spend=10))
        assert (quote["points"]["to_earn"], quote["totals"]["points_amount"]) == (0, 0)
        assert quote["messages"] == ["Points are earned and spent in CZK only."]

    def test_takes_deposits_off_and_never_spends_below_nothing(self, shop: Shop):
        enrol_with(shop, 100)
        quote = quoted(shop, basket(("1", 1990), ("3", -300)))
        assert quote["totals"]["payable_amount"] == 1090
        assert quote["points"]["to_earn"] == 10
        empties = quoted(shop, basket(("10", -300), points_to_spend=5))
        assert empties["totals"]["payable_amount"] == -3000
        assert (empties["points"]["to_earn"], empties["points"]["spendable_now"]) == (0, 0)

    def test_greets_on_the_birthday(self, shop: Shop):
        shop.enrol(CARD, birth_date=shop.today.replace(year=1990))
        assert quoted(shop, basket(("1", 100)))["member"]["birthday"] is True

    def test_tells_which_vouchers_nobody_issued(self, shop: Shop):
        shop.enrol(CARD, language="sk")
        quote = quoted(shop, basket(("1", 100), voucher_codes=("7Q4M",)))
        assert quote["messages"] == ["Poukážku 7Q4M nepoznáme."]

    def test_tells_what_is_missing_for_the_next_reward(self, shop: Shop):
        enrol_with(shop, 100)
        with shop.sessions.begin() as session:
            session.add_all(
                Reward(reward_code=name, name={"cs": name.lower()}, points=points)
                for name, points in (("HRNEK", 150), ("TAŠKA", 110), ("DEKA", 5000))
            )
        assert quoted(shop, basket(("1", 1000)))["messages"] == ["K odměně hrnek chybí 40 bodů"]
        assert quoted(shop, basket(("1", 4900)))["messages"] == ["K odměně hrnek chybí 1 bod"]
        assert quoted(shop, basket(("1", 5000)))["messages"] == ["K odměně deka chybí 4\xa0850 bodů"]
        assert quoted(shop, basket(("1", 5000), card_number=None))["messages"] == []

    def test_earns_whole_units_of_a_currency_without_small_ones(self, shop: Shop):
        yen = replace(shop.till, currency="JPY")
        with shop.sessions.begin() as session:
            quote = quote_basket(session, till=yen, basket=basket(("1", 1980), currency="JPY"), now=shop.now)
        assert quote["points"]["to_earn"] == 1980


class TestProgramme:
    def test_leaves_out_what_earns_nothing_exactly_as_the_receipt(self, shop: Shop):
        rules = Programme(
            excluded=Excluded(articles=frozenset({"sku2"})),
            net_of_tax=True,
            step=10,
            minimum=20,
            share_percent=50,
        )
        with shop.sessions.begin() as session:
            session.add(Article(sku="sku2", name="Tabák", unit="pcs", tax_rate=21))
        start = shop.today + timedelta(days=3)
        shop.approve(rules, start)
        enrol_with(shop, 300, language="en")
        shop.later(days=4)
        wanted = basket(("1", 12100), ("1", 5000), points_to_spend=57)
        quote = quoted(shop, wanted)
        assert quote["points"]["to_spend"] == 50
        assert quote["messages"] == [
            "Only 50 points can be spent on this purchase.",
            "Points are spent in steps of 10.",
        ]
        redemption = shop.reserve(50)
        answer = shop.post(_as_paid(shop, wanted, quote, (str(redemption.redemption_id),)))
        assert answer["points"]["earned"] == quote["points"]["to_earn"] > 0
        assert answer["differences"] == []
        assert quoted(shop, basket(("1", 400), points_to_spend=300))["points"]["spendable_now"] == 20


class TestPromise:
    def test_is_kept_to_the_point_by_the_receipt_that_follows(self, shared_shop: Shop, publish):
        """Random baskets: quote, reserve what it says, pay what it says; then nothing differs."""
        shop, chance = shared_shop, random.Random(SEED)
        publish(f"quotes and receipts: REGULARS_SEED={SEED}")
        enrol_with(shop, 3000)
        for _ in range(40):
            wanted = _random_basket(chance)
            quote = quoted(shop, wanted)
            points, totals = quote["points"], quote["totals"]
            redemptions = ()
            if points["to_spend"]:
                redemption = shop.reserve(points["to_spend"])
                assert redemption.value_amount == totals["points_amount"]
                redemptions = (str(redemption.redemption_id),)
            answer = shop.post(_as_paid(shop, wanted, quote, redemptions))
            assert answer["differences"] == []
            assert {flag["code"] for flag in answer["flags"]} <= {"unknown_article", "suspicious"}
            assert answer["points"]["earned"] == points["to_earn"]
            assert answer["points"]["spent"] == points["to_spend"]
            assert answer["points"]["available"] == points["available"] - points["to_spend"]
            assert answer["points"]["pending"] == points["pending"] + points["to_earn"]
            shop.later(hours=chance.choice([1, 30, 24 * 20]))


def _random_basket(chance: random.Random) -> Basket:
    lines = [
        (
            chance.choice(["1", "2", "12", "0.754", "0.005", "3.333", "1.500"]),
            chance.choice([chance.randrange(1, 20_000), chance.randrange(1, 99), -300, 0]),
        )
        for _ in range(chance.randrange(1, 10))
    ]
    return basket(*lines, points_to_spend=chance.choice([0, 0, 1, 50, chance.randrange(3000), 2_000_000]))


def _as_paid(shop: Shop, wanted: Basket, quote: dict, redemptions: tuple[str, ...]):
    lines = tuple(
        PostedLine(
            line.line_number,
            line.quantity,
            line.unit_price,
            half_up(line.quantity * line.unit_price),
            line.tax_rate,
            sku=line.sku,
        )
        for line in wanted.lines
    )
    totals = quote["totals"]
    return shop.sale(
        lines=lines,
        quote_id=quote["quote_id"],
        redemption_ids=redemptions,
        totals=Totals(
            payable_amount=totals["payable_amount"],
            gross_amount=totals["gross_amount"],
            points_amount=totals["points_amount"],
        ),
    )


class TestReceiptWithQuote:
    def paid(self, shop: Shop, quote: dict, *totals: int, **changes) -> dict:
        return shop.post(shop.sale(*totals, quote_id=quote["quote_id"], **changes))

    def codes(self, answer: dict) -> set[str]:
        return {flag["code"] for flag in answer["flags"]} - {"unknown_article"}

    def test_that_is_what_was_quoted_shows_no_difference(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000), ("1", 700)))
        answer = self.paid(shop, quote, 5000, 700)
        assert (answer["differences"], self.codes(answer)) == ([], set())

    def test_shows_what_was_paid_differently_and_is_booked_as_paid(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000), ("1", 700)))
        answer = self.paid(shop, quote, 4000)
        assert answer["points"]["earned"] == 40
        assert answer["differences"] == [
            {"field": "payable_amount", "line_number": None, "quoted": 5700, "paid": 4000},
            {"field": "points_earned", "line_number": None, "quoted": 57, "paid": 40},
            {"field": "unit_price", "line_number": 1, "quoted": 5000, "paid": 4000},
            {"field": "total_amount", "line_number": 1, "quoted": 5000, "paid": 4000},
            {"field": "total_amount", "line_number": 2, "quoted": 700, "paid": None},
        ]

    def test_may_round_the_bill_for_cash(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5049)))
        totals = Totals(payable_amount=5000, rounding_amount=-49)
        assert self.paid(shop, quote, 5049, totals=totals)["differences"] == []

    def test_may_come_long_after_it_was_closed(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000)))
        sale = shop.sale(5000, quote_id=quote["quote_id"])
        shop.later(hours=3)
        assert self.codes(shop.post(sale)) == set()

    def test_closed_after_ten_minutes_is_flagged_and_compared_all_the_same(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000)))
        shop.later(minutes=10)
        assert self.codes(self.paid(shop, quote, 5000)) == set()
        shop.later(seconds=1)
        answer = self.paid(shop, quote, 4000)
        assert self.codes(answer) == {"quote_expired"}
        assert answer["differences"]

    @pytest.mark.parametrize("quote_id", ["0190a000-0000-7000-8000-000000000000", "mine", "4111111111111111"])
    def test_that_names_a_quote_nobody_gave_is_flagged(self, shop: Shop, quote_id: str):
        answer = shop.post(shop.sale(5000, quote_id=quote_id))
        assert (self.codes(answer) - {"masked"}, answer["differences"]) == ({"quote_expired"}, [])
        assert answer["points"]["earned"] == 50
        assert quote_id not in str(answer)

    def test_does_not_know_quotes_of_another_store(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000)), till="T3")
        assert self.codes(self.paid(shop, quote, 5000)) == {"quote_expired"}

    def test_of_another_card_shows_that(self, shop: Shop):
        quote = quoted(shop, basket(("1", 5000)))
        answer = self.paid(shop, quote, 5000, card_number=OTHER_CARD)
        assert answer["differences"] == [
            {"field": "card_number", "line_number": None, "quoted": CARD, "paid": OTHER_CARD}
        ]
