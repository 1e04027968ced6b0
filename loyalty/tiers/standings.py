"""Standings: what accounts' receipts, grants and the schemes come to, written with what happened on the way."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask, driver_of, together
from loyalty.tiers.scheme import NO_TIERS, Schemes
from loyalty.tiers.state import TierState, looked_at_until
from loyalty.tiers.walk import Earned, Qualifying, Record, Step, earned, missing_to_keep, next_due

SYSTEM: Final = "tiers"
"""Who does what nobody decided."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A tier that an account has from a day up to and with a last one, whatever it earns."""

    code: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that an account's standing is made of."""

    account_id: UUID
    joined_on: date
    record: Record
    grants: tuple[Grant, ...] = ()
    stored: Mapping[str, Any] | None = None
    """The standing as it was written last; None when it never was."""
    events: frozenset[tuple[str, date, str | None, str | None]] = frozenset()


@dataclass(frozen=True, slots=True)
class Stood:
    """A standing that was worked out: the state of the day, what was earned, and what the member is warned of."""

    state: TierState
    earned: Earned
    missing: int | None


def stand(schemes: Schemes, known: Known, *, day: date) -> Stood:
    """Return how an account stands on `day`, with the entries of that day. Pure."""
    scheme = schemes.on(day) if schemes else NO_TIERS
    held = earned(schemes, known.record, joined_on=known.joined_on, today=day)
    code = held.code
    active = [grant for grant in known.grants if grant.valid_from <= day <= grant.valid_until]
    for grant in active:
        code = scheme.higher(code, grant.code) if scheme.rank(grant.code) >= 0 else code
    warned_for = known.stored["warned_for"] if known.stored else None
    missing = missing_to_keep(schemes, known.record, held, joined_on=known.joined_on, today=day)
    if missing is not None and held.period_end != warned_for:
        warned_for = held.period_end
    else:
        missing = None
    ends = [grant.valid_until for grant in known.grants] + [
        grant.valid_from - timedelta(days=1) for grant in known.grants
    ]
    state = TierState(
        scheme=scheme,
        day=day,
        code=code,
        earned=held.code,
        since=held.since,
        joined_on=known.joined_on,
        period_end=held.period_end,
        grace_until=held.grace_until,
        due_on=next_due(schemes, held, today=day, warned_for=warned_for, ends=ends),
        warned_for=warned_for,
        as_of=day,
        qualifying=known.record.total(
            scheme, scheme.window_start(known.joined_on, day), known.record.before(day + timedelta(days=1))
        ),
    )
    return Stood(state, held, missing)


def recount(session: Session, *, account_ids: Sequence[UUID], since: date) -> None:
    """Make the entries of these accounts, which are held, from `since` on what their receipts say."""
    values = {"accounts": list(account_ids), "since": since}
    with together(session):
        ask(
            session,
            "delete from qualifying_entry where account_id = any(%(accounts)s) and business_date >= %(since)s",
            values,
        )
        ask(session, _COUNT, values)


_COUNT = """
    insert into qualifying_entry (account_id, business_date, receipt_id, closed_at, currency, spend, points, visits)
    select * from qualifying_facts(%(accounts)s::uuid[], %(since)s::date)
"""


def restand(
    session: Session,
    *,
    account_ids: Sequence[UUID],
    schemes: Schemes,
    today: date,
    now: datetime,
    since: date | None = None,
) -> dict[UUID, TierState]:
    """
    Work out how these accounts stand, write it with what happened, and return it.

    Their receipts are counted again from `since`, of an account that never had a standing from the first
    day that can matter; None counts nothing again. The caller holds the accounts.
    """
    first = schemes.counted_from
    if first is None or not account_ids:
        return {}
    new = _without_standing(session, account_ids)
    if new:
        recount(session, account_ids=new, since=first)
    old = [account_id for account_id in account_ids if account_id not in set(new)]
    if since is not None and old:
        recount(session, account_ids=old, since=max(first, since))
    found = {
        known.account_id: (known, stand(schemes, known, day=_day(known, today)))
        for known in read_known(session, account_ids=account_ids)
    }
    _write(session, found.values(), now=now)
    return {account_id: stood.state for account_id, (_, stood) in found.items()}


