"""Random baskets and random offers over few articles and prices, so that they meet and tie often."""

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from rewards.carts import CartLine, Occasion, Presented, Shopper

CATEGORIES = ("TEA", "CHOC", "SOAP")
AT = datetime(2026, 11, 21, 9, 15, tzinfo=UTC)


def occasion(random: Random, **changed: Any) -> Occasion:
    presented = {}
    if random.random() < 0.4:
        presented["PAPER"] = Presented(("PAPER-1",))
    if random.random() < 0.3:
        presented["WORTH"] = Presented(
            tuple(f"WORTH-{number}" for number in range(random.randint(1, 2))),
            value_amount=random.choice((100, 999, 5000)),
            minimum_amount=random.choice((None, 0, 8000)),
            currency="CZK",
        )
    told: dict[str, Any] = {
        "at": AT,
        "timezone": "Europe/Prague",
        "store_code": "S1",
        "currency": "CZK",
        "shopper": random.choice((None, Shopper("M1"))),
        "presented": presented,
    }
    return Occasion(**(told | changed))


def cart(random: Random, most: int = 5) -> tuple[CartLine, ...]:
    numbers = random.sample(range(1, 20), random.randint(1, most))
    return tuple(_line(random, number) for number in numbers)


def _line(random: Random, number: int) -> CartLine:
    category = random.choice((*CATEGORIES, "OTHER"))
    sku = f"{category}{random.randint(1, 2)}"
    known = random.random() < 0.95
    article = {
        "sku": sku,
        "gtin": random.choice((None, "8594001021512")),
        "category": category if known else None,
        "brand": random.choice(("B1", "B2")) if known else None,
        "known": known,
    }
    if random.random() < 0.1:
        return CartLine(number, Decimal(random.randint(1, 3)), "pcs", random.choice((-300, 0)), **article)
    if random.random() < 0.2:
        quantity = Decimal(random.choice((200, 754, 1000, 1500, 2333))).scaleb(-3)
        return CartLine(number, quantity, "kg", random.choice((9900, 29900, 101)), **article)
    price = random.choice((1, 3, 300, 1990, 1990, 2990, 3330))
    return CartLine(number, Decimal(random.randint(1, 5)), random.choice(("pcs", None)), price, **article)


def select(random: Random) -> dict[str, Any]:
    kind = random.random()
    if kind < 0.55:
        return {"categories": random.sample(CATEGORIES, random.choice((1, 1, 2)))}
    if kind < 0.65:
        return {"skus": [f"{random.choice(CATEGORIES)}1"]}
    if kind < 0.7:
        return {"gtins": ["8594001021512"]}
    if kind < 0.8:
        return {"brands": ["B1"], "except": {"categories": ["SOAP"]}}
    return {} if kind < 0.9 else {"except": {"skus": ["TEA1"]}}


def quantity(random: Random) -> str:
    return random.choice(("1", "1", "1", "2", "2", "3", "0.5", "1.5"))


def condition(random: Random, depth: int = 0) -> dict[str, Any]:
    kinds = ["items"] * 6 + ["each", "value", "value", "always", "voucher"]
    if depth < 2:
        kinds += ["all", "any", "not"]
    kind = random.choice(kinds)
    if kind == "items":
        return {"kind": kind, "select": select(random), "quantity": quantity(random)}
    if kind == "each":
        parts = [
            {"select": select(random), "quantity": quantity(random)} for _ in range(random.randint(1, 3))
        ]
        return {"kind": kind, "of": parts}
    if kind == "value":
        amount = random.choice((0, 1, 3000, 6000))
        return {
            "kind": kind,
            "select": select(random),
            "amount": amount,
            "measure": random.choice(("gross", "net")),
        }
    if kind == "voucher":
        return {"kind": kind, "batch": "PAPER"}
    if kind == "always":
        return {"kind": kind}
    return {"kind": kind, "of": [condition(random, depth + 1) for _ in range(random.randint(1, 2))]}


def benefit(random: Random) -> dict[str, Any]:
    per = random.choice(("unit", "application"))
    off = random.choice(("10", "33.33", "50", "100", "0.01"))
    made: dict[str, Any] = random.choice(
        (
            {"kind": "percent", "off": off},
            {"kind": "percent", "off": off, "max_amount": random.choice((100, 2000))},
            {"kind": "amount", "off": random.choice((0, 1, 500, 5000)), "per": per},
            {"kind": "fixed_price", "price": random.choice((0, 100, 1500, 4000)), "per": per},
            {
                "kind": "nth",
                "off": off,
                "which": random.choice(("cheapest", "dearest")),
                "count": random.randint(1, 2),
            },
            {"kind": "points_multiplier", "times": random.choice(("0", "1", "2", "2.5"))},
            {"kind": "points", "points": random.choice((0, 10))},
            {"kind": "gift", "reward": "MUG"},
            {"kind": "voucher", "batch": "NEXT"},
        )
    )
    if random.random() < 0.3:
        made["select"] = select(random)
    return made


def limits(random: Random) -> dict[str, Any]:
    if random.random() < 0.7:
        return {}
    name = random.choice(("per_receipt", "uses", "amount", "per_store_day_uses", "per_store_week_amount"))
    return {name: random.choice((0, 1, 2, 3)) * (1000 if name.endswith("amount") else 1)}


def offer(random: Random, code: str) -> dict[str, Any]:
    asked = condition(random)
    stage = random.choice(("article", "article", "article", "basket", "points"))
    if asked["kind"] == "voucher" and random.random() < 0.5:
        stage = "voucher"
    return {
        "code": code,
        "audience": {"who": random.choice(("everyone", "everyone", "members"))},
        "stage": stage,
        "priority": random.choice((50, 100, 100, 200)),
        "exclusive_group": random.choice((None, None, "G", "H")),
        "stackable": random.random() < 0.8,
        "limits": limits(random),
        "condition": asked,
        "benefit": benefit(random),
    }


def offers(random: Random, most: int = 5) -> list[dict[str, Any]]:
    return [offer(random, f"O{number}") for number in range(random.randint(1, most))]
