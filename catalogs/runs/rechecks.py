"""
Copies looked at again before they leave the house: what members said since they were made still counts.

A copy that shows, or gives as a reason, what was refused, brought back, or is disputed by now is made again without it, as its next
version; the copy of who objected, withdrew or refuses everything is dropped, and its vouchers with it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from catalogs.making import Making
from catalogs.models import CatalogCopy
from catalogs.orders import Ordered, Orders
from catalogs.personal_vouchers import cancel_vouchers_of
from catalogs.queries import read_brought_back
from catalogs.render import MadeCopy
from catalogs.runs.recipients import REFUSES, Recipient, these_recipients
from contacts.queries import refusals_of
from contacts.reactions import Refusals
from core.audit import record_event
from core.driver import driver_of

ACTOR: Final = "catalogs"
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class UnsentCopy:
    """
    A copy that has not left the house: what it shows, and what its reasons name.

    `articles` are those of both with categories and names, `categories` those that reasons name without an article.
    """

    copy_id: UUID
    copy_code: str
    member_id: UUID
    edition_id: UUID
    version: int
    path: str
    made_at: datetime
    articles: Mapping[int, tuple[str | None, str]]
    categories: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What has to be done with copies: drop those (with the reason), make these again."""

    drop: Mapping[UUID, str]
    """By copy; the reason as in `recipients`."""
    remake: Sequence[UnsentCopy]
    copies: Mapping[UUID, UnsentCopy]
    """All of both, by identifier."""

    @property
    def empty(self) -> bool:
        """Whether all may go as they are."""
        return not self.drop and not self.remake


# Only of whom something was heard since a copy was made is looked at: usually few of very many.
_HEARD_OF = """
    select copy.copy_id, copy.copy_code, copy.member_id, copy.edition_id, copy.version, copy.path, copy.made_at,
           (select coalesce(jsonb_object_agg(article.article_id, jsonb_build_array(article.category, article.name)), '{}') from article
            where article.article_id in (select unnest(array[item ->> 'article_id', item ->> 'tied_article'])::integer
                                         from jsonb_array_elements(copy.picks) as item)),
           array(select distinct item ->> 'tied_category' from jsonb_array_elements(copy.picks) as item
                 where item ? 'tied_category')
    from catalog_copy as copy
    join edition using (edition_id)
    join member using (member_id)
    where edition.catalog_run_id = %(run)s and copy.state = 'made' and copy.channel = any(%(channels)s)
      and (%(handover)s::uuid is null or copy.handover_id = %(handover)s)
      and (member.profiling_objected_at is not null
        or exists (select from consent where consent.member_id = member.member_id
                   and consent.recorded_at >= copy.made_at - interval '1 hour')
        or exists (select from reaction where reaction.member_id = member.member_id
                   and greatest(reaction.recorded_at, reaction.moved_at) >= copy.made_at - interval '1 hour')
        or exists (select from reaction where reaction.member_id is null and reaction.account_id = member.account_id
                   and reaction.recorded_at >= copy.made_at - interval '1 hour')
        or exists (select from member_case where member_case.member_id = member.member_id
                   and member_case.opened_at >= copy.made_at - interval '1 hour')
        or exists (select from receipt where receipt.account_id = member.account_id
                   and receipt.received_at >= copy.made_at - interval '1 hour' and receipt.type = 'return'
                   and receipt.business_date > copy.made_at::date - 400))
    order by copy.copy_id
"""


def look_again(
    session: Session,
    *,
    catalog_run_id: UUID,
    channels: Collection[str],
    now: datetime,
    handover_id: UUID | None = None,
) -> Verdict:
    """Return what has to be done with copies of a run that were not sent, or with those of one hand-over."""
    rows = driver_of(session).execute(
        _HEARD_OF, {"run": catalog_run_id, "channels": list(channels), "handover": handover_id}
    )
    unsent = [
        UnsentCopy(*[*copy, {int(article): tuple(words) for article, words in shown.items()}, named])
        for *copy, shown, named in rows
    ]
    drop: dict[UUID, str] = {}
    remake: list[UnsentCopy] = []
    for start in range(0, len(unsent), AT_ONCE):
        part = unsent[start : start + AT_ONCE]
        members = {
            reader.member_id: reader
            for reader in these_recipients(
                session, catalog_run_id=catalog_run_id, member_ids=[copy.member_id for copy in part]
            )
        }
        accounts = {member_id: reader.account_id for member_id, reader in members.items()}
        refusals = refusals_of(session, accounts, now=now)
        back = read_brought_back(session, set(accounts.values()), day=now.date())
        for copy in part:
            reader = members[copy.member_id]
            against = _against(reader, refusals.get(copy.member_id, Refusals()))
            if against is not None:
                drop[copy.copy_id] = against
            elif _shows_refused(
                copy, refusals.get(copy.member_id, Refusals()), back.get(reader.account_id, set())
            ):
                remake.append(copy)
    kept = {copy.copy_id: copy for copy in unsent if copy.copy_id in drop} | {
        copy.copy_id: copy for copy in remake
    }
    return Verdict(drop, tuple(remake), kept)