def read_known(session: Session, *, account_ids: Sequence[UUID]) -> list[Known]:
    """Return everything that the standings of these accounts are made of, in their order."""
    values = {"accounts": list(account_ids)}
    with together(session):
        heads, entries, grants, standings, events = (
            ask(session, question, values) for question in (_JOINED, _ENTRIES, _GRANTS, _STANDINGS, _EVENTS)
        )
    joined = dict(heads.fetchall())
    stored = {row[0]: dict(zip(_STORED, row[1:], strict=True)) for row in standings.fetchall()}
    by_account: dict[UUID, list[Qualifying]] = {}
    for account_id, *columns in entries.fetchall():
        by_account.setdefault(account_id, []).append(Qualifying(*columns))
    granted: dict[UUID, list[Grant]] = {}
    for account_id, *columns in grants.fetchall():
        granted.setdefault(account_id, []).append(Grant(*columns))
    happened: dict[UUID, set[tuple[str, date, str | None, str | None]]] = {}
    for account_id, kind, on, before, after in events.fetchall():
        happened.setdefault(account_id, set()).add((kind, on, before, after))
    return [
        Known(
            account_id,
            stored[account_id]["joined_on"] if account_id in stored else joined[account_id],
            Record(by_account.get(account_id, ())),
            tuple(granted.get(account_id, ())),
            stored.get(account_id),
            frozenset(happened.get(account_id, ())),
        )
        for account_id in account_ids
        if account_id in joined
    ]


_JOINED = """
    select account.account_id, coalesce(min(member.joined_on), min(account.opened_at)::date)
    from account left join member using (account_id)
    where account.account_id = any(%(accounts)s) group by account.account_id
"""
_ENTRIES = """
    select account_id, business_date, closed_at, receipt_id, currency, spend, points, visits
    from qualifying_entry where account_id = any(%(accounts)s)
"""
_GRANTS = """
    select account_id, tier_code, valid_from, valid_until from tier_grant where account_id = any(%(accounts)s)
"""
_STORED = (
    "joined_on", "tier_code", "earned_code", "since", "period_end", "grace_until", "due_on", "warned_for", "as_of"
)  # fmt: skip
_STANDINGS = (
    f"select account_id, {', '.join(_STORED)} from tier_standing where account_id = any(%(accounts)s)"
)
_EVENTS = """
    select account_id, kind, happened_on, from_code, to_code from tier_event
    where account_id = any(%(accounts)s) and kind in ('up', 'down', 'kept', 'grace')
"""


def _without_standing(session: Session, account_ids: Sequence[UUID]) -> list[UUID]:
    rows = driver_of(session).execute(
        """
        select wanted from unnest(%s::uuid[]) as wanted
        where not exists (select from tier_standing where account_id = wanted)
        """,
        (list(account_ids),),
    )
    return [row[0] for row in rows.fetchall()]


_KEEP = """
    insert into tier_standing (account_id, joined_on, tier_code, earned_code, since, period_end, grace_until, due_on,
                               warned_for, as_of, changed_at)
    select account_id, joined_on, tier_code, earned_code, since, period_end, grace_until, due_on, warned_for, as_of,
           %(now)s
    from json_to_recordset(%(standings)s) as standing (
        account_id uuid, joined_on date, tier_code text, earned_code text, since date, period_end date,
        grace_until date, due_on date, warned_for date, as_of date)
    on conflict (account_id) do update set
        joined_on = excluded.joined_on, tier_code = excluded.tier_code, earned_code = excluded.earned_code,
        since = excluded.since, period_end = excluded.period_end, grace_until = excluded.grace_until,
        due_on = excluded.due_on, warned_for = excluded.warned_for, as_of = excluded.as_of,
        changed_at = excluded.changed_at
"""

_TELL = """
    insert into tier_event (account_id, happened_on, recorded_at, kind, from_code, to_code, receipt_id, detail, actor)
    select account_id, happened_on, %(now)s, kind, from_code, to_code, receipt_id, detail, %(actor)s
    from json_to_recordset(%(events)s) as event (
        account_id uuid, happened_on date, kind text, from_code text, to_code text, receipt_id uuid, detail jsonb)
"""


