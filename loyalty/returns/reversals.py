"""Returns and voids: booked when what they name is there, otherwise they wait for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from loyalty.booking import Booking, position_after
from loyalty.ledger import Cause
from loyalty.lots import Position
from loyalty.opening import Opening
from loyalty.returns.booked_sale import BookedSale, Moved
from loyalty.returns.originals import Named, Waiting, read_booked_sale, read_named, read_waiting
from loyalty.returns.standing_lines import BroughtBack, Counted
from loyalty.returns.undoing import Undone
from sales.receipts import LIVE, RETURN, SALE, VOID, Flag, PostedReceipt, TillIdentity, own_identity
from sales.records import Arrival, LinePoints


@dataclass(slots=True)
class _Effect:
    """What a return or void of a receipt comes to."""

    moved: Moved = field(default_factory=Moved)
    points: dict[int, LinePoints] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)


def book_reversal(
    session: Session,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    opening: Opening,
    receipt_id: UUID,
    now: datetime,
) -> Booking:
    """
    Book a return or void on the account of its original, or find out why it has no effect.

    Training and suspended ones have none, nor has one that names nothing: such a return is blind, such
    a void means nothing, which a person has to look at. One whose original is not there waits for it.
    """
    if posted.mode != LIVE:
        return _without_effect(opening)
    if posted.original is None:
        booking = _without_effect(opening)
        if posted.type == VOID:
            booking.flags = [Flag("original_missing", "the void does not say what is voided")]
        return booking
    if opening.original_receipt is None:
        return _waiting(opening, "the original has not come yet")
    named = read_named(
        session,
        business_date=posted.original.business_date,
        receipt_id=opening.original_receipt,
        identity=posted.original.identity,
    )
    if posted.type == VOID and named.type == RETURN and named.waits:
        return _waiting(opening, "the sale of the return has not come yet")
    sale = _sale_of(session, named, till, now)
    lines = _brought_back(posted)
    effect = _apply(
        named, sale, kind=posted.type, lines=lines, cause=Cause(posted.business_date, now, receipt_id)
    )
    booking = Booking(
        account_id=named.account_id,
        holdings=[] if sale is None else list(sale.holdings.values()),
        moved=effect.moved,
        points=effect.points,
        flags=effect.flags,
        original_receipt_id=named.receipt_id,
        undone=effect.undone,
        linked=True,
        language=named.language,
    )
    if opening.waiting:
        me = _child(receipt_id, posted, own_identity(posted, till), named)
        booking.arrivals = list(
            book_waiting(
                session,
                named=me,
                sale=sale if named.type == SALE else None,
                now=now,
                undone=booking.undone,
            )
        )
    booking.position = _position(opening, named, sale)
    return booking


def _without_effect(opening: Opening) -> Booking:
    """Return the booking of what moves nothing: the till is told how its card's account stands."""
    account_id = opening.card.account_id if opening.card else None
    shown = opening.held is not None and opening.held.account_id == account_id
    return Booking(account_id=account_id, position=opening.held.position if opening.held and shown else None)


def _waiting(opening: Opening, detail: str) -> Booking:
    booking = _without_effect(opening)
    booking.linked = True
    booking.flags = [Flag("original_missing", detail)]
    return booking


def _position(opening: Opening, named: Named, sale: BookedSale | None) -> Position | None:
    """Return how the original's account stands, None when it has none."""
    if opening.held is None or opening.held.account_id != named.account_id:
        return None
    if sale is None or named.account_id not in sale.holdings:
        return opening.held.position
    return position_after(opening.held, sale.holdings[named.account_id])


def book_waiting(
    session: Session, *, named: Named, sale: BookedSale | None, now: datetime, undone: list[Undone]
) -> Iterator[Arrival]:
    """
    Book what waited for `named`, which was booked just now, and what waited for that in turn.

    `sale` is the sale that `named` is, or is a return of; None when there is none that counts.
    What that leaves nothing of, or something again, is added to `undone`.
    """
    for waiting in read_waiting(session, identity=named.identity):
        cause = Cause(waiting.business_date, now, waiting.receipt_id)
        effect = _apply(named, sale, kind=waiting.type, lines=waiting.lines, cause=cause)
        undone += effect.undone
        yield Arrival(
            receipt_id=waiting.receipt_id,
            business_date=waiting.business_date,
            original_receipt_id=named.receipt_id,
            original_business_date=named.business_date,
            account_id=named.account_id,
            points=effect.points,
            flags=effect.flags,
        )
        if waiting.type == RETURN:
            me = _child(waiting.receipt_id, waiting, waiting.identity, named)
            counting = sale if named.type == SALE else None
            yield from book_waiting(session, named=me, sale=counting, now=now, undone=undone)