def _against(reader: Recipient, refused: Refusals) -> str | None:
    return reader.against or (REFUSES if refused.everything else None)


def _shows_refused(copy: UnsentCopy, refused: Refusals, back: Collection[int]) -> bool:
    return any(
        article_id in back or refused.cover(article_id, category, name)
        for article_id, (category, name) in copy.articles.items()
    ) or any(refused.cover_category(category) for category in copy.categories)


@dataclass(slots=True)
class Mending:
    """What came of making copies fit again."""

    remade: int = 0
    dropped: int = 0


def mend(making: Making, verdict: Verdict, *, catalog_run_id: UUID, now: datetime) -> Mending:
    """Drop and make again as `verdict` says; files of versions that nobody will see are removed."""
    done = Mending()
    gone = dict(verdict.drop)
    by_version: dict[int, list[UnsentCopy]] = defaultdict(list)
    for copy in verdict.remake:
        by_version[copy.version].append(copy)
    for version, copies in sorted(by_version.items()):
        for start in range(0, len(copies), AT_ONCE):
            part = copies[start : start + AT_ONCE]
            with making.sessions.begin() as session:
                readers = these_recipients(
                    session, catalog_run_id=catalog_run_id, member_ids=[copy.member_id for copy in part]
                )
                orders = making.desk.write(session, readers, version=version + 1)
            by_member = {copy.member_id: copy for copy in part}
            done.remade += _again(making, orders, by_member, now=now)
            gone |= {by_member[member_id].copy_id: why for member_id, why in orders.left_out.items()}
    if gone:
        with making.sessions.begin() as session:
            done.dropped = drop_copies(
                session, {verdict.copies[copy_id]: why for copy_id, why in gone.items()}, now=now
            )
        for copy_id in gone:
            (making.desk.data / verdict.copies[copy_id].path).unlink(missing_ok=True)
    return done


def _again(making: Making, orders: Orders, by_member: Mapping[UUID, UnsentCopy], *, now: datetime) -> int:
    """Make copies again and put them in the place of the versions before; returns how many."""
    count = 0
    for chunk in making.files(list(orders.made.values())):
        with making.sessions.begin() as session:
            replaced = [
                by_member[ordered.recipient.member_id]
                for ordered, made in chunk
                if _replace(session, by_member[ordered.recipient.member_id], ordered, made, now=now)
            ]
        for copy in replaced:
            (making.desk.data / copy.path).unlink(missing_ok=True)
        count += len(replaced)
    return count


def _replace(session: Session, copy: UnsentCopy, ordered: Ordered, made: MadeCopy, *, now: datetime) -> bool:
    row = ordered.archived(made)
    changed = session.scalar(
        update(CatalogCopy)
        .where(
            CatalogCopy.copy_id == copy.copy_id,
            CatalogCopy.state == "made",
            CatalogCopy.version == copy.version,
        )
        .values(
            version=copy.version + 1,
            path=row.path,
            sha256=row.sha256,
            size=row.size,
            pages=row.pages,
            picks=row.picks,
            language=row.language,
            made_at=now,
            handover_id=None,
        )
        .returning(CatalogCopy.copy_id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    _record(session, copy, "catalog_copy.remake", now=now, detail={"version": copy.version + 1})
    return True


def drop_copies(session: Session, why: Mapping[UnsentCopy, str], *, now: datetime) -> int:
    """Drop copies that never leave the house, and cancel their vouchers; returns how many."""
    rows = driver_of(session).execute(
        """
        update catalog_copy set state = 'dropped', dropped_at = %(now)s, dropped_why = gone.word, handover_id = null
        from unnest(%(copies)s::uuid[], %(words)s::text[]) as gone (copy_id, word)
        where catalog_copy.copy_id = gone.copy_id and state = 'made'
        returning catalog_copy.copy_id
        """,
        {"now": now, "copies": [copy.copy_id for copy in why], "words": list(why.values())},
    )
    dropped = {row[0] for row in rows.fetchall()}
    for copy, word in why.items():
        if copy.copy_id in dropped:
            cancel_vouchers_of(
                session,
                edition_ids=[copy.edition_id],
                member_ids=[copy.member_id],
                reason=f"copy {copy.copy_code} was dropped: {word}",
                now=now,
            )
            _record(session, copy, "catalog_copy.drop", now=now, detail={"why": word})
    return len(dropped)


def _record(
    session: Session, copy: UnsentCopy, action: str, *, now: datetime, detail: Mapping[str, Any]
) -> None:
    record_event(
        session,
        now=now,
        actor=ACTOR,
        action=action,
        subject_kind="catalog_copy",
        subject_id=copy.copy_code,
        detail={"path": copy.path, **detail},
    )
