"""Bugs that other loyalty systems have shipped, by name: none of them may ever be ours."""

import pytest
from sqlalchemy import text

from tests.pos_api.conftest import code_of
from tests.reliability.crowds import card_of, gather

CARDS = 40_000


@pytest.fixture(scope="module")
def crowd(make_database):
    yield from gather(make_database())


def line(number: int, total: int, **changes):
    return {"line_number": number, "sku": f"A{number}", "quantity": "1", "unit_price": total, "total_amount": total,
            "tax_rate": "21", **changes}  # fmt: skip


@pytest.fixture
def shop(crowd):
    """Sell to one member: (number, totals, changes) -> body."""

    def sell(number: str, *totals: int, **changes):
        lines = [line(place, total) for place, total in enumerate(totals, 1)]
        body = {"lines": lines, "totals": {"payable_amount": sum(totals)}, "tenders": ..., "quote_id": ...}
        return crowd.chain.till.sale(receipt_number=number, **(body | changes))

    return sell


def undo(kind: str, sale, number: str, **changes):
    original = {"store_code": "S1", "till_code": "T1"}
    original |= {name: sale[name] for name in ("business_date", "receipt_number")}
    names = ("business_date", "closed_at", "currency")
    return {name: sale[name] for name in names} | {
        "type": kind,
        "receipt_number": number,
        "original": original,
        **changes,
    }


def back(sale, number: str, total: int):
    lines = [line(1, total, original_line_number=1)]
    return undo("return", sale, number, lines=lines, totals={"payable_amount": total})


def booked(crowd, body):
    answer = crowd.chain.till.post("/receipts", body)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()["points"]


def redeemed(crowd, card: str, points: int):
    answer = crowd.chain.till.post("/redemptions", {"card_number": card, "points": points})
    assert answer.status_code == 201
    return answer.get_json()["redemption_id"]


class TestPoints:
    def test_are_not_kept_after_a_refund(self, crowd, shop):
        card = crowd.member(1, 0)
        sale = shop("kept", 10_000, card_number=card)
        assert booked(crowd, sale)["earned"] == 100
        assert booked(crowd, back(sale, "kept-back", 10_000))["reversed"] == 100
        assert crowd.points(card) == (0, 0)

    def test_are_not_doubled_by_a_retried_sync(self, crowd, shop):
        """The till's night sends the day again, in another order, in batches and one by one."""
        card = crowd.member(2, 0)
        day = [shop(f"sync{number}", 1_000, card_number=card) for number in range(5)]
        for receipts in (day, day[::-1], day[2:]):
            answer = crowd.chain.till.post("/receipts/batch", {"receipts": receipts})
            assert {result["status"] for result in answer.get_json()["results"]} <= {200, 201}
        shown = crowd.chain.till.get(f"/cards/{card}").get_json()["points"]
        assert shown["balance"] == 50

    @pytest.mark.parametrize("kind", ["return", "void", "training", "suspended"])
    def test_cannot_be_redeemed_through_another_document(self, crowd, shop, kind):
        """Only a live sale spends a reservation; anything else that names it leaves it reserved."""
        number = {"return": 3, "void": 4, "training": 5, "suspended": 6}[kind]
        card = crowd.member(number, 100)
        held = redeemed(crowd, card, 100)
        sale = shop(f"document{kind}", 10_000)
        if kind in {"return", "void"}:
            booked(crowd, sale)
            body = back(sale, f"other{kind}", 10_000) | {"type": kind, "redemption_ids": [held]}
        else:
            body = sale | {"mode": kind, "redemption_ids": [held]}
        assert booked(crowd, body)["spent"] == 0
        assert crowd.points(card) == (0, 100)
        assert crowd.chain.till.get(f"/redemptions/{held}").get_json()["state"] == "reserved"


