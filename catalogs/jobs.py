"""
What the night does with catalogs: editions for the groups that are served, then copies.

Copies are made in rounds: what they need is read in one short transaction, the files are made in child
processes outside of any, and each chunk that is on disk is archived in a transaction of its own. A run
that is killed goes on with those that are not archived; a file that was written but not archived is
written again under the same name.
"""

from base64 import b32encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from basket_analysis.group_lists import groups_of_run, rules_of_group, served_run
from catalogs.booklets import Issue, Offer, Reader
from catalogs.models import CatalogCopy, Edition
from catalogs.operations import ArchivedCopy, OpenEdition, archive_copies, open_edition, opened
from catalogs.planning import plan_edition
from catalogs.queries import (
    Recipient,
    Shop,
    categories_of,
    group_buyers,
    read_brought_back,
    read_histories,
    read_shelves,
    recipients,
    shops,
)
from catalogs.render import CopyOrder, MadeCopy, make_files
from catalogs.selection import Bought, choose_news, choose_offers, choose_picks
from contacts.queries import refusals_of
from contacts.reactions import Refusals
from core.database import Sessions
from core.errors import Conflict
from core.jobs import Shift
from core.progress import Report, silent
from loyalty.statements import balances

THEME = "trh"
PERIOD = timedelta(days=14)
COPIES_PER_NIGHT = 100
"""The night makes a first part of each edition; `regulars catalogs make --all` makes the rest."""
ROUND = 200
"""So many copies are read for at a time, which bounds the memory."""
OFFERS = 33
"""What the longest booklet has room for."""


class NothingServed(Conflict):
    """There are no shopper groups yet, so there is nothing to make catalogs of."""


class AlreadyMaking(Conflict):
    """Another process is making copies; two would overwrite each other's files."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of making copies."""

    editions: int
    made: int
    by_group: Mapping[str, int]
    waiting: int
    """How many more members were not looked at yet."""


def due_catalogs(shift: Shift) -> Mapping[str, Any]:
    """Open the editions of the coming period and make the first copies, in turns over all groups."""
    with shift.sessions.begin() as session:
        if served_run(session) is None:
            return {"editions": 0, "copies": 0}
        editions = open_editions(session, day=shift.business_day, now=shift.now)
        made = session.scalar(
            select(func.count()).where(CatalogCopy.edition_id.in_([e.edition_id for e in editions]))
        )
    left = max(0, COPIES_PER_NIGHT - (made or 0))
    run = make_copies(
        shift.sessions,
        data=shift.data,
        day=shift.business_day,
        now=shift.now,
        limit=left,
        report=shift.report,
    )
    return {
        "editions": run.editions,
        "copies": run.made,
        "by_group": dict(run.by_group),
        "waiting": run.waiting,
    }


def open_editions(session: Session, *, day: date, now: datetime, theme: str = THEME) -> list[OpenEdition]:
    """
    Return the editions of the period that a catalog made after `day` is for, one per served group.

    A period begins on the next Monday and lasts two weeks; while it lasts, its editions stand. Raises
    `NothingServed` before the first groups are there.
    """
    run = served_run(session)
    if run is None:
        raise NothingServed("there are no shopper groups yet; the first night finds them")
    first = _next_monday(day)
    standing = session.scalars(
        select(Edition).where(Edition.theme == theme, Edition.valid_from <= first, Edition.valid_to > first)
    ).all()
    start = min((edition.valid_from for edition in standing), default=first)
    editions = {edition.group_id: opened(edition) for edition in standing if edition.valid_from == start}
    groups = [group for group in groups_of_run(session, run_id=run.run_id) if group.members]
    if any(group.group_id not in editions for group in groups):
        buyers = group_buyers(session, run_id=run.run_id, day=day)
        everybody: Counter[int] = Counter()
        for counts in buyers.values():
            everybody.update(counts)
        categories = categories_of(session, everybody)
        for group in groups:
            if group.group_id not in editions:
                plan = plan_edition(
                    group,
                    rules=rules_of_group(session, run_id=run.run_id, group_id=group.group_id),
                    buyers=buyers.get(group.group_id, {}),
                    everybody=everybody,
                    members=sum(group.members for group in groups),
                    categories=categories,
                )
                editions[group.group_id] = open_edition(
                    session,
                    plan,
                    run_id=run.run_id,
                    theme=theme,
                    valid_from=start,
                    valid_to=start + PERIOD,
                    now=now,
                )
    return [editions[group.group_id] for group in groups]


