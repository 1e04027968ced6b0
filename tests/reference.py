"""
The till contract's arithmetic of points once more, as plainly as it can be written: no database, no lots in arrays.

Tests post the same histories here and to the real thing, and want the same answers to the last point.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from core.clock import business_day
from sales.receipts import Original, PostedReceipt


@dataclass(frozen=True)
class Rules:
    """A version of the programme as marketing would say it; as it comes, the contract's."""

    points: int = 1
    per: int = 100
    value: int = 10
    without_tax: bool = False
    earn_on_points: bool = False
    left_out: frozenset[str] = frozenset()
    """SKUs that earn nothing."""
    pending_days: int = 14
    ends: str = "month_end"
    months: int = 24
    pays: str = "discount"
    minimum: int = 1
    step: int = 1
    minutes: int = 10
    doubled: frozenset[str] = frozenset()
    """SKUs whose points an offer doubles."""
    bonus: tuple[str, int, int] | None = None
    """An offer of so many points for every so many pieces of a SKU: (sku, pieces, points)."""

    def last_day(self, day: date) -> date:
        """Twelve months on, a day that is not there becomes the last of its month."""
        if self.ends == "never":
            return date.max
        years, month = divmod(day.month - 1 + self.months, 12)
        year, month = day.year + years, month + 1
        if self.ends == "year_end":
            return date(year, 12, 31)
        return date(year, month, min(day.day if self.ends == "day" else 31, monthrange(year, month)[1]))

    def earned(self, posted: PostedReceipt) -> tuple[int, dict[int, int]]:
        """What a sale earns, and how much of that each line."""
        by_points = shares(
            self.paid_with_points(posted), {one.line_number: one.total_amount for one in posted.lines}
        )
        base, weights = 0, {}
        for line in posted.lines:
            total, points = line.total_amount, by_points[line.line_number]
            rate = Fraction(line.tax_rate or 0) / 100 if self.without_tax else Fraction(0)
            due = rounded((total - (points if self.pays == "discount" else 0)) * rate / (1 + rate))
            earns = line.sku not in self.left_out
            weights[line.line_number] = total - rounded(total * rate / (1 + rate)) if earns else 0
            times = 2 if line.sku in self.doubled and line.unit_price > 0 else 1
            base += times * (total - due - (0 if self.earn_on_points else points)) if earns else 0
        earned = floor(Fraction(max(0, base) * self.points, self.per))
        grown = {
            line.line_number: weights[line.line_number]
            * (2 if line.sku in self.doubled and line.unit_price > 0 else 1)
            for line in posted.lines
        }
        more = self.applications(posted) * (self.bonus[2] if self.bonus else 0)
        found, extra = shares(earned, grown), bonus_shares(more, weights)
        return earned + more, {line: points + extra[line] for line, points in found.items()}

    def applications(self, posted: PostedReceipt) -> int:
        """How often the bonus is given: whole pieces only, of what costs something."""
        if self.bonus is None:
            return 0
        sku, pieces, _ = self.bonus
        bought = sum(
            int(line.quantity)
            for line in posted.lines
            if line.sku == sku and line.unit_price > 0 and line.quantity == int(line.quantity)
        )
        return bought // pieces

    def paid_with_points(self, posted: PostedReceipt) -> int:
        by_tender = sum(tender.amount for tender in posted.tenders if tender.type == "points")
        return posted.totals.points_amount + (by_tender if self.pays == "tender" else 0)


def rounded(amount: Fraction) -> int:
    """Halves away from zero."""
    return floor(abs(amount) + Fraction(1, 2)) * (1 if amount >= 0 else -1)


@dataclass
class LineLot:
    """What one line earned; `sequence` is the order of booking."""

    receipt: Original
    line: int
    sequence: int
    left: int
    rules: Rules = Rules()
    """Those of the sale: what is changed later is nothing to these points."""

    @property
    def age(self) -> tuple[date, int, int]:
        return self.receipt.business_date, self.sequence, self.line

    @property
    def end(self) -> tuple[date, tuple[date, int, int]]:
        return self.rules.last_day(self.receipt.business_date), self.age

    def pending(self, today: date) -> bool:
        return today < self.receipt.business_date + timedelta(days=self.rules.pending_days)

    def ended(self, today: date) -> bool:
        return today > self.rules.last_day(self.receipt.business_date)


Pieces = list[tuple[LineLot | None, int]]
"""Points by where they come from; None is below zero."""


@dataclass
class Held:
    account: "Account"
    pieces: Pieces
    ends: datetime
    state: str = "reserved"

    @property
    def points(self) -> int:
        return sum(points for _, points in self.pieces)


