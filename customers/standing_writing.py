"""Writes the standings of a run, a million as fast as ten."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.copying import copy_rows
from core.driver import driver_of
from customers.models import PHASES, VALUE_CLASSES, MemberStanding

Column = NDArray[Any]

_FOUND = """
    create temporary table found_standing (
        number integer, phase smallint, phase_since integer, value_class smallint, value_since integer,
        financial bigint, currency integer, financial_rank real, told_profile smallint, told_consents smallint,
        told_answers smallint, told_redemptions smallint, brought integer, household integer, visits integer,
        last_visit integer, silence real, usual_gap real, long_gap real, lost_gap real, recent_gap real, earlier_gap real
    ) on commit drop
"""
_AS_FOUND = (
    "phase", "phase_since", "value_class", "value_since", "financial", "currency", "financial_rank", "brought", "household",
    "visits", "last_visit", "silence", "usual_gap", "long_gap", "lost_gap", "recent_gap", "earlier_gap",
)  # fmt: skip

_INSERT = """
    insert into member_standing (
        run_id, member_id, phase, phase_since, value_class, value_since, financial, currency, margin, financial_rank,
        informational, told_profile, told_consents, told_answers, told_redemptions, reference_value, brought, household,
        visits, last_visit, silence, usual_gap, long_gap, lost_gap, recent_gap, earlier_gap)
    select %(run_id)s, member.member_id, (%(phases)s::text[])[phase + 1], %(first)s::date + phase_since,
        (%(classes)s::text[])[value_class + 1], %(first)s::date + value_since, financial,
        (%(currencies)s::text[])[currency + 1], %(margin)s, financial_rank,
        told_profile + told_consents + told_answers + told_redemptions,
        told_profile, told_consents, told_answers, told_redemptions, brought + household, brought, household,
        visits, case when last_visit >= 0 then %(first)s::date + last_visit end, silence, usual_gap, long_gap, lost_gap,
        nullif(recent_gap, 'NaN'), nullif(earlier_gap, 'NaN')
    from found_standing as found join judged_member as member using (number)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """
    The standings of members, as parallel arrays by member number.

    `phase` and `value_class` are indexes into PHASES and VALUE_CLASSES, `currency` into `currencies` (-1: none); days
    are indexes from the first day on; `told` has a row for each of profile, consents, answers and redemptions.
    """

    phase: Column
    phase_since: Column
    value_class: Column
    value_since: Column
    financial: Column
    currency: Column
    currencies: tuple[str, ...]
    margin: bool
    financial_rank: Column
    told: Column
    brought: Column
    household: Column
    visits: Column
    last_visit: Column
    silence: Column
    usual_gap: Column
    long_gap: Column
    lost_gap: Column
    recent_gap: Column
    earlier_gap: Column


def store_standings(session: Session, *, run_id: UUID, first_day: date, found: Found) -> None:
    """
    Write the standings of a run, in place of what was there of it.

    The transaction must have a table judged_member (member_id, number) that says whose row `found` has at a number.
    """
    session.execute(delete(MemberStanding).where(MemberStanding.run_id == run_id))
    driver = driver_of(session)
    driver.execute(_FOUND)
    values: dict[str, Column] = {
        "number": np.arange(len(found.phase)),
        "told_profile": found.told[0],
        "told_consents": found.told[1],
        "told_answers": found.told[2],
        "told_redemptions": found.told[3],
    }
    values |= {name: getattr(found, name) for name in _AS_FOUND}
    copy_rows(session, "found_standing", values)
    driver.execute(
        _INSERT,
        {
            "run_id": run_id,
            "phases": list(PHASES),
            "classes": list(VALUE_CLASSES),
            "currencies": list(found.currencies),
            "first": first_day,
            "margin": found.margin,
        },
    )
