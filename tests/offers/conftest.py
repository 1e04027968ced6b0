"""A market whose tills speak to the real application; offers come to it as head office sends them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text
from stdnum import ean
from werkzeug.test import TestResponse

from cli import regulars
from core.database import Sessions, make_engine, make_sessions
from core.verification import verify
from loyalty.verification import CHECKS
from pos_api.app import register
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from sales.operations import add_store, add_till
from tests.pos_api.conftest import TillClient

SATURDAY = "2026-11-21T10:15:00+01:00"
"""When baskets are quoted unless a test says otherwise: a Saturday forenoon in Prague."""
OPENED = datetime(2026, 1, 1, tzinfo=UTC)

ARTICLES: dict[str, dict[str, str | None]] = {
    # sku: department > category > type, brand
    "tea": {"category": "TEA", "type": "BLACK", "department": "FOOD", "brand": "LEAF"},
    "tea2": {"category": "TEA", "type": "GREEN", "department": "FOOD", "brand": "LEAF"},
    "soap": {"category": "SOAP", "type": "BAR", "department": "DRUG", "brand": "FOAM"},
    "choc": {"category": "CHOC", "type": "DARK", "department": "FOOD", "brand": "COCOA"},
    "choc2": {"category": "CHOC", "type": "MILK", "department": "FOOD", "brand": "COCOA"},
    "shampoo": {"category": "HAIR", "type": "SHAMPOO", "department": "DRUG", "brand": "FOAM"},
    "conditioner": {"category": "HAIR", "type": "CONDITIONER", "department": "DRUG", "brand": "FOAM"},
    "cheese": {"category": "CHEESE", "type": "HARD", "department": "FOOD", "brand": None},
    "cheese2": {"category": "CHEESE", "type": "SOFT", "department": "FOOD", "brand": None},
    "pen": {"category": "PEN", "type": None, "department": "PAPER", "brand": None},
    "milk": {"category": "MILK", "type": None, "department": "FOOD", "brand": None},
    "bread": {"category": "BREAD", "type": None, "department": "FOOD", "brand": None},
    "A": {"category": "A", "type": None, "department": "LETTERS", "brand": None},
    "B": {"category": "B", "type": None, "department": "LETTERS", "brand": None},
    "C": {"category": "C", "type": None, "department": "LETTERS", "brand": None},
    "D": {"category": "D", "type": None, "department": "LETTERS", "brand": None},
}
GTINS = {"tea": "8594001021512"}

CARDS = count(1)


def card_of(number: int) -> str:
    beginning = f"2980{number:08}"
    return beginning + ean.calc_check_digit(beginning)


def line(number: int, sku: str, quantity: str, price: int, unit: str | None = None) -> dict[str, Any]:
    unit = unit or ("kg" if "." in quantity else "pcs")
    return {"line_number": number, "sku": sku, "quantity": quantity, "unit": unit, "unit_price": price,
            "tax_rate": "21"}  # fmt: skip


def basket(*lines: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Lines of (sku, quantity, unit price[, unit]), numbered from 1."""
    return [line(number, sku, str(quantity), *rest) for number, (sku, quantity, *rest) in enumerate(lines, 1)]


