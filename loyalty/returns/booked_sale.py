"""A sale with everything that was booked on it since, and what another return or void does to it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from loyalty.holding import Holding
from loyalty.ledger import Cause, Entry
from loyalty.lots import NO_LINE, Piece
from loyalty.returns.standing_lines import BroughtBack, Counted, Standing


@dataclass(frozen=True, slots=True)
class Moved:
    """
    What a receipt did to points; no count is negative.

    `reversed` were earned and taken back, `returned` were spent and given back.
    """

    earned: int = 0
    spent: int = 0
    reversed: int = 0
    returned: int = 0


@dataclass(slots=True)
class BookedReturn:
    """A return of a sale: what its lines amounted to, and the entries that said so."""

    counted: Sequence[Counted]
    entries: list[Entry] = field(default_factory=list)
    voided: bool = False


class BookedSale:
    """
    A sale, its returns, and the accounts that its points lie on.

    `holdings` must have every account that an entry of the sale names, with every lot
    that such an entry touched. A sale without account has no points to move.
    """

    def __init__(
        self,
        *,
        receipt_id: UUID,
        account_id: UUID | None,
        standing: Standing,
        entries: Iterable[Entry] = (),
        returns: Mapping[UUID, BookedReturn] | None = None,
        holdings: Mapping[UUID, Holding],
        gave: bool = False,
    ) -> None:
        self.receipt_id = receipt_id
        self.account_id = account_id
        self.standing = standing
        self.entries = list(entries)
        self.returns = dict(returns or {})
        self.holdings = dict(holdings)
        self.gave = gave
        """Whether offers gave something with it, or vouchers paid: that goes back when nothing of it is left."""

    def emptied_by(self) -> UUID | None:
        """Return the return that brought the last of the sale back; None while something of it is out."""
        if self.standing.voided or not self.standing.empty:
            return None
        # Once a sale is empty no return counts anything: the last that did is the one.
        return next(
            (
                receipt_id
                for receipt_id, booked in reversed(self.returns.items())
                if not booked.voided and any(line.quantity for line in booked.counted)
            ),
            None,
        )

    def book_return(self, receipt_id: UUID, lines: Iterable[BroughtBack], cause: Cause) -> Moved:
        """
        Book a return of `lines`; what they amounted to stands in `returns` afterwards.

        Nothing of a voided sale comes back, and no more than was sold.
        """
        counted = self.standing.count(lines)
        booked = self.returns[receipt_id] = BookedReturn(counted)
        earned: dict[int, int] = {}
        for line in counted:
            if line.points and line.original_line_number is not None:
                earned[line.original_line_number] = earned.get(line.original_line_number, 0) + line.points
        moved = self._reverse(earned, sum(line.points_spent for line in counted), cause)
        booked.entries = [entry for entry in self.entries if entry.cause is cause]
        return moved

    def book_void(self, cause: Cause) -> Moved | None:
        """Book the void of the sale: what still stands of it is reversed. None when it was voided already."""
        if self.standing.voided:
            return None
        earned, spent = self.standing.remaining()
        self.standing.voided = True
        return self._reverse(earned, spent, cause)

    def book_void_of_return(self, receipt_id: UUID, cause: Cause) -> Moved | None:
        """
        Book the void of one of the returns: its exact inverse.

        None, and nothing is booked, when the return was voided already, and when the sale was:
        the points of a voided sale do not come back by taking a return of it back.
        """
        booked = self.returns[receipt_id]
        if booked.voided or self.standing.voided:
            return None
        booked.voided = True
        self.standing.forget(booked.counted)
        for entry in booked.entries:
            self._book(entry.account_id, lambda holding, entry=entry: holding.undo(entry, cause))  # type: ignore[misc]
        return Moved(
            earned=sum(line.points for line in booked.counted),
            spent=sum(line.points_spent for line in booked.counted),
        )

    def _reverse(self, earned: Mapping[int, int], spent: int, cause: Cause) -> Moved:
        """Take back what lines earned, and give back `spent` points, each on the account that it came from."""
        taken = sum(earned.values())
        if taken:
            assert self.account_id is not None
            own = self._own_lot()
            self._book(self.account_id, lambda holding: holding.take_back(earned, own, cause))
        left = spent
        for account_id, pieces in reversed(self._spent().items()):
            back = min(left, sum(piece.points for piece in pieces))
            if back:
                self._book(
                    account_id,
                    lambda holding, back=back, pieces=pieces: holding.give_back(back, pieces, cause),  # type: ignore[misc]
                )
                left -= back
        return Moved(reversed=taken, returned=spent - left)

    def _book(self, account_id: UUID, move: Callable[[Holding], None]) -> None:
        holding = self.holdings[account_id]
        before = len(holding.entries)
        move(holding)
        self.entries += holding.entries[before:]

    def _own_lot(self) -> UUID | None:
        """Return the lot that the sale earned."""
        return next(
            (
                leg.lot_id
                for entry in self.entries
                if entry.reason == "earn"
                for leg in entry.legs
                if leg.lot_id
            ),
            None,
        )

    def _spent(self) -> dict[UUID, list[Piece]]:
        """Return what is still spent on this sale, by account, in the order in which it was taken."""
        net: dict[tuple[UUID, UUID, int], int] = {}
        for entry in self.entries:
            if any(leg.book == "spent" for leg in entry.legs):
                for leg in entry.legs:
                    if leg.lot_id:
                        place = entry.account_id, leg.lot_id, leg.line_number or NO_LINE
                        net[place] = net.get(place, 0) - leg.points
        spent: dict[UUID, list[Piece]] = {}
        for (account_id, lot_id, line_number), points in net.items():
            if points > 0:
                spent.setdefault(account_id, []).append(Piece(lot_id, line_number, points))
        return spent