@dataclass
class Account:
    lots: list[LineLot] = field(default_factory=list)
    debt: int = 0
    held: list[Held] = field(default_factory=list)

    def reserve(self, points: int, today: date, now: datetime, rules: Rules = Rules()) -> Held | None:
        if points < rules.minimum or points % rules.step:
            return None
        self.lapse(now)
        self.end(today)
        if points > self.stands(today)[0]:
            return None
        held = Held(self, self.draw(points, self.for_spending(today)), now + timedelta(minutes=rules.minutes))
        self.held.append(held)
        return held

    def lapse(self, now: datetime) -> None:
        for held in self.held:
            if held.state == "reserved" and held.ends <= now:
                self.let_go(held, "expired")

    def let_go(self, held: Held, state: str) -> None:
        held.state = state
        for lot, points in held.pieces:
            self.put(lot, points)

    def end(self, today: date) -> None:
        """Take away what has ended; what was below zero is made up for from it first."""
        for lot in self.lots:
            if lot.ended(today) and lot.left > 0:
                self.debt -= min(lot.left, max(0, self.debt))
                lot.left = 0

    def for_spending(self, today: date) -> list[LineLot]:
        usable = (lot for lot in self.lots if not lot.pending(today) and not lot.ended(today))
        return sorted(usable, key=lambda lot: lot.end)

    def stands(self, today: date) -> tuple[int, int]:
        pending = sum(lot.left for lot in self.lots if lot.pending(today))
        return sum(lot.left for lot in self.lots) - pending - self.debt, pending

    def draw(self, points: int, order: list[LineLot]) -> Pieces:
        taken: Pieces = []
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
    spent: int


@dataclass(frozen=True)
class Counted:
    quantity: Decimal
    points: int
    spent: int


@dataclass
class Return:
    sale: "Sale"
    counted: dict[int, list[Counted]] = field(default_factory=dict)
    taken: Pieces = field(default_factory=list)
    given: list[tuple[Account, LineLot | None, int]] = field(default_factory=list)
    voided: bool = False


@dataclass
class Sale:
    name: Original
    account: Account | None
    lines: dict[int, Line]
    spent: list[tuple[Account, LineLot | None, int]] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    voided: bool = False

    def spend_again(self, account: Account, lot: LineLot | None, points: int) -> None:
        """What is spent again from a place stands where it stood: a void undoes exactly."""
        for place, (owner, known, before) in enumerate(self.spent):
            if owner is account and known is lot:
                self.spent[place] = (account, lot, before + points)
                return
        self.spent.append((account, lot, points))

    def standing(self, line: int) -> Counted:
        counted = [part for back in self.returns if not back.voided for part in back.counted.get(line, [])]
        return Counted(
            sum((part.quantity for part in counted), Decimal(0)),
            sum(part.points for part in counted),
            sum(part.spent for part in counted),
        )


@dataclass(frozen=True)
class Moved:
    earned: int = 0
    spent: int = 0
    reversed: int = 0
    returned: int = 0


@dataclass(frozen=True)
class Expected:
    moved: Moved = Moved()
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


def bonus_shares(points: int, totals: dict[int, int]) -> dict[int, int]:
    """As all points; where no line is above zero the lowest has them, for what was spent comes back with something."""
    if any(total > 0 for total in totals.values()):
        return shares(points, totals)
    return {line: points if line == min(totals) else 0 for line in totals}


@dataclass(frozen=True)
class Promise:
    """What a snapshot allowed to be spent with a card offline."""

    card: str
    points: int
    issued: datetime
    until: datetime


@dataclass(frozen=True)
class OfflineUse:
    """Points that were spent on the word of a promise."""

    account: Account
    points: int
    promise: Promise
    booked: datetime
    sale: Original


