"""
The till contract's arithmetic of points once more, as plainly as it can be written: no database, no lots in arrays.

Tests post the same histories here and to the real thing, and want the same answers to the last point.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from core.clock import business_day
from sales.receipts import Original, PostedReceipt


@dataclass
class LineLot:
    """What one line earned; `sequence` is the order of booking."""

    receipt: Original
    line: int
    sequence: int
    left: int

    @property
    def age(self) -> tuple[date, int, int]:
        return self.receipt.business_date, self.sequence, self.line

    def pending(self, today: date) -> bool:
        return today < self.receipt.business_date + timedelta(days=14)


@dataclass
class Account:
    lots: list[LineLot] = field(default_factory=list)
    debt: int = 0

    def stands(self, today: date) -> tuple[int, int]:
        pending = sum(lot.left for lot in self.lots if lot.pending(today))
        return sum(lot.left for lot in self.lots) - pending - self.debt, pending

    def draw(self, points: int, order: list[LineLot]) -> list[tuple[LineLot | None, int]]:
        taken: list[tuple[LineLot | None, int]] = []
        for lot in order:
            part = min(points, lot.left)
            if part:
                lot.left -= part
                points -= part
                taken.append((lot, part))
        if points:
            self.debt += points
            taken.append((None, points))
        return taken

    def put(self, lot: LineLot | None, points: int) -> None:
        if lot is None:
            self.debt -= points
        else:
            lot.left += points


@dataclass
class Line:
    quantity: Decimal
    share: int


@dataclass
class Return:
    sale: "Sale"
    counted: dict[int, list[tuple[Decimal, int]]] = field(default_factory=dict)
    taken: list[tuple[LineLot | None, int]] = field(default_factory=list)
    voided: bool = False


@dataclass
class Sale:
    name: Original
    account: Account | None
    lines: dict[int, Line]
    returns: list[Return] = field(default_factory=list)
    voided: bool = False

    def standing(self, line: int) -> tuple[Decimal, int]:
        counted = [part for back in self.returns if not back.voided for part in back.counted.get(line, [])]
        return sum((quantity for quantity, _ in counted), Decimal(0)), sum(points for _, points in counted)


@dataclass(frozen=True)
class Expected:
    earned: int = 0
    reversed: int = 0
    available: int = 0
    pending: int = 0


def shares(points: int, totals: dict[int, int]) -> dict[int, int]:
    whole = sum(max(0, total) for total in totals.values())
    exact = {line: Fraction(points * max(0, total), whole or 1) for line, total in totals.items()}
    found = {line: floor(share) for line, share in exact.items()}
    by_remainder = sorted(totals, key=lambda line: (found[line] - exact[line], line))
    for line in by_remainder[: points - sum(found.values()) if whole else 0]:
        found[line] += 1
    return found


class Reference:
    """Takes receipts as the server does, and says what the till must be told."""

    def __init__(self, timezone: str) -> None:
        self.timezone = timezone
        self.accounts: dict[str, Account] = {}
        self.known: dict[Original, Sale | Return | None] = {}
        self.waiting: dict[Original, list[tuple[Original, PostedReceipt]]] = {}
        self.sequence = 0

    def stands(self, card: str, now: datetime) -> tuple[int, int]:
        return self.accounts.setdefault(card, Account()).stands(business_day(now, self.timezone))

    def post(self, name: Original, posted: PostedReceipt, now: datetime) -> Expected:
        today = business_day(now, self.timezone)
        own = self.accounts.setdefault(posted.card_number, Account()) if posted.card_number else None
        if posted.type == "sale":
            sale = self.sell(name, posted, own)
            earned = sum(line.share for line in sale.lines.values())
            self.settle_waiting(name, today)
            return self.told(own, today, earned=earned)
        original = self.known.get(posted.original) if posted.original else None
        if posted.original is None:
            self.known[name] = None
            return self.told(own, today)
        if posted.original not in self.known or self.waits(posted.original):
            self.waiting.setdefault(posted.original, []).append((name, posted))
            self.known[name] = None
            return self.told(own, today)
        earned, taken, account = self.reverse(name, posted, original, today)
        self.settle_waiting(name, today)
        return self.told(account, today, earned=earned, reversed=taken)

    def waits(self, name: Original) -> bool:
        return any(name == waiting for found in self.waiting.values() for waiting, _ in found)

    def settle_waiting(self, name: Original, today: date) -> None:
        for waiting, posted in self.waiting.pop(name, []):
            self.reverse(waiting, posted, self.known[name], today)
            self.settle_waiting(waiting, today)

    def sell(self, name: Original, posted: PostedReceipt, account: Account | None) -> Sale:
        totals = {line.line_number: line.total_amount for line in posted.lines}
        base = max(0, sum(totals.values()) - posted.totals.points_amount)
        earned = base // 100 if account is not None and posted.mode == "live" else 0
        found = shares(earned, totals)
        self.sequence += 1
        if account is not None:
            account.lots += [
                LineLot(name, line, self.sequence, share) for line, share in sorted(found.items())
            ]
        sold = {line.line_number: Line(line.quantity, found[line.line_number]) for line in posted.lines}
        sale = Sale(name, account, sold)
        self.known[name] = sale
        return sale

    def reverse(
        self, name: Original, posted: PostedReceipt, original: Sale | Return | None, today: date
    ) -> tuple[int, int, Account | None]:
        """Return (earned, reversed, account)."""
        self.known[name] = None
        if posted.type == "return" and isinstance(original, Sale):
            return 0, self.bring_back(name, posted, original, today), original.account
        if posted.type == "void" and isinstance(original, Sale):
            return 0, self.void(original, today), original.account
        if posted.type == "void" and isinstance(original, Return):
            return self.void_return(original), 0, original.sale.account
        return 0, 0, None

    def bring_back(self, name: Original, posted: PostedReceipt, sale: Sale, today: date) -> int:
        back = Return(sale)
        self.known[name] = back
        if sale.voided:
            return 0
        by_line: dict[int, int] = {}
        sale.returns.append(back)
        for line in sorted(posted.lines, key=lambda line: line.line_number):
            named = line.original_line_number
            if named not in sale.lines:
                continue
            sold = sale.lines[named]
            returned, taken = sale.standing(named)
            counted = min(line.quantity, sold.quantity - returned)
            due = floor(sold.share * Fraction(returned + counted) / Fraction(sold.quantity))
            points = max(0, due - taken)
            back.counted.setdefault(named, []).append((counted, points))
            by_line[named] = by_line.get(named, 0) + points
        back.taken = self.take_back(sale, by_line, today)
        return sum(by_line.values())

    def take_back(self, sale: Sale, by_line: dict[int, int], today: date) -> list[tuple[LineLot | None, int]]:
        taken: list[tuple[LineLot | None, int]] = []
        for line, points in sorted(by_line.items()):
            if points:
                assert sale.account is not None
                lots = sorted(sale.account.lots, key=lambda lot: lot.age)
                own = [lot for lot in lots if lot.receipt == sale.name and lot.line == line]
                pending = [lot for lot in lots if lot.pending(today)]
                available = [lot for lot in lots if not lot.pending(today)]
                taken += sale.account.draw(points, own + pending + available)
        return taken

    def void(self, sale: Sale, today: date) -> int:
        if sale.voided:
            return 0
        left = {line: sold.share - sale.standing(line)[1] for line, sold in sale.lines.items()}
        sale.voided = True
        self.take_back(sale, left, today)
        return sum(left.values())

    @staticmethod
    def void_return(back: Return) -> int:
        if back.voided or back.sale.voided:
            return 0
        back.voided = True
        for lot, points in back.taken:
            assert back.sale.account is not None
            back.sale.account.put(lot, points)
        return sum(points for parts in back.counted.values() for _, points in parts)

    def told(self, account: Account | None, today: date, *, earned: int = 0, reversed: int = 0) -> Expected:  # noqa: A002
        available, pending = account.stands(today) if account else (0, 0)
        return Expected(earned, reversed, available, pending)