class TestAReward:
    def test_is_not_charged_again_on_a_return(self, crowd, shop):
        """What was spent on the sale comes back with the goods, and the reward costs nothing a second time."""
        card = crowd.member(7, 200)
        held = redeemed(crowd, card, 200)
        totals = {"payable_amount": 8_000, "points_amount": 2_000}
        sale = shop("charged", 10_000, redemption_ids=[held], totals=totals)
        assert booked(crowd, sale)["spent"] == 200
        told = booked(crowd, back(sale, "charged-back", 10_000))
        assert (told["spent"], told["returned"]) == (0, 200)
        assert crowd.points(card) == (200, 0)

    def test_cannot_be_claimed_beyond_its_limit(self, crowd):
        """Neither by asking again, nor by letting reservations go, nor by handing over what was handed over."""
        card = crowd.member(8, 1_000)
        crowd.execute("insert into reward values ('LIMIT', '{\"en\": \"Mug\"}', 10)")
        crowd.execute(
            "insert into reward_stock select 'LIMIT', store_id, 2 from store where store_code = 'S1'"
        )
        wish = {"card_number": card, "reward_code": "LIMIT"}
        first, second = (crowd.chain.till.post("/redemptions", wish).get_json() for _ in range(2))
        assert code_of(crowd.chain.till.post("/redemptions", wish)) == "out_of_stock"
        for _ in range(3):
            released = crowd.chain.till.post(f"/redemptions/{first['redemption_id']}/release", {})
            handed = crowd.chain.till.post(f"/redemptions/{second['redemption_id']}/post", {})
            assert (released.status_code, handed.status_code) == (200, 200)
        assert crowd.chain.till.post("/redemptions", wish).status_code == 201
        assert code_of(crowd.chain.till.post("/redemptions", wish)) == "out_of_stock"

    def test_that_nobody_came_for_can_be_had_again(self, crowd):
        one, other = crowd.member(9, 100), crowd.member(10, 100)
        crowd.execute("insert into reward values ('LEFT', '{\"en\": \"Mug\"}', 10)")
        crowd.execute(
            "insert into reward_stock select 'LEFT', store_id, 1 from store where store_code = 'S1'"
        )
        wish = {"card_number": one, "reward_code": "LEFT"}
        held = crowd.chain.till.post("/redemptions", wish).get_json()
        wish["card_number"] = other
        assert code_of(crowd.chain.till.post("/redemptions", wish)) == "out_of_stock"
        crowd.execute(
            "update redemption set reserved_at = now() - interval '1 hour', expires_at = now() - interval '1 minute'"
            " where redemption_id = cast(:held as uuid)",
            held=held["redemption_id"],
        )
        assert crowd.chain.till.post("/redemptions", wish).status_code == 201
        assert crowd.points(one) == (100, 0)


class TestADiscount:
    @pytest.mark.parametrize("price", [1, 3, 99, 333, 3330, 5990, 99_999])
    @pytest.mark.parametrize("quantity", ["1", "3", "7", "0.754"])
    def test_of_everything_leaves_no_cent(self, crowd, price, quantity):
        """33.33 % and 10 % before it left halves to round; 100 % takes whatever that is, on every line."""
        sku = f"ALL-{price}-{quantity}"
        offers = [
            {"code": f"BUGS-{off}", "audience": {"who": "everyone"}, "priority": priority,
             "condition": {"kind": "items", "select": {"skus": [sku, f"{sku}-2"]}, "quantity": "1"},
             "benefit": {"kind": "percent", "off": off.replace("-", ".")}}
            for off, priority in (("33-33", 300), ("10", 200), ("100", 100))
        ]  # fmt: skip
        crowd.live(offers=offers)
        lines = [
            {"line_number": 1, "sku": sku, "quantity": quantity, "unit_price": price},
            {"line_number": 2, "sku": f"{sku}-2", "quantity": "1", "unit_price": price + 1},
        ]
        quote = crowd.chain.till.post("/quotes", {"currency": "CZK", "lines": lines}).get_json()
        assert [found["net_amount"] for found in quote["lines"]] == [0, 0]
        assert quote["totals"]["payable_amount"] == 0


class TestAVoucher:
    def test_is_checked_and_spent_in_one_step(self, crowd, shop):
        """Sixteen tills were shown its discount; whoever pays first has spent it, and nobody a second time."""
        code = "BUGS-VOUCHER-1"
        crowd.live(
            offers=[],
            vouchers=[{"batch": "BUGS", "value_amount": 500, "currency": "CZK", "minimum_amount": 0, "valid_days": 9,
                       "codes": [code]}],
        )  # fmt: skip
        basket = {"currency": "CZK", "voucher_codes": [code],
                  "lines": [{"line_number": 1, "sku": "A1", "quantity": "1", "unit_price": 1000}]}  # fmt: skip
        shown = [till.post("/quotes", basket).get_json()["totals"]["discount_amount"] for till in crowd.tills]
        assert set(shown) == {500}
        discount = {
            "discount_amount": 500,
            "total_amount": 500,
            "discounts": [{"offer_code": "BUGS", "amount": 500}],
        }
        bodies = [
            shop(f"voucher{place}", 1000, lines=[line(1, 1000) | discount], voucher_codes=[code],
                 totals={"payable_amount": 500})
            for place in range(len(crowd.tills))
        ]  # fmt: skip
        answers = crowd.at_once(
            [
                lambda till=till, body=body: till.post("/receipts", body)
                for till, body in zip(crowd.tills, bodies, strict=True)
            ]
        )
        clean = [
            answer
            for answer in answers
            if not {flag["code"] for flag in answer.get_json()["flags"]}
            & {"over_redeemed", "offer_not_valid"}
        ]
        assert len(clean) == 1
        assert code_of(crowd.chain.till.post("/redemptions", {"voucher_code": code})) == "already_redeemed"