def offer(code: str, condition: dict[str, Any], benefit: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """An offer for everyone; `limits`, `audience` and whatever else the format has by keyword."""
    audience = {"who": "everyone"} | rest.pop("audience", {})
    return {"code": code, "audience": audience, "condition": condition, "benefit": benefit} | rest


def items(select: Any, quantity: Any = 1) -> dict[str, Any]:
    """So many of a category, or of a whole select."""
    return {"kind": "items", "select": of(select), "quantity": str(quantity)}


def of(select: Any) -> dict[str, Any]:
    """A select; a word is a category."""
    return {"categories": [select]} if isinstance(select, str) else select


def each(*parts: tuple[Any, Any]) -> dict[str, Any]:
    return {
        "kind": "each",
        "of": [{"select": of(select), "quantity": str(number)} for select, number in parts],
    }


def value(amount: int, measure: str = "gross", select: Any = None) -> dict[str, Any]:
    return {"kind": "value", "select": of(select or {}), "amount": amount, "measure": measure}


def percent(off: Any, **rest: Any) -> dict[str, Any]:
    return {"kind": "percent", "off": str(off)} | rest


def amount(off: int, per: str = "application", **rest: Any) -> dict[str, Any]:
    return {"kind": "amount", "off": off, "per": per} | rest


def fixed(price: int, per: str = "application", **rest: Any) -> dict[str, Any]:
    return {"kind": "fixed_price", "price": price, "per": per} | rest


def nth(off: Any = 100, which: str = "cheapest", **rest: Any) -> dict[str, Any]:
    return {"kind": "nth", "off": str(off), "which": which} | rest


ALWAYS = {"kind": "always"}


@dataclass
class Quote:
    """The answer to a basket, with the offers' codes as the test wrote them."""

    body: dict[str, Any]

    @property
    def discounts(self) -> list[int]:
        return [found["discount_amount"] for found in self.body["lines"]]

    @property
    def shares(self) -> list[list[tuple[str, int]]]:
        """Per line what each offer took off, in the order of the answer."""
        return [
            [(one["offer_code"], one["amount"]) for one in found["discounts"]] for found in self.body["lines"]
        ]

    @property
    def payable(self) -> int:
        return self.body["totals"]["payable_amount"]

    @property
    def missing(self) -> dict[str, str | None]:
        return {one["offer_code"]: one["missing"] for one in self.body["not_applied"]}

    def check(self) -> None:
        """Whatever is given: sums are sums, and nothing is negative but what the till stated so."""
        for found in self.body["lines"]:
            gross, off, net = found["gross_amount"], found["discount_amount"], found["net_amount"]
            amounts = [one["amount"] for one in found["discounts"]]
            codes = [one["offer_code"] for one in found["discounts"]]
            assert net == gross - off
            assert off == sum(amounts)
            assert all(part > 0 for part in amounts)
            assert len(set(codes)) == len(codes)
            assert 0 <= off <= max(0, gross)
        totals = self.body["totals"]
        assert totals["gross_amount"] == sum(found["gross_amount"] for found in self.body["lines"])
        assert totals["discount_amount"] == sum(found["discount_amount"] for found in self.body["lines"])
        assert (
            totals["payable_amount"]
            == totals["gross_amount"] - totals["discount_amount"] - totals["points_amount"]
        )


@dataclass
class Market:
    """One store (and one beside it), whose offers a test replaces by its own."""

    sessions: Sessions
    url: str
    tills: dict[str, TillClient]
    folder: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    generations: Iterator[int] = field(default_factory=lambda: count(1))
    prefix: str = ""
    live_now: list[str] = field(default_factory=list)

    # Offers.

    def live(self, *offers: dict[str, Any], **rest: Any) -> None:
        """Let exactly these offers be live; their codes are the market's own so that no budget is another test's."""
        self.stop()
        self.prefix = f"X{next(self.generations)}-"
        document = {"format": 1, "choice": rest.pop("choice", "first"), **rest, "offers": list(offers)}
        document = self.named(document)
        self.live_now = [one["code"] for one in document["offers"]]
        self.bring(document)

    def bring(self, document: dict[str, Any]) -> None:
        """Import a document live, with what the command calls."""
        with self.sessions.begin() as session:
            import_document(session, document=document, actor="head office", now=datetime.now(UTC), live=True)

    def stop(self) -> None:
        with self.sessions.begin() as session:
            for code in self.live_now:
                stop_offer(
                    session, offer_code=code, actor="head office", now=datetime.now(UTC), reason="over"
                )
        self.live_now = []

    def regulars(self, *words: str, code: int = 0) -> Any:
        """Run a command of `regulars` with --json and return what it prints."""
        done = CliRunner().invoke(
            regulars,
            ["--data", str(self.folder), *words, "--json"],
            env={"DATABASE_URL": self.url},
            catch_exceptions=True,
            standalone_mode=False,
        )
        if code:
            return str(done.exception or done.output)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def named(self, document: dict[str, Any]) -> dict[str, Any]:
        """Put the test's own prefix before codes of offers, batches and rewards."""
        found = json.loads(json.dumps(document))
        for one in found["offers"]:
            one["code"] = self.prefix + one["code"]
            self._rename(one)
        for batch in found.get("vouchers", []):
            batch["batch"] = self.prefix + batch["batch"]
            batch["codes"] = [self.prefix + code for code in batch.get("codes", [])]
        for reward in found.get("rewards", []):
            reward["code"] = self.prefix + reward["code"]
        return found

    def _rename(self, part: Any) -> None:
        if isinstance(part, dict):
            for key in ("batch", "reward"):
                if key in part:
                    part[key] = self.prefix + part[key]
            for inner in part.values():
                self._rename(inner)
        elif isinstance(part, list):
            for inner in part:
                self._rename(inner)

    def without_prefix(self, body: Any) -> Any:
        return (
            json.loads(re.sub(rf"\b{re.escape(self.prefix)}", "", json.dumps(body))) if self.prefix else body
        )

    # Tills.

    def quote(self, lines: Sequence[dict[str, Any]], *, till: str = "S1", **rest: Any) -> Quote:
        body = {"currency": "CZK", "at": SATURDAY, "lines": list(lines)} | rest
        if body.get("voucher_codes"):
            body["voucher_codes"] = [self.prefix + code for code in body["voucher_codes"]]
        body = {name: content for name, content in body.items() if content is not ...}
        answer = self.tills[till].post("/quotes", body)
        assert answer.status_code == 200, answer.get_json()
        quote = Quote(self.without_prefix(answer.get_json()))
        quote.check()
        return quote

    def sale(
        self, quote: Quote, lines: Sequence[dict[str, Any]], *, till: str = "S1", **rest: Any
    ) -> dict[str, Any]:
        """The body of the receipt that a quote becomes."""
        now = datetime.now(UTC)
        paid = []
        for posted, quoted in zip(lines, quote.body["lines"], strict=True):
            discounts = [
                {"offer_code": self.prefix + one["offer_code"], "offer_version": one["offer_version"],
                 "amount": one["amount"]}
                for one in quoted["discounts"]
            ]  # fmt: skip
            paid.append(
                posted
                | {"discount_amount": quoted["discount_amount"], "total_amount": quoted["net_amount"],
                   "discounts": discounts}
            )  # fmt: skip
        body = {
            "type": "sale",
            "business_date": now.date().isoformat(),
            "receipt_number": f"{next(CARDS):06}",
            "closed_at": now.isoformat(),
            "currency": "CZK",
            "quote_id": quote.body["quote_id"],
            "lines": paid,
            "totals": {
                name: quote.body["totals"][name]
                for name in ("gross_amount", "discount_amount", "payable_amount")
            },
        } | rest
        if body.get("voucher_codes"):
            body["voucher_codes"] = [self.prefix + code for code in body["voucher_codes"]]
        return body

    def pay(
        self, quote: Quote, lines: Sequence[dict[str, Any]], *, till: str = "S1", **rest: Any
    ) -> dict[str, Any]:
        """Pay what was quoted and return the answer."""
        return self.post(self.sale(quote, lines, till=till, **rest), till=till)

    def post(self, body: dict[str, Any], *, till: str = "S1") -> dict[str, Any]:
        answer = self.tills[till].post("/receipts", body)
        assert answer.status_code == 201, answer.get_json()
        return self.without_prefix(answer.get_json())

    def returns(self, sale: dict[str, Any], brought: dict[int, str], *, till: str = "S1") -> dict[str, Any]:
        """What a return of quantities of lines of a posted sale is quoted."""
        lines = [
            {"original_line_number": number, "quantity": quantity} for number, quantity in brought.items()
        ]
        answer = self.ask_return(sale, lines, till=till)
        assert answer.status_code == 200, answer.get_json()
        return self.without_prefix(answer.get_json())

    def ask_return(self, sale: dict[str, Any], lines: Any, *, till: str = "S1") -> TestResponse:
        return self.tills[till].post(
            "/returns/quotes", {"original": self.name_of(sale, till), "lines": lines}
        )

    def name_of(self, sale: dict[str, Any], till: str = "S1") -> dict[str, Any]:
        client = self.tills[till]
        return {"store_code": client.store_code, "till_code": client.till_code,
                "business_date": sale["business_date"], "receipt_number": sale["receipt_number"]}  # fmt: skip

    def bring_back(
        self, sale: dict[str, Any], brought: dict[int, str], *, till: str = "S1", **rest: Any
    ) -> dict[str, Any]:
        """Quote a return and book it as quoted; returns the quote."""
        quoted = self.returns(sale, brought, till=till)
        self.post(self.return_of(sale, quoted, till=till) | rest, till=till)
        return quoted

    def return_of(self, sale: dict[str, Any], quoted: dict[str, Any], *, till: str = "S1") -> dict[str, Any]:
        sold = {one["line_number"]: one for one in sale["lines"]}
        lines = []
        for number, back in enumerate(quoted["lines"], 1):
            first = sold[back["original_line_number"]]
            lines.append(
                {name: first[name] for name in ("sku", "unit", "unit_price", "tax_rate")}
                | {"line_number": number, "original_line_number": back["original_line_number"],
                   "quantity": back["quantity"], "total_amount": back["refund_amount"]}
            )  # fmt: skip
        now = datetime.now(UTC)
        return {
            "type": "return",
            "business_date": now.date().isoformat(),
            "receipt_number": f"{next(CARDS):06}",
            "closed_at": now.isoformat(),
            "currency": "CZK",
            "original": self.name_of(sale, till),
            "lines": lines,
            "totals": {"payable_amount": quoted["totals"]["refund_amount"]},
        }

    def void_of(self, posted: dict[str, Any], *, till: str = "S1") -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "type": "void",
            "business_date": now.date().isoformat(),
            "receipt_number": f"{next(CARDS):06}",
            "closed_at": now.isoformat(),
            "currency": "CZK",
            "original": self.name_of(posted, till),
        }

    # Members.

    def member(self, **facts: Any) -> str:
        """Enrol somebody and return the card's number; `facts` are columns of member."""
        card = card_of(next(CARDS))
        facts = {"given_name": "Žofie", "family_name": "Nováková", "language": "cs"} | facts
        columns, values = ", ".join(facts), ", ".join(f":{name}" for name in facts)
        with self.sessions.begin() as session:
            session.execute(
                text(
                    "with account as (insert into account (account_id, opened_at)"
                    "  values (gen_random_uuid(), now()) returning account_id), "
                    f"person as (insert into member (member_id, member_code, account_id, joined_on, {columns})"
                    f"  select gen_random_uuid(), :card, account_id, date '2026-01-01', {values} from account returning *) "
                    "insert into card (card_number, state, account_id, member_id, created_at, issued_at) "
                    "select :card, 'active', account_id, member_id, now(), now() from person"
                ),
                {"card": card, **facts},
            )
        return card

    def execute(self, statement: str, **values: Any) -> None:
        with self.sessions.begin() as session:
            session.execute(text(statement), values)

    def number(self, question: str, **values: Any) -> Any:
        with self.sessions() as session:
            return session.execute(text(question), values).scalar_one()

    def broken(self) -> list[str]:
        """Return the invariants that do not hold, with examples."""
        found = verify(self.sessions, CHECKS)
        return [f"{verdict.code}: {verdict.examples}" for verdict in found if not verdict.ok]


