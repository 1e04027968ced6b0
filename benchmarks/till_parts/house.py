"""A house to post to: a database with a crowd in it, and the production server on it, each a process tree of its own."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select
from sqlalchemy.engine import make_url
from till_parts.ceiling import CARDS

from core.clock import now
from core.copying import refresh_statistics
from core.database import make_engine, make_sessions, upgrade
from core.progress import progress_bar
from demo.crowd import WRITTEN, card_number, make_crowd
from rewards.offer_operations import import_document
from sales.models import Article
from sales.operations import add_till

STORE, TILL = "CROWD0000", "T0"
CARDS_USED = 10_000
"""By the ceiling."""
MOST_CARDS = 100_000
"""By our load: enough that nobody shops suspiciously often."""
ARTICLES = 20_000
TEMPLATES = 300


@dataclass(frozen=True, slots=True)
class House:
    """What a load needs to know: the till's key, cards that exist, and bodies with marks to fill in."""

    key: str
    cards: list[str]
    sizes: Mapping[str, int]
    articles: list[tuple[str, int]]


def furnish(url: str, *, members: int, receipts: int, offers: int) -> House:
    """Migrate the database, fill it, and give a till its key."""
    upgrade(url)
    engine = make_engine(url)
    sessions = make_sessions(engine)
    make_crowd(sessions, members=members, receipts=receipts, articles=ARTICLES, now=now(), show=progress_bar)
    with sessions.begin() as session:
        key = add_till(session, store_code=STORE, till_code=TILL, now=now(), actor="benchmark")
        articles = [
            (sku, price or 100)
            for sku, price in session.execute(select(Article.sku, Article.price).limit(5_000)).all()
        ]
        if offers:
            import_document(
                session, document=offers_on(articles, offers), actor="benchmark", now=now(), live=True
            )
    engine.dispose()
    with owner(url) as connection:
        connection.execute(CARDS.format(cards=CARDS_USED))
        connection.execute("checkpoint")
    refresh_statistics(url, WRITTEN)
    step = max(1, members // MOST_CARDS)
    cards = [card_number(number) for number in range(0, members, step)]
    return House(key, cards, {"members": members, "receipts": receipts, "offers": offers}, articles)


def offers_on(articles: Sequence[tuple[str, int]], count: int) -> dict[str, Any]:
    """Return a document of `count` offers: discounts and points on one to three articles each, some when several are bought."""
    chance = random.Random(20_261_122)
    offers: list[dict[str, Any]] = []
    for number in range(count):
        skus = sorted({chance.choice(articles)[0] for _ in range(chance.randint(1, 3))})
        benefit = chance.choice(
            (
                {"kind": "percent", "off": str(chance.choice((5, 10, 20)))},
                {"kind": "amount", "off": chance.randint(50, 900), "per": "application"},
                {"kind": "nth", "off": "100", "which": "cheapest"},
                {"kind": "points", "points": chance.randint(5, 50)},
            )
        )
        quantity = "3" if benefit["kind"] == "nth" else str(chance.choice((1, 1, 2)))
        offers.append(
            {
                "code": f"BENCH{number}",
                "name": {"en": f"Offer {number}"},
                "priority": chance.randint(1, 999),
                "exclusive_group": "EXCLUSIVE" if benefit["kind"] != "points" else None,
                "condition": {"kind": "items", "select": {"skus": skus}, "quantity": quantity},
                "benefit": benefit,
            }
        )
    return {"format": 1, "offers": offers}


def owner(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect with the owner's rights."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the port and the process of the server that `python3 dev serve` starts, on this database."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "--data", folder / "data", "--port", "0", "--no-scheduler"],
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        yield int(line.rpartition(":")[2]), process.pid
    finally:
        process.terminate()
        process.wait()


def _head(method: str, path: str, key: str, *, body: bool = False) -> str:
    more = "Content-Type: application/json\r\nContent-Length: @length@\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n{more}\r\n"


def receipt_body(house: House, chance: Any, moment: datetime) -> dict[str, Any]:
    """Return a sale of nine lines with marks for its number and card."""
    lines = []
    for number in range(1, 10):
        sku, price = chance.choice(house.articles)
        quantity = chance.choice((1, 1, 1, 2))
        lines.append(
            {
                "line_number": number,
                "sku": sku,
                "name": f"Made-up article {number}",
                "quantity": str(quantity),
                "unit": "pcs",
                "unit_price": price,
                "total_amount": quantity * price,
                "tax_rate": "12",
            }
        )
    total = sum(line["total_amount"] for line in lines)
    return {
        "type": "sale",
        "business_date": (moment + timedelta(hours=1)).date().isoformat(),
        "receipt_number": "@number@",
        "closed_at": moment.isoformat(timespec="seconds"),
        "operator_code": "17",
        "card_number": "@card@",
        "card_entry_mode": "scanned",
        "currency": "CZK",
        "lines": lines,
        "tenders": [{"type": "cash", "amount": total}],
        "totals": {"gross_amount": total, "discount_amount": 0, "payable_amount": total},
    }


def quote_body(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return the quote of a receipt's basket."""
    names = ("line_number", "sku", "name", "quantity", "unit", "unit_price", "tax_rate")
    return {
        **{name: receipt[name] for name in ("card_number", "card_entry_mode", "currency")},
        "at": receipt["closed_at"],
        "lines": [{name: line[name] for name in names} for line in receipt["lines"]],
    }


def templates(house: House, kind: str, chance: Any) -> list[str]:
    """Return requests of a kind: receipt, quote, card or empty."""
    if kind == "card":
        return [_head("GET", "/pos/v1/cards/@card@", house.key)]
    if kind == "empty":
        return [_head("GET", "/healthz", house.key)]
    bodies = [receipt_body(house, chance, now()) for _ in range(TEMPLATES)]
    if kind == "quote":
        bodies = [quote_body(body) for body in bodies]
    head = _head("POST", f"/pos/v1/{kind}s", house.key, body=True)
    return [head + json.dumps(body, ensure_ascii=False, separators=(",", ":")) for body in bodies]
