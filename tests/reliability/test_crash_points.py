"""
R3: a process that dies at every statement of a receipt, a redemption, a return, and all the others that move points.

Each request is first sent to its end by a child process, which counts the boundaries: the moments before and after
every statement and commit. Then it is sent once for each boundary, by a child that is killed there. Afterwards the
books must show either nothing or all of it, and the same request once more must end as if nothing had happened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.reliability.crash_points import send_once
from tests.reliability.crowds import Crowd, card_of, gather, said
from tests.reliability.nights import FORKS, warm_up
from tests.reliability.rotation import bound, sizes

PARTS = 4
"""Each commit takes every fourth boundary of every story, a soak all of them ten times."""
PARTS_UNDER_OFFERS = 32
"""Of stories in which offers go live for every customer, each commit takes fewer."""

Request = dict[str, Any]


@pytest.fixture(scope="module")
def database(make_database) -> str:
    return make_database()


@pytest.fixture(scope="module")
def crowd(database):
    yield from gather(database)


@dataclass
class Customer:
    """Somebody with a card of their own, so that one story does not touch another's books."""

    crowd: Crowd
    number: int
    points: int = 500

    def __post_init__(self) -> None:
        self.card = self.crowd.member(500_000 + self.number, self.points)
        self.spare = card_of(600_000 + self.number)
        self.crowd.execute(
            "insert into card (card_number, state, created_at) values (:card, 'stock', now())",
            card=self.spare,
        )

    def name(self, suffix: object = "") -> str:
        return f"c{self.number}{suffix}"

    def send(self, request: Request):
        return self.crowd.chain.till.post(request["path"], request["body"], headers=request["headers"])

    def done(self, request: Request) -> dict[str, Any]:
        answer = self.send(request)
        assert said(answer) in {"200", "201", "204"}, answer.get_json()
        return answer.get_json(silent=True)

    def sent_again(self, request: Request) -> None:
        """Send what was perhaps done before: it is answered as before."""
        self.done(request)

    def asks(self, path: str, body: Any, *, key: bool = False) -> Request:
        """Return a request of the till, with a key of its own where only that tells a repeated one."""
        headers = {"Authorization": f"Bearer {self.crowd.chain.till.key}"}
        if key:
            headers["Idempotency-Key"] = self.name("key")
        return {"path": path, "body": body, "headers": headers}

    def sale(self, suffix: object = "", **changes: Any) -> Request:
        sale = self.crowd.chain.till.sale(
            receipt_number=self.name(suffix), **{"card_number": self.card, **changes}
        )
        return self.asks("/receipts", sale)

    def undoes(self, kind: str, sale: Request, suffix: object) -> Request:
        """Return a return of one piece of the sale's line, or its void."""
        body = sale["body"]
        original = {
            "store_code": "S1",
            "till_code": "T1",
            "business_date": body["business_date"],
            "receipt_number": body["receipt_number"],
        }
        document: dict[str, Any] = {
            name: body[name] for name in ("business_date", "closed_at", "currency", "card_number")
        }
        document |= {"type": kind, "receipt_number": self.name(suffix), "original": original}
        if kind == "return":
            line = {**body["lines"][0], "quantity": "1", "original_line_number": 1}
            line = {
                name: line[name]
                for name in (
                    "line_number",
                    "sku",
                    "quantity",
                    "unit_price",
                    "tax_rate",
                    "original_line_number",
                )
            }
            document["lines"] = [line | {"total_amount": line["unit_price"]}]
            document["totals"] = {"payable_amount": line["unit_price"]}
        return self.asks("/receipts", document)

    def reserved(self, points: int = 200) -> str:
        held = self.done(self.asks("/redemptions", {"card_number": self.card, "points": points}))
        return held["redemption_id"]

    def gift(self) -> str:
        code = self.name("gift")
        self.crowd.execute('insert into reward values (:code, \'{"en": "Mug"}\', 50)', code=code)
        self.crowd.execute(
            "insert into reward_stock select :code, store_id, 3 from store where store_code = 'S1'", code=code
        )
        return code

    def stands(self) -> tuple[Any, ...]:
        """Return everything that the books say of this customer, without identifiers."""
        rows = self.crowd.number
        account = "(select account_id from card where card_number = :card)"
        shown = self.crowd.chain.till.get(f"/cards/{self.card}").get_json()
        points = shown["points"]
        return (
            *(points[name] for name in ("balance", "available", "pending", "reserved")),
            rows("select count(*) from receipt where receipt_number like :mine", mine=self.name("%")),
            rows(
                "select count(*) from receipt_line join receipt using (business_date, receipt_id)"
                " where receipt_number like :mine",
                mine=self.name("%"),
            ),
            rows(
                "select count(*) from receipt_link join receipt using (business_date, receipt_id)"
                " where receipt_number like :mine",
                mine=self.name("%"),
            ),
            rows(f"select count(*) from ledger_entry where account_id = {account}", card=self.card),
            rows(
                f"select count(*) from ledger_leg where account_id = {account} and points <> 0",
                card=self.card,
            ),
            *(
                rows(
                    f"select count(*) from redemption where account_id = {account} and state = :state",
                    card=self.card,
                    state=state,
                )
                for state in ("reserved", "posted", "released", "expired")
            ),
            rows(
                "select coalesce(sum(on_hand), 0) from reward_stock where reward_code = :gift",
                gift=self.name("gift"),
            ),
            rows(
                "select coalesce(sum(reserved), 0) from reward_stock where reward_code = :gift",
                gift=self.name("gift"),
            ),
            rows("select count(*) from stock_movement where reward_code = :gift", gift=self.name("gift")),
            rows(
                "select count(*) from idempotency_record where key = :key and body <> '{}'",
                key=self.name("key"),
            ),
            *self.of_offers(),
            shown["state"],
            rows("select count(*) from card where card_number = :card and state = 'stock'", card=self.spare),
        )

    def of_offers(self) -> tuple[Any, ...]:
        """Return what the books say of this customer's own offers, gifts and vouchers."""
        questions = (
            "select coalesce(sum(uses), 0) from offer_use where offer_code like :mine",
            "select coalesce(sum(amount), 0) from offer_use where offer_code like :mine",
            "select coalesce(sum(uses), 0) from offer_counter where offer_code like :mine and period = 'total'",
            "select count(*) from offer_hold where offer_code like :mine",
            "select coalesce(sum(on_hand), 0) from reward_stock where reward_code like :mine",
            "select count(*) from stock_movement where reward_code like :mine",
            "select count(*) from voucher where batch_code like :mine and state = 'issued'",
            "select count(*) from voucher where batch_code like :mine and state = 'redeemed'",
            "select count(*) from voucher where batch_code like :mine and state = 'cancelled'",
            "select count(*) from voucher_event join voucher using (voucher_code) where batch_code like :mine",
        )
        return tuple(self.crowd.number(question, mine=f"{self.own}-%") for question in questions)

    @property
    def own(self) -> str:
        """What the codes of this customer's own offers begin with."""
        return self.name().upper()

    def sold_under_offers(self) -> Request:
        """Return a sale as it was quoted: a budget's last use, a gift, a voucher it is paid with and one for next time."""
        own = self.own
        condition = {"kind": "items", "select": {"skus": [f"L{own}"]}, "quantity": "1"}
        benefits = {
            "LESS": {"kind": "amount", "off": 100, "per": "application"},
            "GIFT": {"kind": "gift", "reward": f"{own}-MUG", "quantity": 1},
            "NEXT": {"kind": "voucher", "batch": f"{own}-NEXT"},
        }
        worth = {"value_amount": 500, "currency": "CZK"}
        self.crowd.live(
            rewards=[{"code": f"{own}-MUG", "stock": {"S1": 1}}],
            vouchers=[
                {"batch": f"{own}-WORTH", "codes": [f"{own}-WORTH-0001"], **worth},
                {"batch": f"{own}-NEXT", **worth},
            ],
            offers=[
                {
                    "code": f"{own}-{name}",
                    "stores": ["S1"],
                    "limits": {"uses": 1},
                    "condition": condition,
                    "benefit": benefit,
                }
                for name, benefit in benefits.items()
            ],
        )
        codes = [f"{own}-WORTH-0001"]
        line = {"line_number": 1, "sku": f"L{own}", "quantity": "1", "unit_price": 2000}
        basket = {"card_number": self.card, "currency": "CZK", "lines": [line], "voucher_codes": codes}
        quote = self.done(self.asks("/quotes", basket))
        (quoted,) = quote["lines"]
        discounts = [{name: one[name] for name in ("offer_code", "amount")} for one in quoted["discounts"]]
        assert (len(discounts), len(quote["gifts"]), len(quote["vouchers"])) == (2, 1, 1)
        paid = {
            "tax_rate": "21",
            "discounts": discounts,
            "discount_amount": quoted["discount_amount"],
            "total_amount": quoted["net_amount"],
        }
        return self.sale(
            "sold",
            quote_id=quote["quote_id"],
            voucher_codes=codes,
            lines=[line | paid],
            tenders=[],
            totals={"payable_amount": quoted["net_amount"]},
        )


