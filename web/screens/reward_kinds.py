"""Rewards themselves: made, renamed, priced in points, and put out of use."""

from collections.abc import Mapping

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.i18n import LANGUAGES
from rewards.reward_changes import BadReward, RewardKind, put_reward, reward_kind, reward_kinds, stock_first
from sales.models import Store
from web.notices import go
from web.state import now, transaction, viewer
from web.transactions import transact
from web.typed import wrong_text
from web.words import gettext as _

blueprint = Blueprint("reward_kinds", __name__, url_prefix="/rewards/kinds")

MOST_DIGITS = 7
STOCK = "stock_"


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List all rewards with what they cost, those out of use too."""
    with transaction() as session:
        return render_template("screens/reward_kinds.html", kinds=reward_kinds(session))


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a new reward."""
    return _form(None, {"points": "100", "pickup_days": "3"}, {})


@blueprint.post("/")
def add() -> ResponseReturnValue:
    """Make a reward, with what lies in the stores."""
    return _put(None)


@blueprint.get("/<reward_code>")
def edit(reward_code: str) -> ResponseReturnValue:
    """Show the form for a reward as it is."""
    with transaction() as session:
        kind = reward_kind(session, reward_code)
    given = {f"name_{tongue}": name for tongue, name in kind.names.items()}
    given |= {"points": str(kind.points), "pickup_days": str(kind.pickup_days)}
    return _form(kind, given | ({"active": "1"} if kind.active else {}), {})


@blueprint.post("/<reward_code>")
def change(reward_code: str) -> ResponseReturnValue:
    """Let a reward be as the form says."""
    return _put(reward_code)


def _put(known: str | None) -> ResponseReturnValue:
    given = {key: request.form.get(key, "").strip() for key in request.form if key != "csrf_token"}
    errors: dict[str, str] = {}
    kind = _kind(known or given.get("reward_code", "").upper(), given, errors, new=known is None)
    with transaction() as session:
        before = reward_kind(session, known) if known else None
        pieces = {} if known else _pieces(session, given, errors)
    if not errors:
        try:
            transact(lambda session: _written(session, kind, pieces, new=before is None))
        except BadReward as refusal:
            errors[refusal.field] = _refusal(refusal)
    if errors:
        return make_response(_form(before, given, errors), 422)
    return go(url_for("reward_kinds.index"), _("Saved."))


def _written(session: Session, kind: RewardKind, pieces: Mapping[int, int], *, new: bool) -> None:
    put_reward(session, kind, new=new, actor=viewer().login, now=now())
    stock_first(session, reward_code=kind.reward_code, pieces=pieces, actor=viewer().login, now=now())


def _kind(code: str, given: Mapping[str, str], errors: dict[str, str], *, new: bool) -> RewardKind:
    names = {}
    for tongue in LANGUAGES:
        name = given.get(f"name_{tongue}", "")
        if words := wrong_text(name, longest=80):
            errors[f"name_{tongue}"] = words
        if name:
            names[tongue] = name
    numbers = {field: _number(field, given, errors) for field in ("points", "pickup_days")}
    return RewardKind(
        code,
        names,
        numbers["points"],
        active=new or given.get("active") == "1",
        pickup_days=numbers["pickup_days"],
    )


def _pieces(session: Session, given: Mapping[str, str], errors: dict[str, str]) -> dict[int, int]:
    stores = session.execute(select(Store.store_id, Store.store_code))
    return {
        row.store_id: _number(STOCK + row.store_code, given, errors)
        for row in stores
        if given.get(STOCK + row.store_code)
    }


def _number(field: str, given: Mapping[str, str], errors: dict[str, str]) -> int:
    digits = "".join(given.get(field, "").split())
    if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS:
        return int(digits)
    errors[field] = _("Enter a whole number, 0 or more")
    return 0


def _form(kind: RewardKind | None, given: Mapping[str, str], errors: dict[str, str]) -> str:
    with transaction() as session:
        stores = (
            []
            if kind
            else session.execute(select(Store.store_code, Store.name).order_by(Store.store_code)).all()
        )
    return render_template(
        "screens/reward_kind.html", kind=kind, given=given, errors=errors, languages=LANGUAGES, stores=stores
    )


def _refusal(refusal: BadReward) -> str:
    words = {
        "reward_code": _("Up to 32 of A to Z, 0 to 9, _ and -, and no other reward's code"),
        "name_en": _("Give it a name in one language at least"),
        "points": _("Enter a whole number, 0 or more"),
        "pickup_days": _("Between 1 and 60 days"),
    }
    return words[refusal.field]
