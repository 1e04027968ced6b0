"""Who buys what, as offers see it: the articles of a basket and the person behind its card, in one question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from core.records import record
from rewards.carts import Cart, CartLine, Shopper
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import BasketLine
from sales.receipts import PostedLine

SCENE = """
    select * from basket_scene(
        %(card_number)s::text, %(skus)s::text[], %(gtins)s::text[], %(at)s::timestamptz, %(asks_first)s::boolean)
"""
"""The generation of the live offers, the articles of the lines, and the member behind the card; asked with `scene_values`."""


@record
class Scene:
    """The cart on the counter and who buys it; None where the card is nobody's, or there is none."""

    generation: int | None
    cart: Cart
    shopper: Shopper | None


Lines = Sequence[PostedLine | BasketLine]


def scene_values(
    session: Session,
    *,
    lines: Lines,
    card_number: str | None,
    store_id: int,
    at: datetime,
    asks_first: bool,
) -> dict[str, Any]:
    """Return the values for the places in `SCENE`; `asks_first` says whether it matters that a purchase is the first."""
    skus, gtins = codes_to_look_up(session, lines, store_id=store_id)
    return {
        "skus": skus,
        "gtins": gtins,
        "card_number": card_number,
        "at": at,
        "asks_first": asks_first,
    }


def scene_in(row: Sequence[Any], *, lines: Lines, values: Mapping[str, Any]) -> Scene:
    """Return what `SCENE` found for these lines and values."""
    generation, goods, code, birth_date, company, groups, staff, first, phase, value = row
    shopper = None
    if code is not None:
        shopper = Shopper(
            member_code=code,
            groups=tuple(groups or ()),
            phase=phase,
            value=value,
            birth_date=birth_date,
            first_purchase=first,
            staff=staff,
            company=company,
        )
    codes = zip(lines, goods or (None,) * len(lines), values["skus"], values["gtins"], strict=True)
    cart = tuple(_cart_line(line, article, sku, gtin) for line, article, sku, gtin in codes)
    return Scene(generation, cart, shopper)


def ask_scene(session: Session, *, lines: Lines, values: dict[str, Any]) -> Scene:
    """Ask for a scene alone, in a round trip of its own."""
    row = ask(session, SCENE, values).fetchone()
    assert row is not None
    return scene_in(row, lines=lines, values=values)


def with_tier(shopper: Shopper | None, tier: str | None) -> Shopper | None:
    """Return the shopper with the code of their tier."""
    return shopper if shopper is None or tier is None else replace(shopper, tier=tier)


def person_of(member_id: UUID | None, account_id: UUID | None) -> UUID | None:
    """Return whom limits per member count: the member, or the account of a card that has none."""
    return member_id or account_id


def _cart_line(
    line: PostedLine | BasketLine, article: Sequence[Any] | None, sku: str | None, gtin: str | None
) -> CartLine:
    if article is None:
        return CartLine(line.line_number, line.quantity, line.unit, line.unit_price, sku, gtin, known=False)
    # What the article's master record leaves open, the line may say.
    sku, gtin = article[0] or sku, article[1] or gtin
    category, kind, department, brand = article[2:6]
    return CartLine(
        line.line_number,
        line.quantity,
        line.unit,
        line.unit_price,
        sku,
        gtin,
        category,
        kind,
        department,
        brand,
    )
