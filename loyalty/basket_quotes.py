"""Quoting a basket: what it would cost and earn if it were paid now; nothing but the quote itself is written."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.ids import uuid7
from customers.queries import CardHolder, CardNotFound
from loyalty.earning import earned_on_receipt
from loyalty.exclusions import excluded_of_codes
from loyalty.flags import may_earn
from loyalty.lots import Position
from loyalty.opening import Scanned
from loyalty.printing import language_of_store
from loyalty.programme import Programme
from loyalty.programme_versions import programmes
from loyalty.queries import CardStanding, may_spend, member_document, standing_of_card
from loyalty.quote_words import messages_of
from loyalty.quotes import HONOURED_FOR
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import Basket
from sales.receipts import PostedReceipt, TillIdentity, line_gross


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The sale that a basket would become, and its points: what it would earn, spend, and could spend at most."""

    sale: PostedReceipt
    to_earn: int
    to_spend: int
    spendable: int


def quote_basket(session: Session, *, till: TillIdentity, basket: Basket, now: datetime) -> dict[str, Any]:
    """
    Return what `basket` comes to at `till`, as the body of the contract, and keep it under its id.

    It is never refused: more points than can be spent are cut, a card that is unknown or blocked earns
    and spends nothing, and the messages say so. The rules are those of the day on which it would be paid.
    """
    programme = programmes(session).on(business_day(basket.at or now, till.timezone))
    standing = _standing(session, basket, till, now)
    holder, position = (standing.holder, standing.position) if standing else (None, Position())
    evaluated = evaluate(
        basket,
        till,
        holder=holder,
        position=position,
        now=now,
        programme=programme,
        excluded=_excluded(session, basket, till, programme),
    )
    document = {
        "quote_id": str(uuid7()),
        "valid_until": (now + HONOURED_FOR).isoformat(),
        **_priced(evaluated),
        "points": {
            "to_earn": evaluated.to_earn,
            "to_spend": evaluated.to_spend,
            "available": position.available,
            "pending": position.pending,
            "spendable_now": evaluated.spendable,
            "spendable_value": programme.value_of(evaluated.spendable, basket.currency),
        },
        "gifts": [],
        "vouchers": [],
        "not_applied": [],
        "next_offers": [],
        "member": member_document(holder, business_day(now, till.timezone), standing.tier_code)
        if holder and standing
        else None,
        "messages": messages_of(
            basket,
            holder=holder,
            currency=till.currency,
            spends=evaluated.to_spend,
            rewards=standing.rewards if standing else (),
            points_after=position.balance + evaluated.to_earn - evaluated.to_spend,
            language=(holder.language if holder else None) or language_of_store(till.timezone),
        ),
    }
    _keep(session, document, till=till, basket=basket, holder=holder, now=now)
    return document


def evaluate(
    basket: Basket,
    till: TillIdentity,
    *,
    holder: CardHolder | None,
    position: Position,
    now: datetime,
    programme: Programme,
    excluded: Collection[int] = (),
) -> Evaluated:
    """
    Return what `basket` would be as a sale, with the very rules that book one. Pure.

    `excluded` are the numbers of lines that earn nothing. Offers come in between: they lower the
    lines of the sale before its points are counted.
    """
    paid_at = basket.at or now
    sale = basket.as_sale(closed_at=paid_at, business_date=business_day(paid_at, till.timezone))
    bill = sum(line.total_amount for line in sale.lines)
    spendable = 0
    # What a reservation would be refused for must not be promised: a replaced card shows points, but spends none.
    if (
        holder is not None
        and may_spend(holder, programme)
        and holder.state in {"active", "issued"}
        and basket.currency == till.currency
    ):
        spendable = programme.spendable_on(bill, position.available, basket.currency)
    to_spend = programme.spendable(min(basket.points_to_spend, spendable))
    value = programme.value_of(to_spend, basket.currency)
    sale = replace(sale, totals=replace(sale.totals, points_amount=value, payable_amount=bill - value))
    earns = holder is not None and _would_earn(sale, holder)
    earned = earned_on_receipt(sale, till, programme, excluded) if earns else {}
    return Evaluated(sale=sale, to_earn=sum(earned.values()), to_spend=to_spend, spendable=spendable)


def _excluded(session: Session, basket: Basket, till: TillIdentity, programme: Programme) -> set[int]:
    """Return the numbers of the lines that earn nothing; asks nothing where nothing is left out."""
    if not programme.excluded:
        return set()
    skus, gtins = codes_to_look_up(session, basket.lines, store_id=till.store_id)
    codes = list(zip(skus, gtins, strict=True))
    places = excluded_of_codes(session, codes=codes, excluded=programme.excluded)
    return {basket.lines[place].line_number for place in places}


def _would_earn(sale: PostedReceipt, holder: CardHolder) -> bool:
    """Return whether a card would earn; one from stock is in use from its first sale on."""
    card = Scanned(
        state=holder.successor_state,
        blocked_at=holder.blocked_at,
        account_id=holder.account_id,
        member_id=holder.member_id,
        given_name=holder.given_name,
        family_name=holder.family_name,
        language=holder.language,
        birth_date=holder.birth_date,
    )
    return card.state == "stock" or may_earn(sale, card)


def _standing(session: Session, basket: Basket, till: TillIdentity, now: datetime) -> CardStanding | None:
    """Return how the basket's card stands; None without one, and for one that was never seen."""
    if basket.card_number is None:
        return None
    try:
        return standing_of_card(
            session,
            card_number=basket.card_number,
            store_id=till.store_id,
            now=now,
            today=business_day(now, till.timezone),
        )
    except CardNotFound:
        return None


def _priced(evaluated: Evaluated) -> dict[str, Any]:
    totals = evaluated.sale.totals
    return {
        "lines": [
            {
                "line_number": line.line_number,
                "gross_amount": line_gross(line),
                "discount_amount": line.discount_amount,
                "net_amount": line.total_amount,
                "discounts": [],
            }
            for line in evaluated.sale.lines
        ],
        "totals": {
            "gross_amount": totals.gross_amount,
            "discount_amount": totals.discount_amount,
            "points_amount": totals.points_amount,
            "payable_amount": totals.payable_amount,
        },
    }


_KEEP = """
    insert into quote (
        quote_id, store_id, till_id, card_number, account_id, currency, quoted_at, valid_until, lines,
        gross_amount, discount_amount, points_amount, payable_amount, points_to_spend, points_to_earn)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _keep(
    session: Session,
    document: Mapping[str, Any],
    *,
    till: TillIdentity,
    basket: Basket,
    holder: CardHolder | None,
    now: datetime,
) -> None:
    totals, points = document["totals"], document["points"]
    lines = [
        [
            line.line_number,
            str(line.quantity),
            line.unit_price,
            quoted["gross_amount"],
            quoted["discount_amount"],
        ]
        for line, quoted in zip(basket.lines, document["lines"], strict=True)
    ]
    values = (
        document["quote_id"],
        till.store_id,
        till.till_id,
        basket.card_number,
        holder.account_id if holder else None,
        basket.currency,
        now,
        now + HONOURED_FOR,
        json.dumps(lines),
        totals["gross_amount"],
        totals["discount_amount"],
        totals["points_amount"],
        totals["payable_amount"],
        points["to_spend"],
        points["to_earn"],
    )
    driver_of(session).execute(_KEEP, values, prepare=True)