def _child(receipt_id: UUID, receipt: PostedReceipt | Waiting, identity: str, original: Named) -> Named:
    """Return a live return or void that was booked just now, as those that name it see it."""
    return Named(
        receipt_id=receipt_id,
        business_date=receipt.business_date,
        type=receipt.type,
        mode=LIVE,
        account_id=original.account_id,
        identity=identity,
        sale_receipt_id=original.receipt_id,
        sale_business_date=original.business_date,
        sale_identity=original.identity,
        waits=False,
    )


# The opening of a void of a return holds what it names, the return, and not the sale of that. A lock of its own: who
# links a sale to a card holds the sale first and its returns after it.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('undone ' || %s::text, 0))"


def _sale_of(session: Session, named: Named, till: TillIdentity, now: datetime) -> BookedSale | None:
    """
    Return the live sale that `named` is, or is a return of; None when there is none that counts.

    Who is about to undo or restore something of the same sale waits here, where it has no account by which they did.
    """
    if named.mode == LIVE and named.type == SALE:
        if named.account_id is not None:
            return read_booked_sale(session, named=named, till=till, now=now)
        ask(session, _LOCK, (named.identity,))
        return read_booked_sale(session, named=named, till=till, now=now)
    if (
        named.type != RETURN
        or not named.sale_receipt_id
        or not named.sale_business_date
        or not named.sale_identity
    ):
        return None
    sale = read_named(
        session,
        business_date=named.sale_business_date,
        receipt_id=named.sale_receipt_id,
        identity=named.sale_identity,
    )
    return _sale_of(session, sale, till, now) if sale.type == SALE else None


def _apply(
    named: Named, sale: BookedSale | None, *, kind: str, lines: tuple[BroughtBack, ...], cause: Cause
) -> _Effect:
    """Book a return or void (`kind`) of `named` on its sale; one that finds nothing to reverse is flagged."""
    if named.mode != LIVE:
        return _Effect()
    assert cause.receipt_id is not None
    emptied_before = sale.emptied_by() if sale else None
    if kind == RETURN and named.type == SALE and sale is not None:
        moved = sale.book_return(cause.receipt_id, lines, cause)
        counted = sale.returns[cause.receipt_id].counted
        flags = [_over(line.line_number, named=line.original_line_number) for line in counted if line.over]
        empties = emptied_before is None and sale.emptied_by() == cause.receipt_id
        undone = [_undone(named, cause.receipt_id)] if empties and sale.gave else []
        return _Effect(moved, _line_points(counted), flags, undone)
    if kind == VOID and named.type == RETURN and sale is None:
        # The return named nothing that counted: nothing is to be restored, and nothing is odd about it.
        return _Effect()
    if kind != VOID or sale is None:
        return _Effect(flags=_nothing_left(kind, lines))
    return _apply_void(named, sale, lines=lines, cause=cause, emptied_before=emptied_before)


def _apply_void(
    named: Named,
    sale: BookedSale,
    *,
    lines: tuple[BroughtBack, ...],
    cause: Cause,
    emptied_before: UUID | None,
) -> _Effect:
    """Book the void of a sale, or of a return of it; what had left nothing of the sale does so no more, or again."""
    assert cause.receipt_id is not None
    undone: list[Undone] = []
    if named.type == SALE:
        moved = sale.book_void(cause)
        if sale.gave and moved is not None:
            undone = [_undone(named, cause.receipt_id)]
    else:
        moved = sale.book_void_of_return(named.receipt_id, cause)
        if sale.gave and emptied_before and not sale.standing.empty:
            undone = [_undone(named, cause.receipt_id, restored_of=emptied_before)]
    return _Effect(flags=_nothing_left(VOID, lines)) if moved is None else _Effect(moved, undone=undone)


def _undone(named: Named, by: UUID, restored_of: UUID | None = None) -> Undone:
    """Return the sale that `named` is, or is a return of, as what offers gave with it is undone."""
    if named.type == SALE:
        return Undone(named.business_date, named.receipt_id, by)
    assert named.sale_business_date is not None
    assert named.sale_receipt_id is not None
    return Undone(named.sale_business_date, named.sale_receipt_id, by, restored_of)


def _nothing_left(kind: str, lines: tuple[BroughtBack, ...]) -> list[Flag]:
    """Return the flags of a reversal of something that cannot be reversed, or was already."""
    if kind == VOID:
        return [Flag("over_returned", "nothing of the original stands any more")]
    return [_over(line.line_number, named=line.original_line_number) for line in lines]


def _over(line_number: int, *, named: int | None) -> Flag:
    if named is None:
        return Flag("over_returned", "it does not say which line of the sale comes back", line_number)
    return Flag("over_returned", "more comes back than is still out", line_number)


def _brought_back(posted: PostedReceipt) -> tuple[BroughtBack, ...]:
    ordered = sorted(posted.lines, key=lambda line: line.line_number)
    return tuple(BroughtBack(line.line_number, line.original_line_number, line.quantity) for line in ordered)


def _line_points(counted: Sequence[Counted]) -> dict[int, LinePoints]:
    return {line.line_number: LinePoints(line.points, line.points_spent, line.quantity) for line in counted}