class Reference:
    """Takes receipts as the server does, and says what the till must be told."""

    def __init__(self, timezone: str, versions: Mapping[date, Rules] | None = None) -> None:
        self.timezone = timezone
        self.versions = dict(versions or {})
        self.accounts: dict[str, Account] = {}
        self.known: dict[Original, Sale | Return | None] = {}
        self.waiting: dict[Original, list[tuple[Original, PostedReceipt]]] = {}
        self.redemptions: dict[str, Held] = {}
        self.promises: dict[str, Promise] = {}
        self.uses: list[OfflineUse] = []
        self.too_much: set[Original] = set()
        """Sales on which more was spent offline than could be."""
        self.sequence = 0

    def rules(self, day: date) -> Rules:
        started = [start for start in self.versions if start <= day]
        return self.versions[max(started)] if started else Rules()

    def account(self, card: str) -> Account:
        return self.accounts.setdefault(card, Account())

    def stands(self, card: str, now: datetime) -> tuple[int, int, int]:
        account = self.account(card)
        account.lapse(now)
        account.end(business_day(now, self.timezone))
        held = sum(held.points for held in account.held if held.state == "reserved")
        return *account.stands(business_day(now, self.timezone)), held

    def resolve(self, code: str, state: str, now: datetime) -> bool:
        """Post or release a redemption without a receipt; False when that is refused."""
        held = self.redemptions[code]
        held.account.lapse(now)
        if held.state == "reserved":
            if state == "released":
                held.account.let_go(held, state)
            held.state = state
        return held.state == state

    def post(self, name: Original, posted: PostedReceipt, now: datetime) -> Expected:
        today = business_day(now, self.timezone)
        own = self.account(posted.card_number) if posted.card_number else None
        for account in self.accounts.values():
            account.lapse(now)
            account.end(today)
        if posted.type == "sale":
            moved = self.sell(name, posted, own, now)
            if own:
                # What has ended is not there to be taken back, whether the return came before or after.
                own.end(today)
            self.settle_waiting(name, today)
            return self.told(own, today, moved)
        if posted.original is None:
            self.known[name] = None
            return self.told(own, today)
        if posted.original not in self.known or self.waits(posted.original):
            self.waiting.setdefault(posted.original, []).append((name, posted))
            self.known[name] = None
            return self.told(own, today)
        original = self.known[posted.original]
        moved = self.reverse(name, posted, original, today)
        self.settle_waiting(name, today)
        sale = original.sale if isinstance(original, Return) else original
        return self.told(sale.account if sale else None, today, moved)

    def waits(self, name: Original) -> bool:
        return any(name == waiting for found in self.waiting.values() for waiting, _ in found)

    def settle_waiting(self, name: Original, today: date) -> None:
        for waiting, posted in self.waiting.pop(name, []):
            self.reverse(waiting, posted, self.known[name], today)
            self.settle_waiting(waiting, today)

    def sell(self, name: Original, posted: PostedReceipt, account: Account | None, now: datetime) -> Moved:
        spent = self.spend(posted, now) if posted.mode == "live" else []
        if posted.mode == "live":
            spent += self.spend_offline(name, posted, now)
        totals = {line.line_number: line.total_amount for line in posted.lines}
        rules = self.rules(posted.business_date)
        earned, found = rules.earned(posted)
        if account is None or posted.mode != "live":
            earned, found = 0, dict.fromkeys(totals, 0)
        points_spent = sum(points for _, _, points in spent)
        found_spent = bonus_shares(points_spent, totals)
        self.sequence += 1
        if account is not None:
            account.lots += [
                LineLot(name, line, self.sequence, share, rules) for line, share in sorted(found.items())
            ]
        self.known[name] = Sale(
            name,
            account,
            {
                line.line_number: Line(line.quantity, found[line.line_number], found_spent[line.line_number])
                for line in posted.lines
            },
            spent,
        )
        return Moved(earned, points_spent)

    def spend(self, posted: PostedReceipt, now: datetime) -> list[tuple[Account, LineLot | None, int]]:
        today = business_day(now, self.timezone)
        spent: list[tuple[Account, LineLot | None, int]] = []
        for held in self.named(posted):
            if held.state == "posted":
                continue
            pieces = held.pieces
            if held.state != "reserved":
                pieces = held.account.draw(held.points, held.account.for_spending(today))
            held.state = "posted"
            spent += [(held.account, lot, points) for lot, points in pieces]
        return spent

    def spend_offline(
        self, name: Original, posted: PostedReceipt, now: datetime
    ) -> list[tuple[Account, LineLot | None, int]]:
        """Whatever the balance: what was spent is; it is too much where no promise covers it, or no points do."""
        today = business_day(now, self.timezone)
        account = self.account(posted.card_number) if posted.card_number else None
        spent: list[tuple[Account, LineLot | None, int]] = []
        for offline in posted.offline_redemptions:
            promise = self.promises.get(offline.allowance)
            if account is None or not self.covers(promise, offline.points, posted, account):
                self.too_much.add(name)
            if account is None:
                continue
            if account.stands(today)[0] < offline.points:
                self.too_much.add(name)
            pieces = account.draw(offline.points, account.for_spending(today))
            spent += [(account, lot, points) for lot, points in pieces]
            if promise is not None and promise.card == posted.card_number:
                self.uses.append(OfflineUse(account, offline.points, promise, now, name))
        return spent

    def covers(self, promise: Promise | None, points: int, posted: PostedReceipt, account: Account) -> bool:
        if promise is None or promise.card != posted.card_number:
            return False
        if not promise.issued - timedelta(minutes=5) <= posted.closed_at < promise.until:
            return False
        used = sum(
            use.points
            for use in self.uses
            if use.account is account
            and use.promise.issued <= promise.issued <= use.booked
            and not self.is_voided(use.sale)
        )
        return used + points <= promise.points

    def is_voided(self, name: Original) -> bool:
        sale = self.known.get(name)
        return isinstance(sale, Sale) and sale.voided

    def named(self, posted: PostedReceipt) -> list[Held]:
        if posted.type != "sale" or posted.mode != "live":
            return []
        return [
            self.redemptions[code]
            for code in dict.fromkeys(posted.redemption_ids)
            if code in self.redemptions
        ]

    def reverse(
        self, name: Original, posted: PostedReceipt, original: Sale | Return | None, today: date
    ) -> Moved:
        self.known[name] = None
        if posted.type == "return" and isinstance(original, Sale):
            return self.bring_back(name, posted, original, today)
        if posted.type == "void" and isinstance(original, Sale):
            return self.void(original, today)
        if posted.type == "void" and isinstance(original, Return):
            return self.void_return(original, today)
        return Moved()

    def bring_back(self, name: Original, posted: PostedReceipt, sale: Sale, today: date) -> Moved:
        back = Return(sale)
        self.known[name] = back
        if sale.voided:
            return Moved()
        sale.returns.append(back)
        for line in sorted(posted.lines, key=lambda line: line.line_number):
            if line.original_line_number in sale.lines:
                self.count(back, line.original_line_number, line.quantity)
        by_line = {line: sum(part.points for part in parts) for line, parts in back.counted.items()}
        spent = sum(part.spent for parts in back.counted.values() for part in parts)
        back.taken = self.take_back(sale, by_line, today)
        back.given = self.give_back(sale, spent)
        return Moved(reversed=sum(by_line.values()), returned=spent)

    @staticmethod
    def count(back: Return, line: int, quantity: Decimal) -> None:
        sold, before = back.sale.lines[line], back.sale.standing(line)
        counted = min(quantity, sold.quantity - before.quantity)
        part = Fraction(before.quantity + counted) / Fraction(sold.quantity)
        points = max(0, floor(sold.share * part) - before.points)
        spent = max(0, floor(sold.spent * part) - before.spent)
        back.counted.setdefault(line, []).append(Counted(counted, points, spent))

    @staticmethod
    def take_back(sale: Sale, by_line: dict[int, int], today: date) -> Pieces:
        taken: Pieces = []
        for line, points in sorted(by_line.items()):
            if points:
                assert sale.account is not None
                lots = sorted(
                    (lot for lot in sale.account.lots if not lot.ended(today)), key=lambda lot: lot.age
                )
                own = [lot for lot in lots if lot.receipt == sale.name and lot.line == line]
                pending = [lot for lot in lots if lot.pending(today)]
                available = sale.account.for_spending(today)
                taken += sale.account.draw(points, own + pending + available)
        return taken

    @staticmethod
    def give_back(sale: Sale, points: int) -> list[tuple[Account, LineLot | None, int]]:
        """What was spent last comes back first."""
        given: list[tuple[Account, LineLot | None, int]] = []
        for place, (account, lot, spent) in reversed([*enumerate(sale.spent)]):
            back = min(points, spent)
            if back:
                points -= back
                sale.spent[place] = (account, lot, spent - back)
                account.put(lot, back)
                given.append((account, lot, back))
        return given

    def void(self, sale: Sale, today: date) -> Moved:
        if sale.voided:
            return Moved()
        left = {line: sold.share - sale.standing(line).points for line, sold in sale.lines.items()}
        spent = sum(points for _, _, points in sale.spent)
        sale.voided = True
        self.take_back(sale, left, today)
        self.give_back(sale, spent)
        return Moved(reversed=sum(left.values()), returned=spent)

    @staticmethod
    def void_return(back: Return, today: date) -> Moved:
        if back.voided or back.sale.voided:
            return Moved()
        back.voided = True
        for lot, points in back.taken:
            assert back.sale.account is not None
            back.sale.account.put(lot, points)
        for account, lot, points in back.given:
            there = points if lot is None else min(points, lot.left)
            account.put(lot, -there)
            again = [(lot, there)] if there else []
            again += account.draw(points - there, account.for_spending(today))
            for place, part in again:
                back.sale.spend_again(account, place, part)
        parts = [part for found in back.counted.values() for part in found]
        return Moved(earned=sum(part.points for part in parts), spent=sum(part.spent for part in parts))

    def told(self, account: Account | None, today: date, moved: Moved = Moved()) -> Expected:
        if account is None:
            return Expected(moved)
        account.end(today)
        return Expected(moved, *account.stands(today))
