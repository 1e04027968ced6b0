"""Sales of a file, a chunk at a time: whose they are, what is odd about them, what they earn."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from core.driver import driver_of
from customers.card_standing import CardStanding, standing_of_cards
from customers.operations import put_into_use
from loyalty.imports.bulk import EarningSales, book_earned, share_over_lines
from loyalty.imports.rules import amounts_that_earn, lines_left_out
from loyalty.programme.rules import Programmes
from sales.receipt_chunks import Chunk, moment_of
from sales.receipt_loading import Arrivals, BookedRules, Holders, write
from sales.receipts import Flag
from sales.staff_cards import staff_bindings

Flags = list[tuple[int, Flag]]
"""Flags, each with the index of its receipt."""


@dataclass(frozen=True)
class ImportedSales:
    """Sales that are about to be written, with everything that was made of them."""

    arrivals: Arrivals
    holders: Holders
    flags: Flags
    shares: np.ndarray
    """Of lines: the points earned."""
    rules: BookedRules


def consider(session: Session, arrivals: Arrivals, *, rules: Programmes, now: datetime) -> ImportedSales:
    """
    Return what new sales come to, by the rules that hold at the till on their business dates.

    A card from stock is put into use, as a scan at a till would. Nothing else is written.
    """
    chunk = arrivals.chunk
    numbers = chunk.head["card_number"]
    cards = standing_of_cards(session, {number for number in numbers if number})
    for number in sorted(number for number, card in cards.items() if card.state == "stock"):
        account_id = put_into_use(session, card_number=number, now=now)
        cards[number] = CardStanding("issued", None, account_id, None)
    scanned = [cards.get(number) if number else None for number in numbers]
    earning = _earning_cards(chunk, scanned)
    holders = Holders(
        [card.account_id if card else None for card in earning],
        [card.member_id if card else None for card in earning],
    )
    excluded = lines_left_out(session, arrivals, rules)
    amounts = amounts_that_earn(chunk, rules, excluded)
    points = _points(
        arrivals, _not_their_own(session, arrivals, earning), rules, chunk.sum_by_receipt(amounts).tolist()
    )
    shares = share_over_lines(points, amounts, chunk.starts)
    booked = BookedRules([rules.on(day).version or None for day in chunk.business_dates], excluded)
    flags = [*_card_flags(numbers, scanned, earning), *_line_flags(arrivals), *_sum_flags(arrivals)]
    return ImportedSales(arrivals, holders, flags, shares, booked)


def store_and_book(
    session: Session, sales: ImportedSales, *, rules: Programmes, now: datetime, clocked: Any
) -> int:
    """Write the sales and book what they earn; returns the points. `clocked` measures each part."""
    with clocked("loading"):
        write(
            session,
            sales.arrivals,
            holders=sales.holders,
            points=sales.shares,
            flags=sales.flags,
            now=now,
            rules=sales.rules,
        )
    with clocked("booking"):
        chunk = sales.arrivals.chunk
        earning = EarningSales(
            receipt_ids=sales.arrivals.receipt_ids,
            business_dates=chunk.business_dates,
            timezones=[store.timezone for store in sales.arrivals.stores],
            account_ids=sales.holders.account_ids,
            starts=chunk.starts,
            line_numbers=chunk.rows.column("line_number").to_numpy(),
            shares=sales.shares,
        )
        return book_earned(session, earning, rules=rules, now=now)


_ANY_AWAITED = "select exists (select from receipt_link where original_receipt_id is null)"
_AWAITED = """
    select distinct original_identity from receipt_link
    where original_receipt_id is null and original_identity = any(%s)
