"""All that is said of an offer before it is live: its sentence, what comes out of a basket, and what else is live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.i18n import LANGUAGES
from rewards.codec import OffersRefused, read_offer
from rewards.models import OfferCounter
from web.offers.conflicts import Conflict, below_cost, conflicts
from web.offers.fields import field_of
from web.offers.forms import OfferForm
from web.offers.lists import live_versions
from web.offers.names import Json, Names, Teller
from web.offers.preview import Shown, shown
from web.offers.samples import Sample, store_of
from web.offers.words import Sentence, headline, offer_name, sentences
from web.words import gettext as _
from web.words import language


@dataclass(frozen=True, slots=True)
class Effect:
    """What an offer says and does."""

    headline: str
    said: list[Sentence]
    shown: Shown | None
    said_at_till: Mapping[str, str]
    conflicts: list[Conflict]
    below: tuple[int, int]
    used: str


def effect_of(
    session: Session,
    form: OfferForm,
    sample: Sample,
    names: Names,
    *,
    store_id: int | None,
    with_card: bool,
    now: datetime,
) -> Effect | None:
    """Return what the entered offer does; None, with errors noted at their fields, while it is not whole."""
    document = form.document
    if document is None:
        return None
    try:
        draft = read_offer(document)
    except OffersRefused as refusal:
        note_refusal(form, refusal)
        return None
    say = Teller(language(), names)
    store = store_of(session, document["stores"], store_id)
    live = [
        (one.document, one.version) for one in live_versions(session) if one.offer_code != document["code"]
    ]
    came = (
        shown(
            session, draft, sample, live=live, store=store, with_card=with_card, now=now, language=language()
        )
        if store and sample
        else None
    )
    return Effect(
        headline=headline(say, document),
        said=sentences(say, document),
        shown=came,
        said_at_till=came.said if came and came.said else _names_at_till(names, document),
        conflicts=conflicts(session, document, [one for one, _version in live], say),
        below=below_cost(session, document),
        used=_used(session, document, say),
    )


def note_refusal(form: OfferForm, refusal: OffersRefused) -> None:
    """Note a refusal of the document at the field of the builder that it is about."""
    name = field_of(refusal.pointer)
    words = {
        "stage": _("The turn of vouchers needs a condition with a voucher"),
        "stores": _("An offer with amounts needs stores of one currency: mark some"),
        "benefit.reward": _("Choose a gift"),
        "benefit.batch": _("Choose a voucher batch"),
        "valid.to": _("The last day comes before the first"),
    }.get(name)
    form.wrong(name, words or _("This cannot be used: %(detail)s", detail=refusal.detail))
    form.document = None


def _names_at_till(names: Names, document: Json) -> dict[str, str]:
    """Return the name that receipts print, by language: what can be said of an offer that takes nothing off."""
    return {code: offer_name(Teller(code, names), document) for code in LANGUAGES}


def _used(session: Session, document: Json, say: Teller) -> str:
    """Return what is used up of the offer's budget already, which all its versions share."""
    row = session.execute(
        select(OfferCounter.uses, OfferCounter.amount).where(
            OfferCounter.offer_code == document["code"], OfferCounter.period == "total"
        )
    ).one_or_none()
    if row is None or not (row.uses or row.amount):
        return ""
    return _(
        "Earlier versions used %(uses)s and %(amount)s of the budget already; it counts on.",
        uses=say.ngettext("%(num)s use", "%(num)s uses", int(row.uses)),
        amount=say.money(int(row.amount)),
    )
