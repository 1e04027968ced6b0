"""Who would move between tiers if a draft of them held: worked out of receipts, nothing is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.tiers.scheme import ApprovedScheme, Schemes
from loyalty.tiers.standings import Grant, Known, stand
from loyalty.tiers.versions import SchemeVersion
from loyalty.tiers.walk import Qualifying, Record

MOST_LOOKED_AT: Final = 1_000
"""Accounts that a preview looks at: a page must not wait for all of a chain."""


@dataclass(frozen=True, slots=True)
class Moves:
    """
    How accounts stand on a day without and with a draft, by the codes of both tiers, as if nobody bought until then.

    `looked_at` of `accounts` were drawn by chance, the same ones each time.
    """

    day: date
    accounts: int
    looked_at: int
    counts: Mapping[tuple[str | None, str | None], int]

    @property
    def moved(self) -> list[tuple[str | None, str | None, int]]:
        """Those who would stand elsewhere: from, to, how many; most first."""
        found = [(before, after, count) for (before, after), count in self.counts.items() if before != after]
        return sorted(found, key=lambda move: (-move[2], move[0] or "", move[1] or ""))

    @property
    def stay(self) -> int:
        """How many would stand where they stand."""
        return self.looked_at - sum(count for _, _, count in self.moved)


# Joined accounts live on in others. The order is by chance, but the same for the same accounts.
_DRAWN = """
    select account_id, joined, count(*) over () from (
        select account.account_id, coalesce(min(member.joined_on), min(account.opened_at)::date) as joined
        from account left join member using (account_id) left join balance using (account_id)
        where balance.moved_to is null group by account.account_id
    ) as known order by md5(account_id::text) limit %s
"""
_FACTS = """
    select account_id, business_date, closed_at, receipt_id, currency, spend, points, visits
    from qualifying_facts(%s::uuid[], %s::date)
"""
_GRANTS = "select account_id, tier_code, valid_from, valid_until from tier_grant where account_id = any(%s)"


def moves_under(
    session: Session, *, draft: SchemeVersion, schemes: Schemes, today: date, now: datetime
) -> Moves:
    """Return who would move on the first day on which `draft` holds, or today where that is past."""
    with_draft = Schemes([*schemes.approved, ApprovedScheme(draft.valid_from, now, draft.rules)])
    first, day = with_draft.counted_from, max(draft.valid_from, today)
    assert first is not None
    driver = driver_of(session)
    rows = driver.execute(_DRAWN, (MOST_LOOKED_AT,)).fetchall()
    joined: dict[UUID, date] = {row[0]: row[1] for row in rows}
    facts: dict[UUID, list[Qualifying]] = {}
    for account_id, *columns in driver.execute(_FACTS, (list(joined), first)).fetchall():
        facts.setdefault(account_id, []).append(Qualifying(*columns))
    grants: dict[UUID, list[Grant]] = {}
    for account_id, *columns in driver.execute(_GRANTS, (list(joined),)).fetchall():
        grants.setdefault(account_id, []).append(Grant(*columns))
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for account_id, since in joined.items():
        known = Known(account_id, since, Record(facts.get(account_id, ())), tuple(grants.get(account_id, ())))
        counts[_code(schemes, known, day), _code(with_draft, known, day)] += 1
    return Moves(day, rows[0][2] if rows else 0, len(joined), counts)


def _code(schemes: Schemes, known: Known, day: date) -> str | None:
    holds: Sequence[ApprovedScheme] = schemes.approved
    return stand(schemes, known, day=day).state.code if holds and holds[0].valid_from <= day else None
