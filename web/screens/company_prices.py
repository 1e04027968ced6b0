"""Companies' own prices: which companies have some, for which buyers; brought in as a list, renewed."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from loyalty.company.changes import (
    BadPriceList,
    CompanyPrices,
    NoCompany,
    bring_prices,
    companies_with_prices,
    company_of,
    read_price_list,
    renew_buyers,
)
from loyalty.company.prices import OwnPrice
from rewards.codec import OffersRefused, offer_document
from web.notices import go
from web.offers.names import Teller
from web.offers.naming import choices, names_of
from web.offers.words import headline
from web.roles import ADMINISTRATOR
from web.state import now, transaction, viewer
from web.transactions import transact
from web.words import gettext as _
from web.words import language, ngettext

blueprint = Blueprint("company_prices", __name__, url_prefix="/company-prices")

LARGEST = 1024 * 1024
MOST_TOLD = 3
"""Of so many companies that were refused a message says why; the night's result has them all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A company with its prices in words, by the offer's code."""

    prices: CompanyPrices
    said: tuple[tuple[str, str], ...]


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the companies that have own prices now."""
    return _page({})


@blueprint.post("/")
def add() -> ResponseReturnValue:
    """Read a price list: drafts, or live at once for administrators who say so; all of it or nothing."""
    errors: dict[str, str] = {}
    file = request.files.get("file")
    content = file.stream.read(LARGEST + 1) if file else b""
    if not content or len(content) > LARGEST:
        errors["file"] = _("Choose a file of at most 1 MB")
    live = request.form.get("live") == "1" and viewer().role == ADMINISTRATOR
    if not errors:
        try:
            prices = list(read_price_list(io.StringIO(content.decode("utf-8-sig"), newline="")))
            fresh = transact(lambda session: _bring(session, prices, live=live))
        except UnicodeDecodeError:
            errors["file"] = _("The file is no text in UTF-8")
        except (BadPriceList, OffersRefused) as refusal:
            errors["file"] = _("Nothing was brought in: %(detail)s", detail=str(refusal)[:200])
        except NoCompany:
            errors["company"] = _("Nobody of this code buys for a company")
    if errors:
        return make_response(_page(errors), 422)
    made = (
        ngettext("%(num)s offer is live.", "%(num)s offers are live.", fresh)
        if live
        else ngettext("%(num)s draft was made.", "%(num)s drafts were made.", fresh)
    )
    return go(url_for("company_prices.index"), made)


@blueprint.post("/renew")
def renew() -> ResponseReturnValue:
    """Let own prices hold for those who buy for their company now."""
    done = transact(lambda session: renew_buyers(session, actor=viewer().login, now=now()))
    words = [ngettext("%(num)s offer was renewed.", "%(num)s offers were renewed.", len(done.offers))]
    if done.stopped:
        words.append(
            ngettext(
                "%(num)s offer was stopped, of which no company is left.",
                "%(num)s offers were stopped, of which no company is left.",
                len(done.stopped),
            )
        )
    for name, why in list(done.refused.items())[:MOST_TOLD]:
        words.append(_("%(name)s stays as it was: %(detail)s", name=name, detail=why[:200]))
    return go(url_for("company_prices.index"), " ".join(words), "bad" if done.refused else "good")


def _bring(session: Session, prices: Sequence[OwnPrice], *, live: bool) -> int:
    """Bring a list in for the company that the form names; returns how many offers are new or changed."""
    company = company_of(session, request.form.get("company", "").strip())
    brought = bring_prices(
        session, company=company, prices=prices, live=live, actor=viewer().login, now=now()
    )
    return len(brought.done.versions)


def _page(errors: dict[str, str]) -> str:
    with transaction() as session:
        found = companies_with_prices(session)
        known = choices(session, language())
        documents = {offer.code: offer_document(offer) for one in found for offer in one.offers}
        names = names_of(session, documents.values(), language(), known)
        companies = []
        for one in found:
            said = []
            for offer in one.offers:
                stores = offer.stores
                teller = Teller(language(), names.at(known.currency(stores), known.timezone(stores)))
                said.append((offer.code, headline(teller, documents[offer.code])))
            companies.append(Shown(one, tuple(said)))
    return render_template(
        "screens/company_prices.html", companies=companies, errors=errors, given=request.form
    )