def sells(customer: Customer) -> Request:
    return customer.sale()


def sells_to_a_new_card(customer: Customer) -> Request:
    return customer.sale(card_number=customer.spare)


def sells_for_points(customer: Customer) -> Request:
    return customer.sale(redemption_ids=[customer.reserved()])


def takes_back(customer: Customer) -> Request:
    sold = customer.sale("sold", redemption_ids=[customer.reserved()])
    customer.done(sold)
    return customer.undoes("return", sold, "back")


def voids(customer: Customer) -> Request:
    sold = customer.sale("sold", redemption_ids=[customer.reserved()])
    customer.done(sold)
    customer.done(customer.undoes("return", sold, "back"))
    return customer.undoes("void", sold, "void")


def takes_back_before_the_sale(customer: Customer) -> Request:
    return customer.undoes("return", customer.sale("sold"), "back")


def sells_what_came_back_already(customer: Customer) -> Request:
    sold = customer.sale("sold")
    customer.done(customer.undoes("return", sold, "back"))
    return sold


def sends_a_batch(customer: Customer) -> Request:
    sold = customer.sale("sold")
    back = customer.undoes("return", sold, "back")
    return customer.asks("/receipts/batch", {"receipts": [back["body"], sold["body"]]})


def reserves(customer: Customer) -> Request:
    return customer.asks("/redemptions", {"card_number": customer.card, "points": 300}, key=True)


