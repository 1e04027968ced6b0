"""Sales of a file, a chunk at a time: whose they are, what is odd about them, what they earn."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from core.coded import Coded
from core.driver import driver_of
from customers.card_standing import CardStanding, standing_of_cards
from customers.operations import put_into_use
from loyalty.imports.bulk import EarningSales, book_earned, share_over_lines
from loyalty.imports.rules import amounts_that_earn, lines_left_out
from loyalty.programme.rules import Programmes
from sales.queries import StoreView
from sales.receipt_chunks import EPOCH, Chunk, moment_of
from sales.receipt_loading import Arrivals, BookedRules, Holders, write
from sales.receipts import Flag
from sales.staff_cards import staff_bindings

NEVER, FOREVER = -(2**63), 2**63 - 1
"""Moments in microseconds, before and after every receipt's."""

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
    numbers = chunk.coded["card_number"]
    cards = standing_of_cards(session, numbers.used())
    for number in sorted(number for number, card in cards.items() if card.state == "stock"):
        account_id = put_into_use(session, card_number=number, now=now)
        if account_id is None:
            cards |= standing_of_cards(session, [number])
        else:
            cards[number] = CardStanding("issued", None, account_id, None)
    scanned = numbers.of_each(cards.get)
    earning = scanned.unless(~_stands(chunk, scanned))
    holders = Holders(
        earning.mapped(lambda card: card.account_id if card else None),
        earning.mapped(lambda card: card.member_id if card else None),
    )
    excluded = lines_left_out(session, arrivals, rules)
    amounts = amounts_that_earn(chunk, rules, excluded)
    earns = (earning.places >= 0) & ~_their_own(session, arrivals, earning)
    points = _points(arrivals, earns, rules, chunk.sum_by_receipt(amounts))
    shares = share_over_lines(points, amounts, chunk.starts)
    versions = chunk.days.of_each(lambda day: rules.on(day).version or None).as_arrow(pa.int32())
    flags = [*_card_flags(scanned, earning, numbers), *_line_flags(arrivals), *_sum_flags(arrivals)]
    return ImportedSales(arrivals, holders, flags, shares, BookedRules(versions, excluded))


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
            business_dates=chunk.days,
            timezones=sales.arrivals.stores.of_each(lambda store: store.timezone),
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


def _stands(chunk: Chunk, scanned: "Coded[CardStanding | None]") -> np.ndarray:
    """Return which receipts' cards stood for their account when the receipt was closed."""
    until = [_stood_until(card) for card in scanned.distinct]
    found: np.ndarray = chunk.microseconds <= np.array([*until, NEVER])[scanned.places]
    return found


def _stood_until(card: CardStanding | None) -> int:
    """Return the last microsecond since 1970 in which a card stood for its account."""
    if card is None or card.account_id is None:
        return NEVER
    if card.state not in {"blocked", "expired"}:
        return FOREVER
    return NEVER if card.blocked_at is None else (card.blocked_at - EPOCH) // timedelta(microseconds=1)


def _their_own(session: Session, arrivals: Arrivals, earning: "Coded[CardStanding | None]") -> np.ndarray:
    """Return which receipts the cards' own operators rang, who earn nothing of themselves."""
    chunk = arrivals.chunk
    own = np.zeros(len(chunk), bool)
    bound = staff_bindings(session)
    if not bound:
        return own
    for index, (card, store, operator, microseconds) in enumerate(
        zip(
            earning.values(),
            arrivals.stores.values(),
            chunk.head["operator_code"],
            chunk.microseconds.tolist(),
            strict=True,
        )
    ):
        own[index] = (
            card is not None
            and store is not None
            and any(
                binding.is_own(card.account_id, card.member_id, moment_of(microseconds))
                for binding in bound.get((store.store_id, operator or ""), ())
            )
        )
    return own


def _points(arrivals: Arrivals, earns: np.ndarray, rules: Programmes, bases: np.ndarray) -> list[int]:
    """Return what each sale earns on its base; only one in its store's currency does."""
    days = arrivals.chunk.days
    currencies = arrivals.stores.mapped(lambda store: store.currency)
    versions = days.mapped(lambda day: rules.on(day).version)
    programmes = {rules.on(day).version: rules.on(day) for day in days.distinct}
    points = np.zeros(len(bases), object)
    earns = earns & ~_in_other_currency(arrivals)
    for at, version in enumerate(versions.distinct):
        for place, currency in enumerate(currencies.distinct):
            chosen = earns & (versions.places == at) & (currencies.places == place)
            # Many baskets come to the same amount.
            amounts, places = np.unique(bases[chosen], return_inverse=True)
            programme = programmes[version]
            earned = [programme.points_for(amount, currency) for amount in amounts.tolist()]
            points[chosen] = np.array(earned, object)[places]
    return points.tolist()


def _card_flags(
    scanned: "Coded[CardStanding | None]", earning: "Coded[CardStanding | None]", numbers: Coded[str]
) -> Iterator[tuple[int, Flag]]:
    for index in np.flatnonzero((numbers.places >= 0) & (earning.places < 0)).tolist():
        if scanned.distinct[scanned.places[index]] is None:
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
    for index in np.flatnonzero(_in_other_currency(arrivals)).tolist():
        stated = chunk.head["currency"][index]
        words = f"the currency is {stated}, the store's is {_store(arrivals, index).currency}"
        yield index, Flag("totals_mismatch", words)
    yield from chunk.wrong_lines()
    if chunk.says_totals:
        yield from _wrong_totals(chunk)


def _store(arrivals: Arrivals, index: int) -> StoreView:
    return arrivals.stores.distinct[int(arrivals.stores.places[index])]


def _in_other_currency(arrivals: Arrivals) -> np.ndarray:
    """Return which receipts state another currency than their store's."""
    own = arrivals.stores.of_each(lambda store: store.currency).as_arrow(pa.string())
    found: np.ndarray = pc.not_equal(arrivals.chunk.cells["currency"], own).to_numpy(zero_copy_only=False)
    return found


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
