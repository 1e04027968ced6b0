"""
What members are worth to the chain: three values, and the class that follows from them. Pure.

Financial value is what the next year is expected to bring: visits a year, newer ones counting more, times what a
visit brings, times the probability that the member has not left; both rates are drawn towards the chain's mean
while little is known. Informational value is what the member tells, 0 to 100. Reference value is people reached.
Sources and reasons: docs/adr/0034.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.standings.phases import GROWING, LOST, NEW, Codes, Floats, Visits
from customers.models import VALUE_CLASSES

Bools = NDArray[np.bool_]

VIP, POTENTIAL, STEADY, LOW = range(len(VALUE_CLASSES))

HALF_LIFE = 180.0
"""A visit so many days ago counts half."""
PRIOR_DAYS, PRIOR_VISITS = 30.0, 2.0
"""The chain's mean counts like so many days of watching a member, and like so many of the member's visits."""
YEAR = 365.0

VIP_FROM, STEADY_FROM, STAYS_BY = 0.90, 0.40, 0.03
"""Ranks by financial value; who is in a class stays until the rank is so much worse."""
NEARLY_VIP, REACHES = 0.80, 2
"""One of the best fifth who reaches so many people is a VIP too."""
TELLS_MUCH = 70

PROFILE_MOST, CONSENTS_MOST, ANSWERS_MOST, REDEMPTIONS_MOST = 40, 20, 20, 20
PROFILE_EACH, CONSENT_EACH, ANSWER_EACH, REDEMPTION_EACH = 10, 5, 4, 4


@dataclass(frozen=True, slots=True)
class Told:
    """What members tell, per member: facts of the profile, consents in force, answers and redemptions within a year."""

    facts: Int32s
    consents: Int32s
    answers: Int32s
    redemptions: Int32s

    def points(self) -> Int32s:
        """Return the four parts of informational value, one row each; their sum is at most 100."""
        return np.stack(
            [
                np.minimum(self.facts * PROFILE_EACH, PROFILE_MOST),
                np.minimum(self.consents * CONSENT_EACH, CONSENTS_MOST),
                np.minimum(self.answers * ANSWER_EACH, ANSWERS_MOST),
                np.minimum(self.redemptions * REDEMPTION_EACH, REDEMPTIONS_MOST),
            ]
        ).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Money:
    """What visits brought and returns took, as parallel arrays: whose, on which day, how much in minor units of one currency."""

    owner: Int32s
    day: Int32s
    amount: Int64s


def expected_year(visits: Visits, money: Money, *, watched: Floats, active: Floats, reference: int) -> Int64s:
    """
    Return what each member is expected to bring in the next 365 days, in the units of `money`, 0 at least.

    `watched` is for how many days each member could have been seen, `active` the probability that they have not left.
    """
    members = len(visits)
    if not len(visits.day):
        return np.zeros(members, np.int64)
    owner = np.repeat(np.arange(members), np.diff(visits.offsets))
    count = np.bincount(owner, weights=_worth(visits.day, reference), minlength=members)
    brought = np.bincount(money.owner, weights=_worth(money.day, reference) * money.amount, minlength=members)
    exposure = (1 - np.exp2(-np.maximum(watched, 1.0) / HALF_LIFE)) * HALF_LIFE / np.log(2)
    chain_rate, chain_visit = count.sum() / exposure.sum(), brought.sum() / count.sum()
    rate = (count + chain_rate * PRIOR_DAYS) / (exposure + PRIOR_DAYS)
    per_visit = (brought + chain_visit * PRIOR_VISITS) / (count + PRIOR_VISITS)
    expected = np.rint(np.maximum(rate * YEAR * per_visit * active, 0.0)).astype(np.int64)
    return np.where(np.diff(visits.offsets) == 0, 0, expected)


def _worth(day: Int32s, reference: int) -> Floats:
    return np.exp2((day - reference) / HALF_LIFE)


def rank(values: Int64s) -> Floats:
    """Return for each member the share of members whose value is lower, 0 to 1."""
    if not len(values):
        return np.zeros(0)
    return np.searchsorted(np.sort(values), values, side="left").astype(np.float64) / len(values)


def class_values(ranks: Floats, phases: Codes, told: Int32s, reached: Int32s, previous: Codes) -> Codes:
    """
    Return the class of each member as an index into VALUE_CLASSES.

    VIP: the best tenth by money, or of the best fifth who reaches two people. Potential: of the better sixty
    percent who is new or growing, reaches somebody or tells much. Steady: the others of those. Low: the
    rest, and whoever is lost. `previous` is the class so far, -1 without: it is kept while the rank is
    no more than 0.03 short of it.
    """
    easier = STAYS_BY * np.isin(previous, (VIP,))
    vip = (ranks >= VIP_FROM - easier) | ((ranks >= NEARLY_VIP - easier) & (reached >= REACHES))
    easier = STAYS_BY * np.isin(previous, (VIP, POTENTIAL, STEADY))
    middle = ranks >= STEADY_FROM - easier
    promising: Bools = np.isin(phases, (NEW, GROWING)) | (reached >= 1) | (told >= TELLS_MUCH)
    classes = np.select([vip, middle & promising, middle], [VIP, POTENTIAL, STEADY], LOW)
    return np.where(phases == LOST, LOW, classes).astype(np.int8)
