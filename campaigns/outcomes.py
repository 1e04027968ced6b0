"""What came of decisions: the first purchase of what was offered, and by channel how many were bought, accepted, refused."""

from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.driver import driver_of

BOUGHT_WITHIN: Final = 14
"""Days within which a purchase counts for a decision."""

INTERVAL: Final = 1.96
"""Standard errors on each side: nineteen of twenty such intervals hold the truth."""

# Each branch joins by the columns of an index of decisions.
_BOUGHT = """
        select decision.day, decision.decision_id, receipt.business_date, receipt.receipt_id, receipt.closed_at
        from receipt
        join receipt_line as line using (business_date, receipt_id)
        join decision on {whose} and decision.article_id = line.article_id
        where receipt.business_date between %(first)s and %(last)s
          and line.business_date between %(first)s and %(last)s
          and receipt.type = 'sale' and receipt.mode = 'live' and receipt.account_id is not null and line.quantity > 0
          and decision.day between %(first)s::date - %(within)s::integer and %(last)s
          and receipt.closed_at >= decision.at
          and receipt.business_date <= decision.day + %(within)s::integer
"""

_LINK = f"""
    insert into decision_outcome (day, decision_id, business_date, receipt_id, bought_at)
    select distinct on (day, decision_id) day, decision_id, business_date, receipt_id, closed_at
    from (
        {_BOUGHT.format(whose="decision.member_id = receipt.member_id")}
        union all
        {_BOUGHT.format(whose="decision.member_id is null and decision.account_id = receipt.account_id")}
    ) as bought
    order by day, decision_id, closed_at, receipt_id
    on conflict (day, decision_id) do nothing
"""


def link_purchases(session: Session, *, first: date, last: date) -> int:
    """Note of decisions the first later receipt of `first` to `last` that holds what was offered; returns how many are new."""
    values = {"first": first, "last": last, "within": BOUGHT_WITHIN}
    return driver_of(session).execute(_LINK, values).rowcount


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the interval that the share lies in (Wilson)."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which shares the true one lies, nineteen times of twenty."""
        if not self.of:
            return None
        share, square = self.count / self.of, INTERVAL**2
        middle = (share + square / (2 * self.of)) / (1 + square / self.of)
        half = (
            INTERVAL
            * sqrt(share * (1 - share) / self.of + square / (4 * self.of**2))
            / (1 + square / self.of)
        )
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """What came of the decisions of one channel, those that chance chose apart from the others."""

    channel: str
    explored: bool
    shown: int
    accepted: int
    refused: int
    bought: int

    @property
    def bought_share(self) -> Share:
        """How many of those that were shown were bought."""
        return Share(self.bought, self.shown)


_REPORT = text("""
    select decision.channel, decision.explored, count(*),
           count(*) filter (where answer.reaction = 'accepted'),
           count(*) filter (where answer.reaction in ('not_now', 'never', 'wrong_product')),
           count(*) filter (where bought.decision_id is not null)
    from decision
    left join decision_outcome as bought
      on bought.day = decision.day and bought.decision_id = decision.decision_id
    left join (
        select distinct on (decision_id) decision_id, reaction
        from reaction where decision_id is not null and recorded_at >= :first
        order by decision_id, recorded_at desc, reaction_id desc
    ) as answer on answer.decision_id = decision.decision_id
    where decision.day >= :first and decision.day <= :last
    group by decision.channel, decision.explored
    order by decision.channel, decision.explored
""")


def report(session: Session, *, first: date, last: date) -> list[ChannelReport]:
    """Return what came of the decisions of `first` to `last`, by channel, the chosen ones before those of chance."""
    return [ChannelReport(*row) for row in session.execute(_REPORT, {"first": first, "last": last})]


def difference(chosen: Share, by_chance: Share) -> tuple[float, float, float] | None:
    """Return by how much the share of `chosen` is larger than by chance, and its interval (Newcombe); None of nothing."""
    one, other = chosen.interval, by_chance.interval
    if one is None or other is None or chosen.value is None or by_chance.value is None:
        return None
    middle = chosen.value - by_chance.value
    low = middle - sqrt((chosen.value - one[0]) ** 2 + (other[1] - by_chance.value) ** 2)
    high = middle + sqrt((one[1] - chosen.value) ** 2 + (by_chance.value - other[0]) ** 2)
    return middle, low, high
