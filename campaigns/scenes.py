"""
What of a decision only the database knows at this moment, asked in one question, mostly within another's, that cannot fail it.

The question is the database's function `decision_scene`: it waits for no lock, gives up when it takes long, and
answers with what went wrong instead of raising it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from campaigns.decision_rules import DecisionSettings, settings_in
from contacts.reactions import Answered, Refusals, standing_refusals
from core.records import record
from rewards.carts import Shopper

SCENE: Final = """
    select decision_scene(
        %(card_number)s::text, %(member_id)s::uuid, %(account_id)s::uuid, %(store_id)s::integer, %(common)s::integer[],
        %(at)s::timestamptz, %(today)s::date, %(most)s::integer, %(asks_person)s::boolean, %(hold)s::boolean,
        %(patience)s::interval)
"""
"""Asked with `scene_values`; its one value is read by `scene_in`."""

PATIENCE: Final = timedelta(milliseconds=40)
"""So long the database may take at a till, and no longer; where it needs more there is no offer."""

LIST_PART: Final = 30
"""So many of each list are looked at."""

COMMON: Final = "store"
"""The list of who has none of their own: what most baskets of the store hold."""

ALL_REFUSED: Final = Refusals(everything=True)


class Failed(Exception):  # noqa: N818 - what the database said instead of a scene
    """The scene could not be read, or not in time."""


@record
class Silence:
    """That nothing is to be offered, and why: a word for figures, never for people."""

    why: str


@record
class Ranked:
    """A list, best first; `reasons` as the database keeps them, one for each article, None where there are none."""

    source: str
    article_ids: Sequence[int]
    reasons: Sequence[Sequence[Any]] | None = None


@record
class Scene:
    """What is known at this moment; `member_id` and `account_id` are None where nobody knows whose the basket is."""

    run_id: UUID
    member_id: UUID | None
    account_id: UUID | None
    lists: tuple[Ranked, ...]
    """The member's own; none for who has none."""
    there: frozenset[int]
    gone: frozenset[int]
    """What the store's stock records know of the articles of the lists."""
    refusals: Refusals
    told: tuple[tuple[int, str, int], ...]
    """Decisions of the last seven days: article, channel, days ago."""
    faulty: frozenset[int]
    words: tuple[int, str | None]
    """Which words of sensitive things the database has; a process with others must read them first."""
    settings: DecisionSettings
    shopper: Shopper | None = None


def scene_values(
    *,
    at: datetime,
    today: date,
    card_number: str | None = None,
    member_id: UUID | None = None,
    account_id: UUID | None = None,
    store_id: int | None,
    common: Sequence[int] = (),
    asks_person: bool = True,
    hold: bool = False,
    patience: timedelta | None = None,
) -> dict[str, Any]:
    """
    Return the values for the places in `SCENE`; whose it is follows from the card, if there is one.

    `common` is offered to who has no list. Only live offers need to know the person. With `hold` the log of
    decisions is held for the rest of the transaction. `patience` is a till's where none is given.
    """
    return {
        "card_number": card_number,
        "member_id": member_id,
        "account_id": account_id,
        "store_id": store_id,
        "common": list(common),
        "at": at,
        "today": today,
        "most": LIST_PART,
        "asks_person": asks_person,
        "hold": hold,
        "patience": PATIENCE if patience is None else patience,
    }


def scene_in(found: Mapping[str, Any], *, now: datetime) -> Scene | Silence:
    """Return what `SCENE` found; raises `Failed` where the database could not answer."""
    if "failed" in found:
        raise Failed(found["failed"])
    if "silent" in found:
        return Silence(found["silent"])
    return Scene(
        run_id=UUID(found["run"]),
        member_id=_uuid(found["member"]),
        account_id=_uuid(found["account"]),
        lists=tuple(
            Ranked(kind, found[kind], found[f"{kind}_reasons"]) for kind in ("all", "new") if found[kind]
        ),
        there=frozenset(found["there"] or ()),
        gone=frozenset(found["gone"] or ()),
        refusals=_refusals(found["answers"], now),
        told=tuple(map(tuple, found["told"] or ())),
        faulty=frozenset(found["faulty"] or ()),
        words=(found["words"][0], found["words"][1]),
        settings=settings_in(found["rules"]),
        shopper=_shopper(found["person"]),
    )


def refusals_in(found: Mapping[str, Any], *, now: datetime) -> Refusals | None:
    """
    Return what is refused after what `SCENE` found, None where it did not ask.

    Where it could not find out, everything is: rather nothing is promoted than what was refused.
    """
    if "failed" in found:
        return ALL_REFUSED
    return _refusals(found["answers"], now) if "answers" in found else None


def _refusals(rows: Sequence[Sequence[Any]] | None, now: datetime) -> Refusals:
    if not rows:
        return Refusals()
    answers = (
        Answered(reaction, scope, article_id, category, datetime.fromisoformat(at), offer_code)
        for reaction, scope, article_id, category, at, offer_code in rows
    )
    return standing_refusals(answers, now=now)


def _shopper(row: Sequence[Any] | None) -> Shopper | None:
    if row is None:
        return None
    code, birth_date, groups, staff, phase, value = row
    return Shopper(
        member_code=code,
        groups=tuple(groups or ()),
        phase=phase,
        value=value,
        birth_date=date.fromisoformat(birth_date) if birth_date else None,
        staff=staff,
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
