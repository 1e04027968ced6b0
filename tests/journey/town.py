"""A made-up town whose files are imported as a chain's are, and whose night is the real one."""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stdnum import ean

from core.database import Sessions
from core.jobs import show_nothing
from core.progress import silent
from customers.importing import import_members
from loyalty.imports.receipts import import_receipts
from night import run_night
from sales.importing import import_articles, import_stores

TIMEZONE = "Europe/Prague"
TRIPS = (
    ("Mouka hladká", "Cukr krystal", "Droždí", "Vanilkový cukr", "Kypřicí prášek", "Mák mletý"),
    ("Káva mletá", "Rohlíky", "Máslo", "Jahodová marmeláda", "Mléko plnotučné", "Jogurt bílý"),
    ("Brambůrky", "Kola", "Mražená pizza", "Zmrzlina", "Čokoláda", "Oříšky"),
)
FILLERS = (
    "Toaletní papír",
    "Mýdlo",
    "Sůl",
    "Rýže",
    "Banány",
    "Jablka",
    "Rajčata",
    "Sýr eidam",
    "Vejce",
    "Těstoviny",
)
CATEGORIES = dict(
    zip(
        (*TRIPS[0], *TRIPS[1], *TRIPS[2], *FILLERS),
        (
            "FLOUR", "SUGAR", "YEAST", "SPICES", "BAKING NEEDS", "NUTS",
            "COFFEE", "BREAD", "BUTTER", "JAM", "FLUID MILK", "YOGURT",
            "POTATO CHIPS", "SOFT DRINKS", "FROZEN PIZZA", "ICE CREAM", "CHOCOLATE CANDY", "NUTS",
            "TOILET PAPER", "SOAP", "SALT", "RICE", "BANANAS", "APPLES", "TOMATOES", "CHEESE", "EGGS", "PASTA",
        ),
        strict=True,
    )
)  # fmt: skip
SEED = 20261122


@dataclass(frozen=True)
class Town:
    """Where things are; the first member is the one that the journey is about."""

    today: date
    now: datetime
    folder: Path
    cards: tuple[str, ...]
    mails: tuple[str, ...]
    skus: dict[str, str]


def build_town(
    sessions: Sessions, folder: Path, *, now: datetime, households: int = 66, weeks: int = 16
) -> Town:
    """Import a town of `households`, each of whom goes on one of three kinds of trips every week up to today."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    skus = {name: f"a{number:02}" for number, name in enumerate(CATEGORIES)}
    cards = tuple(_card(number) for number in range(households))
    mails = tuple(f"clen{number}@example.com" for number in range(households))
    _write(
        folder / "stores.csv",
        ("store_code", "name", "currency", "timezone"),
        [("S1", "Brno", "CZK", TIMEZONE)],
    )
    _write(
        folder / "articles.csv",
        ("sku", "name", "category", "type", "department", "unit", "tax_rate", "price"),
        [(skus[name], name, kind, name, "GROCERY", "pcs", "12", 1990 + 700 * number)
         for number, (name, kind) in enumerate(CATEGORIES.items())],
    )  # fmt: skip
    _write(
        folder / "members.csv",
        ("member_code", "given_name", "family_name", "email", "language", "home_store_code", "card_number",
         "consents", "joined_on"),
        [(f"m{number:03}", "Žofie" if number == 0 else "Jan", "Říhová" if number == 0 else f"Novák {number}",
          mails[number], "cs", "S1", cards[number], "email:offers print:catalog email:catalog profiling",
          str(today - timedelta(days=400)))
         for number in range(households)],
    )  # fmt: skip
    _write(folder / "receipts.csv", _RECEIPT_COLUMNS, _receipts(skus, cards, today, weeks))
    with sessions.begin() as session:
        import_stores(session, folder / "stores.csv", report=silent)
        import_articles(session, folder / "articles.csv", report=silent)
        import_members(session, folder / "members.csv", now=now, actor="town", report=silent)
    import_receipts(sessions, folder / "receipts.csv", now=now, show=show_nothing)
    return Town(today, now, folder, cards, mails, skus)


def night(sessions: Sessions, town: Town, day: date, *, now: datetime) -> None:
    """Run the whole night of `day`."""
    run = run_night(sessions, data=town.folder, business_day=day, now=now)
    assert run.state == "completed", [(step.name, step.error) for step in run.steps if step.error]


_RECEIPT_COLUMNS = (
    "store_code", "till_code", "business_date", "receipt_number", "type", "closed_at", "card_number", "currency",
    "line_number", "sku", "quantity", "unit_price", "total_amount", "tax_rate",
)  # fmt: skip


def _receipts(
    skus: dict[str, str], cards: Sequence[str], today: date, weeks: int
) -> Iterable[tuple[Any, ...]]:
    chance = random.Random(SEED)
    number = 0
    for week in range(weeks):
        for household, card in enumerate(cards):
            number += 1
            day = today - timedelta(days=7 * week + household % 3)
            at = datetime.combine(day, time(0, 1), tzinfo=ZoneInfo(TIMEZONE)).isoformat()
            trip = TRIPS[household % len(TRIPS)]
            theme = chance.sample(trip, 3) if chance.random() < 0.92 else []
            basket = [*theme, *chance.sample(FILLERS, 5 - len(theme))]
            for line, name in enumerate(basket, start=1):
                price = 1990 + 700 * list(CATEGORIES).index(name)
                yield (
                    "S1", "T1", day, f"{number:06}", "sale", at, card, "CZK", line, skus[name], "1", price, price, "12",
                )  # fmt: skip


def _card(number: int) -> str:
    payload = f"299100{number:06}"
    return payload + ean.calc_check_digit(payload)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
