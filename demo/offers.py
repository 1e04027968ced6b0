"""The offers, rewards and vouchers of the demonstration: what a supermarket might run in these weeks."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.clock import zone
from demo.journey import TIMEZONE
from rewards.vouchers.batches import Batch

WEEKS = 8

Document = dict[str, Any]


def _names(en: str, cs: str, sk: str, pl: str) -> dict[str, str]:
    return {"en": en, "cs": cs, "sk": sk, "pl": pl}


def _items(quantity: int, *categories: str) -> Document:
    return {"kind": "items", "select": {"categories": list(categories)}, "quantity": str(quantity)}


def _value(amount: int) -> Document:
    return {"kind": "value", "amount": amount}


REWARDS: tuple[Document, ...] = (
    {"code": "MUG", "name": _names("Mug", "Hrnek", "Hrnček", "Kubek"), "points": 1500},
    {
        "code": "TOTE",
        "name": _names("Shopping bag", "Nákupní taška", "Nákupná taška", "Torba na zakupy"),
        "points": 800,
    },
    {
        "code": "COFFEE_CUP",
        "name": _names("Cup of coffee", "Šálek kávy", "Šálka kávy", "Filiżanka kawy"),
        "points": 300,
    },
)
STOCK = {"MUG": 40, "TOTE": 120}
"""Pieces in the store that has the till; a cup of coffee is no thing that lies in stock."""

BATCHES: tuple[Document, ...] = (
    {
        "batch": "NEXT5",
        "value_amount": 500,
        "currency": "USD",
        "minimum_amount": 2500,
        "valid_days": 30,
        "codes": [],
    },
)

BATCH_NAMES: dict[str, dict[str, str]] = {
    "NEXT5": _names(
        "5.00 off next time",
        "Příště o 5,00 levněji",
        "Nabudúce o 5,00 lacnejšie",
        "Następnym razem 5,00 taniej",
    )
}
"""What customers read on vouchers; the format of offers has no names for batches."""

CATALOG_VOUCHERS = "CATALOG3"
"""The vouchers that stand in the demonstration's catalogs."""


def catalog_vouchers(currency: str) -> Batch:
    """Return what a catalog's voucher is worth, in the stores' currency; it holds as long as the catalog."""
    return Batch(
        CATALOG_VOUCHERS,
        names=_names(
            "Your catalog voucher",
            "Vaše poukázka z katalogu",
            "Vaša poukážka z katalógu",
            "Państwa bon z katalogu",
        ),
        value_amount=300,
        currency=currency,
        minimum_amount=2000,
        valid_days=13,
    )


