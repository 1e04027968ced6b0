"""What runs in a store today: for its manager, to be printed and put up beside the tills."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import business_day, zone
from rewards.models import RewardStock
from sales.models import Store
from web import scope
from web.offers.budgets import last_day
from web.offers.lists import OfferVersionView, Spent, live_versions, spent_by_code, spent_here, standing
from web.offers.names import Json, Names, Teller
from web.offers.naming import Choices, choices, names_of
from web.offers.today import is_in, runs_on
from web.offers.words import audience_words, headline, hours_words, offer_name
from web.state import now, transaction, viewer
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("store_offers", __name__, url_prefix="/today")
_SOON = 3
_AHEAD = 7


@dataclass(frozen=True, slots=True)
class TodayRow:
    """An offer as a store needs it."""

    code: str
    name: str
    words: str
    audience: str
    hours: str
    start: date | None
    end: date | None
    ends_soon: bool
    left: tuple[str, ...]
    used_up: bool
    stock: int | None
    """Pieces of its gift that can be given here; None when it gives none."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the offers of the reader's store, or of the one chosen in the top bar; ask for one where none is."""
    with transaction() as session:
        chosen = scope.read(session)
        store = _store(session, viewer().store_id or chosen.store_id)
        if store is None:
            return render_template("screens/today_where.html", scope=chosen)
        day = business_day(now(), store.timezone)
        known = choices(session, language())
        live = [one for one in live_versions(session) if is_in(one, store.store_code)]
        spent = spent_by_code(session, now=now(), codes=[one.offer_code for one in live])
        local = spent_here(
            session, store_id=store.store_id, today=day, monday=day - timedelta(days=day.weekday())
        )
        stock = _stock(session, store.store_id)
        here = _Here(spent, local, stock, day)
        told = [
            [one for one in live if runs_on(one, day, store.timezone)],
            [one for one in live if _comes(one, day, store.timezone)],
        ]
        names = names_of(session, [one.document for part in told for one in part], language(), known)
        tellers = _tellers(known, names)
        today, coming = ([_row(one, known, tellers, here) for one in part] for part in told)
    return render_template(
        "screens/today.html", store=store, scope=chosen, today=today, coming=coming, day=day
    )


def _store(session: Session, store_id: int | None) -> Store | None:
    """Return a store; where none is meant, the only one there is."""
    if store_id is not None:
        return session.get(Store, store_id)
    stores = session.scalars(select(Store).limit(2)).all()
    return stores[0] if len(stores) == 1 else None


def _comes(one: OfferVersionView, day: date, timezone: str) -> bool:
    """Return whether an offer begins within the next days."""
    start = one.start
    return start is not None and day < start.astimezone(zone(timezone)).date() <= day + timedelta(days=_AHEAD)


@dataclass(frozen=True, slots=True)
class _Here:
    """What is used of offers, in all and in this store, the pieces of gifts that lie here, and the day."""

    spent: Mapping[str, Spent]
    local: dict[tuple[str, str], Spent]
    stock: Mapping[str, int]
    day: date


def _tellers(known: Choices, names: Names) -> Callable[[tuple[str, ...]], Teller]:
    """Return what says things about offers of some stores, in their currency and by their clock."""
    return cache(lambda stores: Teller(language(), names.at(known.currency(stores), known.timezone(stores))))


def _row(
    one: OfferVersionView, known: Choices, tellers: Callable[[tuple[str, ...]], Teller], here: _Here
) -> TodayRow:
    document, day = one.document, here.day
    spent = here.spent.get(one.offer_code, Spent())
    say = tellers(tuple(document.get("stores") or ()))
    end = last_day(document, known)
    benefit = document["benefit"]
    left = tuple(_left(say, document, spent, here.local, one.offer_code))
    return TodayRow(
        code=one.offer_code,
        name=offer_name(say, document),
        words=headline(say, document),
        audience=audience_words(say, document.get("audience") or {}),
        hours=hours_words(say, document.get("valid") or {}),
        start=one.start.astimezone(zone(say.names.timezone)).date() if one.start else None,
        end=end,
        ends_soon=end is not None and end <= day + timedelta(days=_SOON),
        left=left,
        used_up=standing(one, spent, now()) == "exhausted",
        stock=here.stock.get(benefit["reward"]) if benefit["kind"] == "gift" else None,
    )


def _left(
    say: Teller, document: Json, spent: Spent, here: dict[tuple[str, str], Spent], code: str
) -> Iterator[str]:
    """Yield what is left of each budget that counts here: in total, of today, of this week."""
    limits = document.get("limits") or {}
    nothing = Spent()
    for prefix, used, scope_words in (
        ("", spent, _("in total")),
        ("per_store_day_", here.get((code, "day"), nothing), _("here today")),
        ("per_store_week_", here.get((code, "week"), nothing), _("here this week")),
    ):
        uses, amount = limits.get(f"{prefix}uses"), limits.get(f"{prefix}amount")
        if uses is not None:
            left = max(0, uses - used.uses - used.held_uses)
            yield f"{say.ngettext('%(num)s use', '%(num)s uses', left)} {scope_words}"
        if amount is not None:
            yield f"{say.money(max(0, amount - used.amount - used.held_amount))} {scope_words}"


def _stock(session: Session, store_id: int) -> dict[str, int]:
    rows = session.execute(
        select(RewardStock.reward_code, RewardStock.on_hand - RewardStock.reserved).where(
            RewardStock.store_id == store_id
        )
    )
    return {code: int(pieces) for code, pieces in rows}
