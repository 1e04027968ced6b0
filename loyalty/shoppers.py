"""Who buys what, as offers see it: the articles of a basket and the person behind its card, in one question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from customers.queries import HOLDER
from rewards.carts import Cart, CartLine, Shopper
from rewards.live_book import GENERATION
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import BasketLine
from sales.receipts import PostedLine

SCENE = f"""
    with holder as ({HOLDER})
    select {GENERATION},
        (select json_agg(
             case when by_sku.article_id is not null then json_build_array(
                 by_sku.sku, by_sku.gtin, by_sku.category, by_sku.type, by_sku.department, by_sku.brand)
             when by_gtin.article_id is not null then json_build_array(
                 by_gtin.sku, by_gtin.gtin, by_gtin.category, by_gtin.type, by_gtin.department, by_gtin.brand) end
             order by line.position)
         from unnest(%(skus)s::text[], %(gtins)s::text[]) with ordinality as line (sku, gtin, position)
         left join article as by_sku on by_sku.sku = line.sku
         left join article as by_gtin on by_gtin.gtin = line.gtin and by_sku.article_id is null),
        person.*
    from (values (1)) as one
    left join lateral (
        select member.member_code, member.birth_date,
            coalesce(member.company_name, member.company_id, member.vat_id) is not null,
            (select jsonb_agg(membership.group_id) from group_membership as membership
             where membership.member_id = member.member_id and membership.run_id = (select run_id from served_run)
               and member.profiling_objected_at is null),
            exists (
                select from staff_card join card on card.card_number = staff_card.card_number
                where card.member_id = member.member_id
                  and staff_card.registered_at <= %(at)s::timestamptz
                  and (staff_card.ended_at is null or staff_card.ended_at > %(at)s::timestamptz)),
            %(asks_first)s::boolean and not exists (
                select from receipt
                where receipt.account_id = holder.account_id and receipt.type = 'sale' and receipt.mode = 'live'),
            standing.phase, standing.value_class
        from holder join member using (member_id)
        left join member_standing as standing
          on standing.run_id = (select run_id from served_run) and standing.member_id = member.member_id
          and member.profiling_objected_at is null
    ) as person on true
"""
"""The generation of the live offers, the articles of the lines, and the member behind the card; asked with `scene_values`."""


@dataclass(frozen=True, slots=True)
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


def scene_in(row: Sequence[Any], *, lines: Lines, values: dict[str, Any]) -> Scene:
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
    line: PostedLine | BasketLine, article: tuple[str | None, ...] | None, sku: str | None, gtin: str | None
) -> CartLine:
    if article is None:
        return CartLine(line.line_number, line.quantity, line.unit, line.unit_price, sku, gtin, known=False)
    # What the article's master record leaves open, the line may say.
    sku, gtin = article[0] or sku, article[1] or gtin
    category, kind, department, brand = article[2:]
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
