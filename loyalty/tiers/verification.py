"""What must always hold of tiers, as checks that `regulars verify` and the night run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.verification import EXAMPLES, Check, Findings, QueryCheck
from loyalty.tiers.scheme import Schemes
from loyalty.tiers.standings import read_known, stand
from loyalty.tiers.versions import read_schemes

ACCOUNTS_AT_ONCE = 1_000

# Entries are only kept for accounts that have a standing, and from the first day that can matter.
ENTRIES = QueryCheck(
    "G4a",
    "What qualifies for tiers is what the receipts say",
    """
    with counted as (
        select (min(valid_from) - interval '1 year')::date as since from tier_scheme where state = 'approved'
    ), facts as (
        select fact.* from counted, qualifying_facts(
            (select array_agg(account_id) from tier_standing), counted.since) as fact
        where counted.since is not null
    )
    select 'receipt ' || coalesce(fact.receipt_id, entry.receipt_id) || ' of account '
      || coalesce(fact.account_id, entry.account_id)
    from facts as fact
    full join qualifying_entry as entry using (account_id, business_date, receipt_id)
    where (fact.closed_at, fact.currency, fact.spend, fact.points, fact.visits)
      is distinct from (entry.closed_at, entry.currency, entry.spend, entry.points, entry.visits)
    union all
    select 'standing of account ' || standing.account_id || ', joined to another'
    from tier_standing as standing join balance using (account_id) where balance.moved_to is not null
    """,
)

HISTORY = QueryCheck(
    "G4c",
    "Who has earned a tier has a history that says how",
    """
    select 'account ' || standing.account_id
    from tier_standing as standing
    where standing.earned_code is not null and not exists (
        select from tier_event as event
        where event.account_id = standing.account_id and event.to_code = standing.earned_code)
    """,
)


@dataclass(frozen=True, slots=True)
class StandingsCheck:
    """Works every standing out again from the entries, the grants and the versions."""

    code: str = "G4b"
    promise: str = "Standings are what a recount makes of them, whatever the order of rows"

    def look(self, session: Session) -> Findings:
        """Return which accounts stand otherwise than they should."""
        versions = read_schemes(session)
        found = list(_wrong(session, versions)) if versions else []
        return Findings(len(found), tuple(found[:EXAMPLES]))


def _wrong(session: Session, versions: Schemes) -> Iterator[str]:
    last: UUID | None = None
    while accounts := _accounts(session, last):
        for known in read_known(session, account_ids=accounts):
            assert known.stored is not None
            day = known.stored["as_of"]
            state = stand(versions, known, day=day).state
            expected = (state.code, state.earned, state.since, state.period_end, state.grace_until)
            stored = tuple(
                known.stored[name]
                for name in ("tier_code", "earned_code", "since", "period_end", "grace_until")
            )
            if expected != stored:
                yield f"account {known.account_id} stands at {stored}, by its receipts at {expected}"
        last = accounts[-1]


def _accounts(session: Session, last: UUID | None) -> Sequence[UUID]:
    rows = driver_of(session).execute(
        """
        select account_id from tier_standing where %(last)s::uuid is null or account_id > %(last)s
        order by account_id limit %(most)s
        """,
        {"last": last, "most": ACCOUNTS_AT_ONCE},
    )
    return [row[0] for row in rows.fetchall()]


REFERRALS = QueryCheck(
    "G5",
    "Each rewarded referral gave both what it says, once, and to two accounts",
    """
    select 'referral ' || referral_id
    from referral
    left join adjustment as own on own.adjustment_id = referrer_adjustment_id
    left join adjustment as other on other.adjustment_id = referred_adjustment_id
    where referral.state = 'rewarded' and (
        coalesce(own.points, 0) <> referrer_points or coalesce(other.points, 0) <> referred_points
        or own.state <> 'approved' or other.state <> 'approved' or own.member_id <> referrer_id
        or other.member_id <> referred_id or own.account_id = other.account_id)
    union all
    select 'adjustment ' || adjustment_id || ' of two referrals'
    from (
        select referrer_adjustment_id as adjustment_id from referral
        union all select referred_adjustment_id from referral
    ) as given
    where adjustment_id is not null
    group by adjustment_id having count(*) > 1
    """,
)

CHECKS: tuple[Check, ...] = (ENTRIES, StandingsCheck(), HISTORY, REFERRALS)