"""


def awaited(session: Session, chunk: Chunk) -> np.ndarray:
    """Return which receipts of `chunk` a return or void of a till waits for."""
    driver = driver_of(session)
    if driver.execute(_ANY_AWAITED).fetchone() == (False,):
        return np.zeros(len(chunk), bool)  # the usual case, spared from sending every identity
    identities = chunk.identities
    waiting = {row[0] for row in driver.execute(_AWAITED, (identities,)).fetchall()}
    return np.array([identity in waiting for identity in identities], bool)


def _earning_cards(chunk: Chunk, scanned: Sequence[CardStanding | None]) -> list[CardStanding | None]:
    """Return the cards that stood for their account when their receipt was closed."""
    earning: list[CardStanding | None] = []
    for card, microseconds in zip(scanned, chunk.microseconds.tolist(), strict=True):
        stands = card is not None and card.account_id is not None
        if stands and card and card.state in {"blocked", "expired"}:
            stands = card.blocked_at is not None and moment_of(microseconds) <= card.blocked_at
        earning.append(card if stands else None)
    return earning


def _not_their_own(
    session: Session, arrivals: Arrivals, earning: Sequence[CardStanding | None]
) -> list[CardStanding | None]:
    """Return the cards that earn, without those of the operators who rang the baskets themselves."""
    chunk = arrivals.chunk
    bound = staff_bindings(session)
    if not bound:
        return list(earning)
    found: list[CardStanding | None] = []
    for card, store, operator, microseconds in zip(
        earning, arrivals.stores, chunk.head["operator_code"], chunk.microseconds.tolist(), strict=True
    ):
        own = card is not None and any(
            binding.is_own(card.account_id, card.member_id, moment_of(microseconds))
            for binding in bound.get((store.store_id, operator or ""), ())
        )
        found.append(None if own else card)
    return found


def _points(
    arrivals: Arrivals, earning: Sequence[CardStanding | None], rules: Programmes, bases: Sequence[int]
) -> list[int]:
    """Return what each sale earns on its base; only one in its store's currency does."""
    days, currencies = arrivals.chunk.business_dates, arrivals.chunk.head["currency"]
    return [
        rules.on(day).points_for(base, store.currency) if card and currency == store.currency else 0
        for base, day, store, card, currency in zip(
            bases, days, arrivals.stores, earning, currencies, strict=True
        )
    ]


def _card_flags(
    numbers: Sequence[str | None],
    scanned: Sequence[CardStanding | None],
    earning: Sequence[CardStanding | None],
) -> Iterator[tuple[int, Flag]]:
    for index, (number, card, earns) in enumerate(zip(numbers, scanned, earning, strict=True)):
        if number is None or earns is not None:
            continue
        if card is None:
            yield (
                index,
                Flag("unknown_card", "the card number was never seen, or its check digit is wrong"),
            )
        else:
            yield index, Flag("blocked_card", "the receipt was closed after the card was blocked")


def _line_flags(arrivals: Arrivals) -> Iterator[tuple[int, Flag]]:
    chunk = arrivals.chunk
    unknown = np.flatnonzero(pc.is_null(arrivals.articles).to_numpy(zero_copy_only=False))
    rows = chunk.rows.select(["sku", "gtin", "line_number"]).take(unknown).to_pylist()
    for index, row in zip(chunk.receipt_of_line[unknown].tolist(), rows, strict=True):
        named = " ".join(code for code in (row["sku"], row["gtin"]) if code)
        yield index, Flag("unknown_article", f"nobody has heard of {named}", row["line_number"])
    masked = np.flatnonzero(chunk.rows.column("masked").to_numpy(zero_copy_only=False))
    for index in np.unique(chunk.receipt_of_line[masked]).tolist():
        yield index, Flag("masked", "a payment-card number stood in a text and was masked")


def _sum_flags(arrivals: Arrivals) -> Iterator[tuple[int, Flag]]:
    chunk = arrivals.chunk
    for index, (stated, store) in enumerate(zip(chunk.head["currency"], arrivals.stores, strict=True)):
        if stated != store.currency:
            words = f"the currency is {stated}, the store's is {store.currency}"
            yield index, Flag("totals_mismatch", words)
    yield from chunk.wrong_lines()
    if any(chunk.totals):
        yield from _wrong_totals(chunk)


def _wrong_totals(chunk: Chunk) -> Iterator[tuple[int, Flag]]:
    """Yield what does not add up in the sums that a file states besides its lines."""
    sums = chunk.sum_by_receipt(chunk.amounts("total_amount")).tolist()
    for index, (totals, net) in enumerate(zip(chunk.totals, sums, strict=True)):
        if totals is None:
            continue
        rounding, payable, tenders = json.loads(totals)
        paid = sum(amount for _, amount in tenders)
        for name, said, expected in (
            ("payable_amount", payable, net + rounding),
            ("tenders", paid if tenders else payable, payable),
        ):
            if said != expected:
                yield index, Flag("totals_mismatch", f"{name} says {said}, the receipt makes {expected}")