LIVE: tuple[Document, ...] = (
    {
        "code": "CHEESE10",
        "name": _names("10 % off cheese", "Sleva 10 % na sýry", "Zľava 10 % na syry", "10% taniej sery"),
        "condition": _items(1, "CHEESE", "CHEESES"),
        "benefit": {"kind": "percent", "off": "10"},
        "exclusive_group": "DAIRY",
    },
    {
        "code": "SODA3FOR2",
        "name": _names(
            "3 soft drinks for 2", "3 limonády za cenu 2", "3 limonády za cenu 2", "3 napoje w cenie 2"
        ),
        "condition": _items(3, "SOFT DRINKS"),
        "benefit": {"kind": "nth", "off": "100", "which": "cheapest"},
        "limits": {"per_receipt": 4},
    },
    {
        "code": "PIZZA_NIGHT",
        "name": _names(
            "Pizza and ice cream for 8.99",
            "Pizza a zmrzlina za 8,99",
            "Pizza a zmrzlina za 8,99",
            "Pizza i lody za 8,99",
        ),
        "condition": {
            "kind": "each",
            "of": [
                {"select": {"categories": ["FROZEN PIZZA"]}, "quantity": "1"},
                {"select": {"categories": ["ICE CREAM/MILK/SHERBTS"]}, "quantity": "1"},
            ],
        },
        "benefit": {"kind": "fixed_price", "price": 899, "per": "application"},
        "priority": 200,
    },
    {
        "code": "MILK_BREAD",
        "name": _names(
            "Two milks, bread at half price",
            "Ke dvěma mlékům chléb za půlku",
            "K dvom mliekam chlieb za polovicu",
            "Do dwóch mlek chleb za pół ceny",
        ),
        "condition": _items(2, "FLUID MILK PRODUCTS"),
        "benefit": {
            "kind": "percent",
            "off": "50",
            "select": {"categories": ["BAKED BREAD/BUNS/ROLLS"]},
            "max_amount": 200,
        },
        "limits": {"per_receipt": 1},
    },
    {
        "code": "YOGURT50",
        "name": _names(
            "0.25 off each yogurt",
            "Každý jogurt o 0,25 levnější",
            "Každý jogurt o 0,25 lacnejší",
            "Każdy jogurt o 0,25 taniej",
        ),
        "condition": _items(1, "YOGURT"),
        "benefit": {"kind": "amount", "off": 25, "per": "unit"},
        "limits": {"uses": 5000, "amount": 250_000, "per_store_week_uses": 400},
        "exclusive_group": "DAIRY",
    },
    {
        "code": "FRUIT_DAYS",
        "name": _names(
            "Fruit days: 15 % off",
            "Ovocné dny: sleva 15 %",
            "Ovocné dni: zľava 15 %",
            "Dni owoców: 15% taniej",
        ),
        "valid_weekdays": [2, 3],
        "condition": _items(1, "TROPICAL FRUIT", "APPLES"),
        "benefit": {"kind": "percent", "off": "15"},
    },
    {
        "code": "BASKET4",
        "name": _names(
            "4.00 off from 40.00", "Od 40,00 sleva 4,00", "Od 40,00 zľava 4,00", "Od 40,00 rabat 4,00"
        ),
        "audience": {"tiers": ["silver", "gold"]},
        "stage": "basket",
        "condition": _value(4000),
        "benefit": {"kind": "amount", "off": 400, "per": "application"},
        "limits": {"per_receipt": 1, "per_member_day": 1},
    },
    {
        "code": "COFFEE2X",
        "name": _names(
            "Double points on coffee",
            "Dvojnásobné body za kávu",
            "Dvojnásobné body za kávu",
            "Podwójne punkty za kawę",
        ),
        "stage": "points",
        "condition": _items(1, "COFFEE"),
        "benefit": {"kind": "points_multiplier", "times": "2"},
    },
    {
        "code": "WELCOME50",
        "name": _names(
            "50 points for your first purchase",
            "50 bodů za první nákup",
            "50 bodov za prvý nákup",
            "50 punktów za pierwsze zakupy",
        ),
        "audience": {"first_purchase": True},
        "stage": "points",
        "condition": {"kind": "always"},
        "benefit": {"kind": "points", "points": 50},
    },
    {
        "code": "COMEBACK5",
        "name": _names(
            "5.00 off from 25.00: good to see you again",
            "Od 25,00 sleva 5,00: rádi vás zase vidíme",
            "Od 25,00 zľava 5,00: radi vás opäť vidíme",
            "Od 25,00 rabat 5,00: miło znowu widzieć",
        ),
        "audience": {"phases": ["fading", "lost", "won_back"]},
        "stage": "basket",
        "condition": _value(2500),
        "benefit": {"kind": "amount", "off": 500, "per": "application"},
        "limits": {"per_receipt": 1, "per_member": 1},
    },
    {
        "code": "BIRTHDAY_SWEETS",
        "name": _names(
            "Birthday week: 20 % off sweets",
            "Narozeninový týden: sladkosti se slevou 20 %",
            "Narodeninový týždeň: sladkosti so zľavou 20 %",
            "Tydzień urodzin: słodycze 20% taniej",
        ),
        "audience": {"birthday_within_days": 7},
        "condition": _items(1, "CANDY - PACKAGED", "BAKED SWEET GOODS", "COOKIES/CONES"),
        "benefit": {"kind": "percent", "off": "20", "max_amount": 500},
    },
    {
        "code": "SNACK_MUG",
        "name": _names(
            "A mug with snacks for 15.00",
            "Hrnek k pochutinám za 15,00",
            "Hrnček k pochutinám za 15,00",
            "Kubek do przekąsek za 15,00",
        ),
        "stage": "basket",
        "condition": {
            "kind": "value",
            "amount": 1500,
            "select": {"categories": ["BAG SNACKS", "CRACKERS/MISC BKD FD"]},
        },
        "benefit": {"kind": "gift", "reward": "MUG", "quantity": 1},
        "limits": {"per_receipt": 1, "per_member": 1},
    },
    {
        "code": "COME_BACK",
        "name": _names(
            "A 5.00 voucher for 75.00",
            "Poukázka na 5,00 za nákup od 75,00",
            "Poukážka na 5,00 za nákup od 75,00",
            "Bon na 5,00 za zakupy od 75,00",
        ),
        "stage": "basket",
        "condition": _value(7500),
        "benefit": {"kind": "voucher", "batch": "NEXT5"},
        "limits": {"per_receipt": 1, "per_member_day": 1},
    },
)

DRAFTS: tuple[Document, ...] = (
    {
        "code": "CEREAL20",
        "name": _names(
            "20 % off breakfast cereals",
            "Sleva 20 % na cereálie",
            "Zľava 20 % na cereálie",
            "20% taniej płatki śniadaniowe",
        ),
        "condition": _items(1, "COLD CEREAL"),
        "benefit": {"kind": "percent", "off": "20"},
        "limits": {"amount": 100_000},
    },
    {
        "code": "BEEF3",
        "name": _names(
            "3.00 off beef from 15.00",
            "Hovězí od 15,00 o 3,00 levněji",
            "Hovädzie od 15,00 o 3,00 lacnejšie",
            "Wołowina od 15,00 o 3,00 taniej",
        ),
        "condition": {"kind": "value", "amount": 1500, "select": {"categories": ["BEEF"]}},
        "benefit": {"kind": "amount", "off": 300, "per": "application"},
        "limits": {"per_receipt": 1},
    },
)
"""Not decided yet: they are rehearsed, and wait for a second person."""


def live_document(*, today: date, store_code: str) -> Document:
    """Return what runs in the weeks around `today`; the gifts lie in one store."""
    return {
        "format": 1,
        "choice": "best",
        "vouchers": list(BATCHES),
        "rewards": [
            {**reward, **({"stock": {store_code: STOCK[reward["code"]]}} if reward["code"] in STOCK else {})}
            for reward in REWARDS
        ],
        "offers": [_dated(offer, first=today - timedelta(weeks=1)) for offer in LIVE],
    }


def draft_document(*, today: date) -> Document:
    """Return what marketing thinks of for the weeks from `today` on."""
    return {"format": 1, "offers": [_dated(offer, first=today) for offer in DRAFTS]}


def _dated(offer: Document, *, first: date) -> Document:
    """Return `offer` with its validity: whole days in the stores' time, for eight weeks."""
    content = dict(offer)
    weekdays = content.pop("valid_weekdays", [])
    ends = first + timedelta(weeks=WEEKS)
    return {
        **content,
        "valid": {"from": _midnight(first), "to": _midnight(ends), "weekdays": weekdays, "hours": []},
    }


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), zone(TIMEZONE)).astimezone(UTC).isoformat()