def put_on_the_shelves(market: Market, articles: Iterable[str] = ARTICLES) -> None:
    for sku in articles:
        facts = ARTICLES[sku] | {"sku": sku, "gtin": GTINS.get(sku, "").zfill(14) if sku in GTINS else None}
        market.execute(
            "insert into article (sku, gtin, name, department, category, type, brand, unit, tax_rate)"
            " values (:sku, :gtin, :sku, :department, :category, :type, :brand, 'pcs', 21)",
            **facts,
        )


def open_market(url: str, folder: Path) -> Iterator[Market]:
    """Yield a market on the empty database at `url`, in whose books nothing may be broken afterwards."""
    engine = make_engine(url, pool_size=20, lock_timeout=5)
    sessions = make_sessions(engine)
    app = Flask("tills")
    register(app, sessions)
    tills = {}
    places = {"S1": ("S1", "T1"), "S1b": ("S1", "T2"), "S2": ("S2", "T1")}
    with sessions.begin() as session:
        for store_code in ("S1", "S2"):
            add_store(
                session, store_code=store_code, name=store_code, currency="CZK", timezone="Europe/Prague"
            )
        for name, (store_code, till_code) in places.items():
            key = add_till(session, store_code=store_code, till_code=till_code, now=OPENED, actor="test")
            tills[name] = TillClient(app, key, store_code, till_code)
    market = Market(sessions, url, tills, folder)
    put_on_the_shelves(market)
    yield market
    assert market.broken() == []
    engine.dispose()


@pytest.fixture(scope="module")
def market(make_database, tmp_path_factory) -> Iterator[Market]:
    yield from open_market(make_database(), tmp_path_factory.mktemp("offers"))