def make_copies(
    sessions: Sessions,
    *,
    data: Path,
    day: date,
    now: datetime,
    limit: int | None = None,
    member_code: str | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> Run:
    """
    Make up to `limit` copies (all that wait when None), spread over all groups, and archive them.

    Only members who agreed to a catalog get one, each once per edition; those whose shop has nothing to
    show get none. `report` is called after every chunk; what it raises ends the run, and everything
    archived by then stays. Raises `AlreadyMaking` while another process is at it.
    """
    with _alone(sessions):
        with sessions.begin() as session:
            editions = open_editions(session, day=day, now=now)
            by_group = {edition.plan.group_id: edition for edition in editions}
            run = served_run(session)
            assert run is not None
            waiting = recipients(
                session,
                run_id=run.run_id,
                editions=[edition.edition_id for edition in editions],
                day=day,
                member_code=member_code,
            )
        made: Counter[str] = Counter()
        left = len(waiting) if limit is None else min(limit, len(waiting))
        total = left
        report(0, total)
        while left and waiting:
            part, waiting = waiting[: min(left, ROUND)], waiting[min(left, ROUND) :]
            with sessions() as session:
                orders = read_orders(session, part, by_group, data=data, day=day, now=now)
            for copies in make_files(
                [order.order for order in orders.values()], photos=_photos(data), workers=workers
            ):
                with sessions.begin() as session:
                    archive_copies(
                        session, [orders[copy.copy_code].archived(copy) for copy in copies], now=now
                    )
                made.update(orders[copy.copy_code].recipient.group_id for copy in copies)
                report(made.total(), total)
            left -= len(orders)
        report(made.total(), made.total())
        return Run(len(editions), made.total(), dict(sorted(made.items())), len(waiting))


@contextmanager
def _alone(sessions: Sessions) -> Iterator[None]:
    """Hold the right to make copies on a connection of its own; raises `AlreadyMaking`."""
    engine = sessions.kw["bind"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
        # Closed, not given back to the pool: the lock must end with the connection.
        own.detach()
        if not own.scalar(select(func.pg_try_advisory_lock(func.hashtext("catalogs.make_copies")))):
            raise AlreadyMaking("another process is making catalog copies; let it finish")
        yield


@dataclass(frozen=True, slots=True)
class _Ordered:
    """An order with what the archive is to know of it."""

    order: CopyOrder
    recipient: Recipient
    edition: OpenEdition
    file: str

    def archived(self, made: MadeCopy) -> ArchivedCopy:
        """Return the archive's row for the finished copy."""
        return ArchivedCopy(
            copy_code=made.copy_code,
            edition_id=self.edition.edition_id,
            member_id=self.recipient.member_id,
            store_id=self.recipient.store_id,
            language=self.order.reader.language,
            path=self.file,
            sha256=made.sha256,
            size=made.size,
            pages=made.pages,
            picks=list(self._items(made)),
        )

    def _items(self, made: MadeCopy) -> Iterator[dict[str, Any]]:
        offers = {offer.article_id: (offer, "group") for offer in self.order.issue.offers}
        own = {
            pick.offer.article_id: (pick.offer, pick.why) for pick in (*self.order.picks, *self.order.news)
        }
        last = made.pages if own else 0
        for page, article_id in made.items:
            offer, why = (own if page == last else offers)[article_id]
            yield {
                "page": page,
                "article_id": article_id,
                "why": why,
                "price": offer.price.minor if offer.price else None,
                "currency": offer.price.currency if offer.price else None,
                "listed": offer.listed,
            }


def read_orders(
    session: Session,
    readers: Sequence[Recipient],
    editions: Mapping[str, OpenEdition],
    *,
    data: Path,
    day: date,
    now: datetime,
) -> dict[str, _Ordered]:
    """
    Return, by copy code, everything that the copies of `readers` are made of.

    Neighbours share shop and language, and so most of what is on their pages; who refused something
    of that has pages without it. Readers for whose shop there is nothing to show, and those who refuse
    every offer, are left out.
    """
    known = _Known.read(session, readers, day=day, now=now)
    issues: dict[tuple[UUID, int, Refusals], Issue] = {}
    orders: dict[str, _Ordered] = {}
    for reader in sorted(readers, key=lambda one: (one.language, one.store_id, one.group_id, one.member_id)):
        edition, refused = editions[reader.group_id], known.refusals.get(reader.member_id, Refusals())
        if refused.everything:
            continue
        shelf = _without(known.shelves[reader.store_id], refused)
        key = (edition.edition_id, reader.store_id, refused)
        if key not in issues:
            issues[key] = _issue(edition, known.shops[reader.store_id], shelf)
        ordered = _ordered(reader, edition, issues[key], shelf, known, data=data)
        if ordered.order.issue.offers or ordered.order.picks:
            orders[ordered.order.copy_code] = ordered
    return orders


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of readers and their shops, read for all of them at once."""

    shops: Mapping[int, Shop]
    shelves: Mapping[int, Mapping[int, Offer]]
    histories: Mapping[UUID, list[Bought]]
    brought_back: Mapping[UUID, set[int]]
    refusals: Mapping[UUID, Refusals]
    points: Mapping[UUID, int]

    @classmethod
    def read(cls, session: Session, readers: Sequence[Recipient], *, day: date, now: datetime) -> "_Known":
        """Read it."""
        known_shops = shops(session, {reader.store_id for reader in readers})
        accounts = {reader.account_id for reader in readers}
        return cls(
            shops=known_shops,
            shelves=read_shelves(session, known_shops.values(), day=day),
            histories=read_histories(session, accounts, day=day),
            brought_back=read_brought_back(session, accounts, day=day),
            refusals=refusals_of(
                session, {reader.member_id: reader.account_id for reader in readers}, now=now
            ),
            points=balances(session, accounts),
        )


def _ordered(
    reader: Recipient,
    edition: OpenEdition,
    issue: Issue,
    shelf: Mapping[int, Offer],
    known: _Known,
    *,
    data: Path,
) -> _Ordered:
    """Return what the copy of `reader` is made of."""
    bought = known.histories.get(reader.account_id, [])
    back = known.brought_back.get(reader.account_id, set())
    own = [shelf[one.article_id].category for one in bought if one.article_id in shelf]
    code = copy_code(edition, reader.member_id)
    file = f"catalogs/{edition.edition_code}/{code}.pdf"
    picks = choose_picks(bought, shelf, refused=back)
    order = CopyOrder(
        copy_code=code,
        theme=edition.theme,
        issue=issue,
        reader=Reader(reader.name, reader.language, known.points.get(reader.account_id), reader.card_number),
        picks=picks,
        news=choose_news(
            edition.plan.ranking,
            shelf,
            known={one.article_id for one in bought},
            own_categories=[name for name, _count in Counter(filter(None, own)).most_common()],
            beside=edition.plan.beside,
            picks=picks,
            refused=back,
        ),
        path=data / file,
    )
    return _Ordered(order, reader, edition, file)


def _without(shelf: Mapping[int, Offer], refused: Refusals) -> Mapping[int, Offer]:
    """Return what of `shelf` a member may be offered."""
    if refused == Refusals():
        return shelf
    return {key: offer for key, offer in shelf.items() if not refused.cover(key, offer.category)}


def _issue(edition: OpenEdition, shop: Shop, shelf: Mapping[int, Offer]) -> Issue:
    return Issue(
        colour=edition.plan.colour,
        categories=edition.plan.categories,
        shop=shop.name,
        valid_from=edition.valid_from,
        valid_to=edition.valid_to,
        offers=choose_offers(edition.plan.ranking, shelf, categories=edition.plan.categories, count=OFFERS),
    )


def copy_code(edition: OpenEdition, member_id: UUID) -> str:
    """
    Return the code of a member's copy of an edition, always the same and not to be guessed.

    The edition's identifier, which no reader knows, is what makes it so.
    """
    digest = sha256(edition.edition_id.bytes + member_id.bytes).digest()
    return f"{edition.edition_code}-{b32encode(digest)[:10].decode('ascii').lower()}"


def _photos(data: Path) -> Path | None:
    """Return the folder of the articles' own pictures, None where there is none."""
    folder = data / "pictures"
    return folder if folder.is_dir() else None


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
