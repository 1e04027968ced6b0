"""Two rehearsals of one offer beside each other: what another version would change."""

from uuid import UUID

from babel.numbers import get_currency_precision
from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rewards.rehearsals.queries import RehearsalNotFound, RehearsalView, find_rehearsal, rehearsals_of
from web.charts import Axis
from web.offers.names import Teller
from web.offers.naming import names_of
from web.offers.words import changes
from web.rehearsals.pairs import Side, figures, side, weeks_chart
from web.state import transaction
from web.words import date_text, language
from web.words import gettext as _

blueprint = Blueprint("rehearsal_pairs", __name__, url_prefix="/rehearsals/compare")


@blueprint.get("/<code>")
def show(code: str) -> ResponseReturnValue:
    """Show two completed rehearsals of an offer; the newest two of different versions when none are chosen."""
    with transaction() as session:
        known = [one for one in rehearsals_of(session, offer_code=code) if one.completed_at]
        if not known:
            abort(404)
        chosen = [_chosen(session, code, name) for name in ("one", "other")]
        if chosen[0] is None or chosen[1] is None:
            chosen = _newest(session, code, known)
        one, other = chosen
        told, chart = [], None
        said = []
        currency = "EUR"
        if one is not None and other is not None:
            currency = str(other.together["currency"])
            axis = Axis("money", currency, 10 ** get_currency_precision(currency))
            told = figures(one, other, currency)
            chart = weeks_chart(one, other, currency, axis)
            teller = Teller(
                language(), names_of(session, [one.offer.document, other.offer.document], language())
            )
            said = changes(teller, one.offer.document, other.offer.document)
    return render_template(
        "screens/rehearsal_pair.html",
        code=code,
        one=one,
        other=other,
        figures=told,
        chart=chart,
        changes=said,
        choices=[(str(view.rehearsal_id), _label(view, code)) for view in known],
    )


def _chosen(session: Session, code: str, name: str) -> Side | None:
    try:
        return side(find_rehearsal(session, rehearsal_id=UUID(request.args.get(name, ""))), code)
    except (ValueError, RehearsalNotFound):
        return None


def _newest(session: Session, code: str, known: list[RehearsalView]) -> list[Side | None]:
    """Return the newest rehearsal, and before it the newest of another version, else the one before."""
    newest = known[0]
    others = known[1:]
    version = _version(newest, code)
    earlier = next((one for one in others if _version(one, code) != version), others[0] if others else None)
    pair = [earlier, newest]
    return [
        None if one is None else side(find_rehearsal(session, rehearsal_id=one.rehearsal_id), code)
        for one in pair
    ]


def _version(view: RehearsalView, code: str) -> int | None:
    return next((one.version for one in view.offers if one.offer_code == code), None)


def _label(view: RehearsalView, code: str) -> str:
    words = _("Version %(number)s", number=_version(view, code))
    return f"{words} · {date_text(view.first_day)} – {date_text(view.last_day)}"  # noqa: RUF001 - as a period is written
