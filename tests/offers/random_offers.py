"""Random baskets and random offers for them: small worlds in which much collides."""

import random
from typing import Any

from tests.offers.conftest import ARTICLES, basket, offer

SKUS = [*ARTICLES, "nobody"]
PRICES = [1, 3, 99, 100, 333, 1000, 1990, 3330, 5990]
BATCHES = ["V1", "V2"]


def random_basket(dice: random.Random) -> list[dict[str, Any]]:
    lines: list[tuple[Any, ...]] = []
    for _ in range(dice.choice([1, 1, 2, 3, 3, 4, 6, 9])):
        kind = dice.random()
        if kind < 0.08:
            lines.append(("bottle", dice.randint(1, 3), dice.choice([-300, -100, 0])))
        elif kind < 0.25:
            quantity = dice.choice(["0.754", "0.5", "1.25", "2.005", "0.001", "2"])
            lines.append((dice.choice(["cheese", "cheese2"]), quantity, dice.choice([29900, 19900, 1]), "kg"))
        else:
            lines.append((dice.choice(SKUS), dice.choice([1, 1, 1, 2, 3, 5, 8, 25]), dice.choice(PRICES)))
    return basket(*lines)


def random_select(dice: random.Random, depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    facts = {"categories": "category", "types": "type", "departments": "department", "brands": "brand"}
    kind = dice.random()
    if kind < 0.15:
        return found
    if kind < 0.3:
        found["skus"] = dice.sample(SKUS, dice.randint(1, 3))
    else:
        key = dice.choice(["categories", "categories", "departments", "departments", "types", "brands"])
        values = sorted({str(article[facts[key]]) for article in ARTICLES.values() if article[facts[key]]})
        found[key] = dice.sample(values, dice.randint(1, min(3, len(values))))
    if depth == 0 and dice.random() < 0.15:
        excepted = random_select(dice, 1)
        if excepted:
            found["except"] = excepted
    return found


def quantity(dice: random.Random) -> str:
    return dice.choice(["1", "1", "2", "3", "5", "1.5", "0.5"])


def random_condition(dice: random.Random, depth: int = 0) -> dict[str, Any]:
    kind = dice.choice(
        ["items"] * 6
        + ["each"] * 2
        + ["value"] * 2
        + ["always", "voucher"]
        + (["all", "any", "not"] if depth < 2 else [])
    )
    if kind == "items":
        return {"kind": kind, "select": random_select(dice), "quantity": quantity(dice)}
    if kind == "each":
        parts = [
            {"select": random_select(dice), "quantity": quantity(dice)} for _ in range(dice.randint(1, 3))
        ]
        return {"kind": kind, "of": parts}
    if kind == "value":
        return {
            "kind": kind,
            "select": random_select(dice),
            "amount": dice.choice([0, 1, 1000, 5000, 10000, 20000]),
            "measure": dice.choice(["gross", "net"]),
        }
    if kind == "voucher":
        return {"kind": kind, "batch": dice.choice(BATCHES)}
    if kind == "always":
        return {"kind": kind}
    return {"kind": kind, "of": [random_condition(dice, depth + 1) for _ in range(dice.randint(1, 3))]}


def random_benefit(dice: random.Random) -> dict[str, Any]:
    kind = dice.choice(
        ["percent"] * 4 + ["amount"] * 3 + ["fixed_price"] * 3 + ["nth"] * 4 + ["points", "points_multiplier"]
    )
    benefit: dict[str, Any] = {"kind": kind}
    if kind == "percent":
        benefit["off"] = dice.choice(["10", "15", "33.33", "50", "100", "0.5", "12.5"])
        if dice.random() < 0.2:
            benefit["max_amount"] = dice.choice([1, 500, 1000])
    elif kind == "amount":
        benefit |= {"off": dice.choice([1, 100, 500, 999, 5000]), "per": dice.choice(["unit", "application"])}
    elif kind == "fixed_price":
        benefit |= {
            "price": dice.choice([0, 99, 799, 2000, 5000]),
            "per": dice.choice(["unit", "application"]),
        }
    elif kind == "nth":
        benefit |= {"off": dice.choice(["50", "100", "33.33"]), "which": dice.choice(["cheapest", "dearest"])}
        if dice.random() < 0.4:
            benefit["count"] = dice.randint(1, 3)
    elif kind == "points":
        benefit["points"] = dice.choice([1, 50])
    else:
        benefit["times"] = dice.choice(["0", "2", "3", "1.5"])
    if dice.random() < 0.3:
        benefit["select"] = random_select(dice)
    return benefit


def random_offer(dice: random.Random, code: str) -> dict[str, Any]:
    condition = random_condition(dice)
    stage = dice.choice(["article"] * 4 + ["basket", "points"])
    if dice.random() < 0.1:
        condition, stage = {"kind": "voucher", "batch": dice.choice(BATCHES)}, "voucher"
    limits = {"per_receipt": dice.choice([1, 1, 2, 3])} if dice.random() < 0.3 else {}
    return offer(
        code,
        condition,
        random_benefit(dice),
        stage=stage,
        priority=dice.choice([10, 100, 100, 200]),
        exclusive_group=dice.choice([None, None, None, "G", "G", "H"]),
        stackable=dice.random() < 0.8,
        limits=limits,
    )


def random_offers(dice: random.Random, most: int = 6) -> list[dict[str, Any]]:
    number = dice.choice([1, 1, 2, 3, most])
    codes = [f"O{place}" for place in range(number)]
    dice.shuffle(codes)
    return [random_offer(dice, code) for code in codes]


def random_presented(dice: random.Random) -> list[str]:
    return [batch for batch in BATCHES if dice.random() < 0.5]


def random_left(dice: random.Random, offers: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """What is left of some budgets."""
    found: dict[str, dict[str, int]] = {}
    for one in offers:
        if dice.random() < 0.25:
            one["limits"] = one["limits"] | {"uses": 1000, "amount": 10**9}
            found[one["code"]] = {
                "uses": dice.choice([0, 1, 2, 100]),
                "amount": dice.choice([0, 100, 1000, 10**6]),
            }
    return found
