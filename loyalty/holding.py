"""An account while its lock is held: lots in, entries out. Pure; nothing is booked until it is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from core.ids import uuid7
from loyalty.ledger import Book, Cause, Entry, Leg, Reason
from loyalty.lots import (
    NO_LINE,
    Lot,
    Piece,
    by_end,
    for_spending,
    for_taking_back,
    pieces_of,
    plain_lot,
    position_of,
)
from loyalty.programme.rules import Programme


class Holding:
    """
    What one account holds, with every entry made so far.

    `lots` are all that are not empty and those that points may come back to; only earning
    can do without them, in a holding that is not `complete`.
    """

    def __init__(
        self, account_id: UUID, lots: Iterable[Lot] = (), *, now: datetime, complete: bool = True
    ) -> None:
        self.account_id = account_id
        self.complete = complete
        self.lots = {lot.lot_id: lot for lot in lots}
        self.as_read = dict(self.lots)
        self.entries: list[Entry] = []
        self.now = now

    @property
    def spendable(self) -> int:
        """Points that can be spent now; below zero when more was taken back than there was."""
        return position_of(self.lots.values(), reserved=0, now=self.now).available

    @property
    def created(self) -> list[Lot]:
        """The lots that were not there before, as they are now."""
        return [lot for lot in self.lots.values() if lot.lot_id not in self.as_read]

    @property
    def changed(self) -> list[tuple[Lot, Lot]]:
        """The lots that were there and are not the same any more: as read, and as they are now."""
        return [(lot, self.lots[key]) for key, lot in self.as_read.items() if self.lots[key] != lot]

    @property
    def has_only_earned(self) -> bool:
        """Whether one earned lot is all that happened."""
        return len(self.entries) == 1 and self.entries[0].reason == "earn"

    def added(self, book: Book) -> int:
        """What the entries made so far add to `book`."""
        return sum(entry.total(book) for entry in self.entries)

    def earn(
        self, shares: Mapping[int, int], cause: Cause, *, timezone: str, programme: Programme
    ) -> Lot | None:
        """Book the points that the lines of a receipt earned, as a new lot; None when they earned nothing."""
        points = sum(shares.values())
        if not points:
            return None
        lot = Lot(
            lot_id=uuid7(),
            account_id=self.account_id,
            business_date=cause.business_date,
            receipt_id=cause.receipt_id,
            booked_at=cause.booked_at,
            available_at=programme.available_at(cause.business_date, timezone),
            expires_at=programme.expires_at(cause.business_date, timezone),
            earned=points,
            lines={line: share for line, share in sorted(shares.items()) if share},
        )
        self.lots[lot.lot_id] = lot
        # One leg for the whole lot: the split stands with the receipt's lines.
        self.entries.append(
            Entry(self.account_id, "earn", cause, (Leg("points", points, lot.lot_id), Leg("issued", -points)))
        )
        return lot

    def expire(self, cause: Cause) -> int:
        """Book the end of what has ended and return how many points that were; debts are paid from it first."""
        legs: list[Leg] = []
        for lot in sorted(self.lots.values(), key=by_end):
            if lot.is_due(self.now) and lot.remaining > 0:
                legs += self._end(lot)
        if not legs:
            return 0
        return self._book("expire", cause, legs, counter="expired")

    def _end(self, lot: Lot) -> list[Leg]:
        """Empty `lot`, apply that, and return its legs."""
        plain = self._plain()
        pays = min(lot.remaining, max(0, -plain.remaining)) if plain else 0
        pieces, _ = pieces_of(lot.remaining, [lot])
        legs = [Leg("points", -piece.points, lot.lot_id, piece.line_number) for piece in pieces]
        if plain and pays:
            legs.append(Leg("points", pays, plain.lot_id, NO_LINE))
        self._apply(legs)
        return legs

    def grant(self, points: int, cause: Cause, *, expires_at: datetime | None) -> Lot:
        """Book `points` that a person gave, as a lot of their own that can be spent at once."""
        lot = Lot(
            lot_id=uuid7(),
            account_id=self.account_id,
            business_date=cause.business_date,
            receipt_id=None,
            booked_at=cause.booked_at,
            available_at=cause.booked_at,
            expires_at=expires_at,
            earned=points,
            lines={NO_LINE: points},
        )
        self.lots[lot.lot_id] = lot
        self._book("adjust", cause, [Leg("points", points, lot.lot_id, NO_LINE)], counter="adjusted")
        return lot

    def confiscate(self, points: int, cause: Cause) -> list[Piece]:
        """Book that a person took `points`, as they would be spent; the caller has made sure that they are there."""
        return self._take(points, for_spending, "adjust", cause, counter="adjusted")

    def spend(self, points: int, cause: Cause) -> list[Piece]:
        """Book that `points` were spent, below zero if need be, and return where they came from."""
        return self._take(points, for_spending, "spend", cause, counter="spent")

    def reserve(self, points: int, cause: Cause) -> list[Piece]:
        """Book that `points` are held for a redemption; the caller has made sure that they are there."""
        return self._take(points, for_spending, "reserve", cause, counter="reserved")

    def release(self, held: Sequence[Piece], cause: Cause) -> None:
        """Book that points `held` for a redemption are the account's again, in the lots they came from."""
        legs = [
            leg
            for piece in held
            for leg in (
                Leg("reserved", -piece.points, piece.lot_id, piece.line_number),
                Leg("points", piece.points, piece.lot_id, piece.line_number),
            )
        ]
        self._apply(legs)
        self._book("release", cause, legs, counter=None)

    def post(self, held: Sequence[Piece], cause: Cause) -> None:
        """Book that points `held` for a redemption were spent."""
        legs = [Leg("reserved", -piece.points, piece.lot_id, piece.line_number) for piece in held]
        self._book("spend", cause, legs, counter="spent")

    def take_back(self, by_line: Mapping[int, int], own: UUID | None, cause: Cause) -> None:
        """
        Book that the points earned by lines of a sale are taken back.

        Each line's from that line of the lot `own` first, then from other pending lots,
        then from available ones, then below zero.
        """
        legs: list[Leg] = []
        for line_number, points in sorted(by_line.items()):
            legs += self._take_back_line(line_number, points, own)
        if legs:
            self._book("reverse", cause, legs, counter="issued")

    def _take_back_line(self, line_number: int, points: int, own: UUID | None) -> list[Leg]:
        legs: list[Leg] = []
        lot = self.lots.get(own) if own else None
        if lot is not None and points:
            from_own = min(points, max(0, lot.lines.get(line_number, 0)))
            if from_own:
                legs = [Leg("points", -from_own, lot.lot_id, line_number)]
                self._apply(legs)
                points -= from_own
        return legs + self._draw(points, for_taking_back)

    def give_back(self, points: int, spent: Sequence[Piece], cause: Cause) -> None:
        """
        Book that `points` of what was `spent` come back to the lots they came from.

        What was spent last comes back first: what stays spent is what would have been
        taken had fewer points been spent.
        """
        legs: list[Leg] = []
        left = points
        for piece in reversed(spent):
            back = min(left, piece.points)
            if back:
                legs.append(Leg("points", back, piece.lot_id, piece.line_number))
                left -= back
        self._apply(legs)
        if legs:
            self._book("return", cause, legs, counter="spent")

    def undo(self, entry: Entry, cause: Cause) -> None:
        """
        Book the exact inverse of `entry`.

        Points that it gave and that are gone meanwhile are taken as if spent, below zero if need be.
        """
        legs: list[Leg] = []
        for leg in entry.legs:
            if leg.book != "points":
                legs.append(leg.reversed())
            elif leg.points < 0:
                undone = [leg.reversed()]
                self._apply(undone)
                legs += undone
            else:
                legs += self._take_from(leg)
        self._book("restore", cause, legs, counter=None)

    def _take_from(self, leg: Leg) -> list[Leg]:
        """Take what `leg` gave from where it gave it, as far as it is there, the rest from elsewhere."""
        assert leg.lot_id is not None
        line_number = leg.line_number or NO_LINE
        lot = self.lots[leg.lot_id]
        there = leg.points if lot.plain else min(leg.points, max(0, lot.lines.get(line_number, 0)))
        legs = [Leg("points", -there, leg.lot_id, line_number)] if there else []
        self._apply(legs)
        return legs + self._draw(leg.points - there, for_spending)

    def _take(
        self,
        points: int,
        order: Callable[[Iterable[Lot], datetime], list[Lot]],
        reason: Reason,
        cause: Cause,
        *,
        counter: Book,
    ) -> list[Piece]:
        legs = self._draw(points, order)
        pieces = [Piece(leg.lot_id, leg.line_number or NO_LINE, -leg.points) for leg in legs if leg.lot_id]
        if counter == "reserved":
            legs += [Leg("reserved", piece.points, piece.lot_id, piece.line_number) for piece in pieces]
            self._book(reason, cause, legs, counter=None)
        elif legs:
            self._book(reason, cause, legs, counter=counter)
        return pieces

    def _draw(self, points: int, order: Callable[[Iterable[Lot], datetime], list[Lot]]) -> list[Leg]:
        """Take `points` from lots in `order`, what is missing below zero, apply that, and return the legs."""
        if not points:
            return []
        pieces, missing = pieces_of(points, order(self.lots.values(), self.now))
        legs = [Leg("points", -piece.points, piece.lot_id, piece.line_number) for piece in pieces]
        if missing:
            legs.append(Leg("points", -missing, self._debts().lot_id, NO_LINE))
        self._apply(legs)
        return legs

    def _plain(self) -> Lot | None:
        """Return the lot without receipt; the deepest in debt, should there be several."""
        return min(
            (lot for lot in self.lots.values() if lot.plain), key=lambda lot: lot.remaining, default=None
        )

    def _debts(self) -> Lot:
        """Return the account's lot without receipt, made if there is none."""
        lot = self._plain()
        if lot is None:
            lot = plain_lot(self.account_id, now=self.now, business_date=self.now.date())
            self.lots[lot.lot_id] = lot
        return lot

    def _apply(self, legs: Iterable[Leg]) -> None:
        for leg in legs:
            if leg.book == "points" and leg.lot_id:
                self.lots[leg.lot_id] = self.lots[leg.lot_id].with_added(
                    leg.line_number or NO_LINE, leg.points
                )

    def _book(self, reason: Reason, cause: Cause, legs: Sequence[Leg], *, counter: Book | None) -> int:
        """Make the entry of `legs`, balanced by one leg in `counter`, and return that leg's points."""
        total = -sum(leg.points for leg in legs)
        balanced = (*legs, Leg(counter, total)) if counter and total else tuple(legs)
        self.entries.append(Entry(self.account_id, reason, cause, balanced))
        return total