def reserves_a_gift(customer: Customer) -> Request:
    wish = {"card_number": customer.card, "reward_code": customer.gift()}
    return customer.asks("/redemptions", wish, key=True)


def releases(customer: Customer) -> Request:
    wish = {"card_number": customer.card, "reward_code": customer.gift()}
    held = customer.done(customer.asks("/redemptions", wish))
    return customer.asks(f"/redemptions/{held['redemption_id']}/release", {})


def hands_over(customer: Customer) -> Request:
    return customer.asks(f"/redemptions/{customer.reserved()}/post", {})


def replaces_a_card(customer: Customer) -> Request:
    body = {"new_card_number": customer.spare, "reason": "lost"}
    return customer.asks(f"/cards/{customer.card}/replace", body, key=True)


def sells_under_offers(customer: Customer) -> Request:
    return customer.sold_under_offers()


def takes_back_all_that_was_sold_under_offers(customer: Customer) -> Request:
    sold = customer.sold_under_offers()
    customer.done(sold)
    return customer.undoes("return", sold, "back")


def voids_the_return_of_what_was_sold_under_offers(customer: Customer) -> Request:
    sold = customer.sold_under_offers()
    customer.done(sold)
    back = customer.undoes("return", sold, "back")
    customer.done(back)
    return customer.undoes("void", back, "void")


STORIES: tuple[Callable[[Customer], Request], ...] = (
    sells,
    sells_to_a_new_card,
    sells_for_points,
    takes_back,
    voids,
    takes_back_before_the_sale,
    sells_what_came_back_already,
    sends_a_batch,
    reserves,
    reserves_a_gift,
    releases,
    hands_over,
    replaces_a_card,
)

UNDER_OFFERS: tuple[Callable[[Customer], Request], ...] = (
    sells_under_offers,
    takes_back_all_that_was_sold_under_offers,
    voids_the_return_of_what_was_sold_under_offers,
)


class TestDeathAtEveryStatement:
    numbers = count(1)

    def customer(self, crowd: Crowd) -> Customer:
        return Customer(crowd, next(self.numbers))

    @staticmethod
    def sent(database: str, request: Request, fatal: int | None) -> tuple[int, Any, list[str]] | None:
        """Let a child send `request`; return its answer and the boundaries it passed, None when it died before."""
        ours, theirs = FORKS.Pipe(duplex=False)
        child = FORKS.Process(target=send_once, args=(database, request, fatal, theirs))
        child.start()
        theirs.close()
        try:
            return ours.recv()
        except EOFError:
            return None
        finally:
            ours.close()
            child.join()

    @pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
    @pytest.mark.parametrize("rounds", sizes(PARTS, parts=PARTS))
    def test_leaves_nothing_or_all(self, crowd, database, publish, story, rounds):
        self.dies_everywhere(crowd, database, publish, story, rounds=rounds, parts=PARTS)

    @pytest.mark.parametrize("story", UNDER_OFFERS, ids=lambda story: story.__name__)
    @pytest.mark.parametrize("rounds", sizes(PARTS_UNDER_OFFERS, parts=PARTS_UNDER_OFFERS))
    def test_leaves_nothing_or_all_of_what_offers_give(self, crowd, database, publish, story, rounds):
        self.dies_everywhere(crowd, database, publish, story, rounds=rounds, parts=PARTS_UNDER_OFFERS)

    def dies_everywhere(self, crowd, database, publish, story, *, rounds, parts) -> None:
        warm_up()
        undisturbed = self.customer(crowd)
        request = story(undisturbed)
        before = undisturbed.stands()
        answered = self.sent(database, request, None)
        assert answered is not None
        status, document, passed = answered
        assert status in {200, 201, 204}, document
        after = undisturbed.stands()
        assert after != before
        died = 0
        for part in rounds:
            for fatal in range(part % parts, len(passed), parts):
                died += self.dies_at(
                    crowd, database, story, fatal=fatal, states=(before, after), passed=passed
                )
        assert died
        publish(
            f"R3 {story.__name__}: killed {died} times at {len(passed)} boundaries "
            f"(every {parts}th with each commit), {bound(died)}"
        )

    def dies_at(self, crowd, database, story, *, fatal, states, passed) -> int:
        customer = self.customer(crowd)
        request = story(customer)
        where = f"killed at {fatal}: {passed[fatal]}"
        answered = self.sent(database, request, fatal)
        left = customer.stands()
        assert left in states or story is sends_a_batch, where
        if answered is not None:
            assert left == states[1], f"{where}, although it was answered"
        customer.sent_again(request)
        assert customer.stands() == states[1], f"{where}, then sent again"
        customer.sent_again(request)
        assert customer.stands() == states[1], f"{where}, then sent twice again"
        return answered is None