class TestAnOffer:
    def test_cannot_be_had_beyond_a_member_s_limit(self, crowd, shop):
        """Neither at another till, nor by asking again, nor after a partial return; after a void it can."""
        card = crowd.member(14, 0)
        crowd.live(
            offers=[{"code": "BUGS-ONCE", "limits": {"per_member": 1}, "stores": ["S1"],
                     "condition": {"kind": "items", "select": {"skus": ["ONCE"]}, "quantity": "1"},
                     "benefit": {"kind": "amount", "off": 100, "per": "application"}}]
        )  # fmt: skip
        wish = {"currency": "CZK", "card_number": card,
                "lines": [{"line_number": 1, "sku": "ONCE", "quantity": "2", "unit_price": 1000}]}  # fmt: skip

        def off(till) -> int:
            return till.post("/quotes", wish).get_json()["totals"]["discount_amount"]

        assert (off(crowd.chain.till), off(crowd.chain.till), off(crowd.tills[0])) == (100, 100, 100)
        lines = [line(1, 1900, sku="ONCE", quantity="2", unit_price=1000, discount_amount=100,
                      discounts=[{"offer_code": "BUGS-ONCE", "amount": 100}])]  # fmt: skip
        sale = shop("once", 1900, lines=lines, card_number=card, totals={"payable_amount": 1900})
        booked(crowd, sale)
        assert (off(crowd.chain.till), off(crowd.tills[0])) == (0, 0)
        booked(crowd, back(sale, "once-back", 950))
        assert off(crowd.chain.till) == 0
        booked(crowd, undo("void", sale, "once-void"))
        assert off(crowd.chain.till) == 100


class TestASecondCard:
    def test_lives_on_after_the_first_was_replaced(self, crowd, shop):
        """Old and new number lead to one account, on which both earn."""
        old, new = crowd.member(11, 0), card_of(12)
        answer = crowd.chain.till.post(f"/cards/{old}/replace", {"new_card_number": new, "reason": "lost"})
        assert answer.status_code == 200
        for number, card in enumerate((old, new)):
            assert booked(crowd, shop(f"second{number}", 1_000, card_number=card))["earned"] == 10
        for card in (old, new):
            assert crowd.chain.till.get(f"/cards/{card}").get_json()["points"]["balance"] == 20


class TestFortyThousandCards:
    def test_cost_a_look_up_no_more_than_one_does(self, crowd):
        """Not by the clock but by the plan: whatever a till asks of a card is found by an index."""
        crowd.execute(
            "insert into card (card_number, state, created_at)"
            " select (29910000000 + number)::text || '0', 'stock', now() from generate_series(1, :cards) as number"
            " on conflict do nothing",
            cards=CARDS,
        )
        crowd.execute("analyze card")
        with crowd.chain.sessions() as session:
            plan = "\n".join(
                session.execute(
                    text("explain select * from card where card_number = :card"), {"card": card_of(13)}
                ).scalars()
            )
            touched = "select coalesce(seq_tup_read, 0) from pg_stat_user_tables where relname = 'card'"
            session.execute(text("select pg_stat_clear_snapshot()"))
        assert "Index" in plan, plan
        assert "Seq Scan" not in plan, plan
        before = self.read_by_scans(crowd, touched)
        for number in range(1, 6):
            crowd.chain.till.get(f"/cards/{crowd.member(100 + number, 0)}")
        assert self.read_by_scans(crowd, touched) - before < CARDS

    @staticmethod
    def read_by_scans(crowd, question: str) -> int:
        with crowd.chain.sessions.begin() as session:
            session.execute(text("reset role"))
            session.execute(text("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()"))
        return crowd.number(question)
