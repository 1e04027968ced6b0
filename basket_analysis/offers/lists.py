"""Reads what the night ranked for members: two lists each, best first, with a reason for every article."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.models import MemberOffers as Row
from basket_analysis.models import ServedRun
from basket_analysis.offers.reasons import Reason, kept_reason
from customers.models import Member
from customers.standings import may_be_profiled


@dataclass(frozen=True, slots=True)
class RankedOffer:
    """An article in a member's list; scores only compare within one list."""

    article_id: int
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class MemberOffers:
    """
    What a member may be offered, best first.

    `all` is what the member is likeliest to buy next, mostly what was bought before; `new` only what the member never
    bought. Nothing of sensitive kinds, and nothing refused by the night's time, is in either.
    """

    all: tuple[RankedOffer, ...] = ()
    new: tuple[RankedOffer, ...] = ()


def offers_of_members(
    session: Session, member_ids: Collection[UUID], *, run_id: UUID | None = None
) -> dict[UUID, MemberOffers]:
    """
    Return the lists of members from the run that is served, or from `run_id`.

    Members that the run does not know are left out, and so is who objects to profiling by now.
    """
    run = select(ServedRun.run_id).scalar_subquery() if run_id is None else run_id
    rows = session.execute(
        select(Row.member_id, Row.kind, Row.article_ids, Row.scores, Row.reasons)
        .join(Member, Member.member_id == Row.member_id)
        .where(Row.member_id.in_(member_ids), Row.run_id == run, may_be_profiled())
    )
    lists: dict[UUID, dict[str, tuple[RankedOffer, ...]]] = defaultdict(dict)
    for member_id, kind, article_ids, scores, reasons in rows:
        lists[member_id][kind] = tuple(
            RankedOffer(article_id, score, kept_reason(kept))
            for article_id, score, kept in zip(article_ids, scores, reasons, strict=True)
        )
    return {
        member_id: MemberOffers(all=found.get("all", ()), new=found.get("new", ()))
        for member_id, found in lists.items()
    }