def _write(session: Session, found: Iterable[tuple[Known, Stood]], *, now: datetime) -> None:
    standings: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for known, stood in found:
        standings.append(standing_row(known.account_id, stood.state))
        events += _events(known, stood)
    with together(session):
        ask(session, _KEEP, {"standings": json.dumps(standings, default=str), "now": now})
        if events:
            tell(session, events, now=now)


def standing_row(account_id: UUID, state: TierState) -> dict[str, Any]:
    """Return a state as a row of standings."""
    return {
        "account_id": account_id,
        "joined_on": state.joined_on,
        "tier_code": state.code,
        "earned_code": state.earned,
        "since": state.since,
        "period_end": state.period_end,
        "grace_until": state.grace_until,
        "due_on": state.due_on,
        "warned_for": state.warned_for,
        "as_of": state.as_of,
    }


def keep_standing(session: Session, account_id: UUID, state: TierState, *, now: datetime) -> None:
    """Write a standing; the caller holds the account."""
    rows = json.dumps([standing_row(account_id, state)], default=str)
    ask(session, _KEEP, {"standings": rows, "now": now})


def tell(
    session: Session, events: Sequence[Mapping[str, Any]], *, now: datetime, actor: str = SYSTEM
) -> None:
    """Write down what happened."""
    values = {"events": json.dumps(events, default=str), "now": now, "actor": actor}
    ask(session, _TELL, values)


def event_of(account_id: UUID, step: Step, **detail: Any) -> dict[str, Any]:
    """Return a step as a row of events."""
    return {
        "account_id": account_id,
        "happened_on": step.on,
        "kind": step.kind,
        "from_code": step.before,
        "to_code": step.after,
        "receipt_id": step.receipt_id,
        "detail": {"qualifying": step.qualifying, **detail},
    }


def _events(known: Known, stood: Stood) -> Iterator[dict[str, Any]]:
    """Yield what happened since the standing was written: steps that nobody told of, ends of grants, a warning."""
    state, account_id = stood.state, known.account_id
    last: Step | None = None
    for step in stood.earned.steps:
        if (step.kind, step.on, step.before, step.after) not in known.events:
            last = step
            until = {"until": step.until} if step.kind == "grace" else {}
            yield event_of(account_id, step, **until)
    stored = known.stored
    unexplained = last is None or last.after != state.code
    # A tier that somebody granted was told of then.
    if stored is not None and stored["tier_code"] != state.code == state.earned and unexplained:
        ended = [one for one in known.grants if stored["as_of"] <= one.valid_until < state.day]
        lost = state.scheme.rank(state.code) < state.scheme.rank(stored["tier_code"])
        kind = "grant_ended" if ended else "down" if lost else "up"
        # What had reached it was voided since, or counted on another day.
        detail = {} if ended else {"corrected": True}
        step = Step(kind, state.day, stored["tier_code"], state.code, int(state.qualifying))  # type: ignore[arg-type]
        yield event_of(account_id, step, **detail)
    if stood.missing is not None:
        yield {
            "account_id": account_id,
            "happened_on": state.day,
            "kind": "warned",
            "from_code": state.earned,
            "to_code": state.earned,
            "receipt_id": None,
            "detail": {"missing": stood.missing, "until": state.period_end},
        }


def read_state(session: Session, *, account_id: UUID, schemes: Schemes, today: date) -> TierState | None:
    """Return how an account stands that was never looked at, from its receipts, without writing anything; None without tiers."""
    first = schemes.counted_from
    if first is None or schemes.approved[0].valid_from > today:
        return None
    row = ask(session, _JOINED, {"accounts": [account_id]}).fetchone()
    if row is None:
        return None
    facts = ask(session, _FACTS, ([account_id], first)).fetchall()
    known = Known(account_id, row[1], Record(Qualifying(*one) for one in facts))
    return stand(schemes, known, day=_day(known, today)).state


def _day(known: Known, today: date) -> date:
    return looked_at_until(today, known.record.days[-1] if known.record.days else None)


_FACTS = """
    select business_date, closed_at, receipt_id, currency, spend, points, visits
    from qualifying_facts(%s::uuid[], %s::date)
"""
