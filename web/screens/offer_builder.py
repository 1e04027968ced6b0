"""The offer builder: a pattern, a sentence with gaps, a basket it is tried on, and a draft in the end."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.i18n import LANGUAGES
from rewards.codec import OffersRefused
from rewards.models import OfferVersion
from rewards.offer_operations import SameContent, change_draft, draft_offer
from sales.models import Article
from web import scope
from web.notices import go
from web.offers import kinds as offer_kinds
from web.offers.effects import effect_of, note_refusal
from web.offers.fields import Given, given_of
from web.offers.forms import OfferForm, filled, read_form
from web.offers.lists import OfferVersionView, base_version, find_offer_version
from web.offers.naming import Choices, choices, names_of
from web.offers.patterns import pattern_of, patterns
from web.offers.picks import chosen, found, kind_name, note_unticked
from web.offers.samples import (
    Sample,
    fitting,
    is_made_for_another,
    made_for,
    read_sample,
    recent,
    sample_fields,
)
from web.offers.trees import reshaped, with_parts
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("offer_builder", __name__, url_prefix="/offers")


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the patterns to begin with, or the form of one of them, or of a copy of another offer."""
    pattern = pattern_of(request.args.get("pattern", ""))
    with transaction() as session:
        if copied := request.args.get("copy"):
            document = dict(find_offer_version(session, copied).document)
            form = _filled(session, document)
            form.given["code"] = [""]
            return _page(session, _read(session, form.given), here=url_for("offer_builder.add"))
        if pattern is None:
            return render_template("screens/offer_patterns.html", patterns=patterns())
        form = _read(session, with_parts(pattern.given))
        return _page(session, form, here=url_for("offer_builder.add"))


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Draft a new offer, or show the form again as it was asked to change."""
    here = url_for("offer_builder.add")
    with transaction() as session:
        form, sample, saves = _asked(session)
        if not saves:
            return _page(session, form, here=here, sample=sample)
        if (
            form.document
            and not form.errors
            and session.scalar(
                select(OfferVersion.version).where(OfferVersion.offer_code == form.document["code"]).limit(1)
            )
        ):
            form.wrong("code", _("There is an offer with this code: choose another, or change that one"))
        code = form.document["code"] if form.document else ""
        version = _drafted(session, form)
        if version is None:
            return _page(session, form, here=here, sample=sample, wrong=True), 422
    return go(
        url_for("offers.version", code=code, version=version),
        _("Drafted. Rehearse it, and a second person approves it."),
    )


@blueprint.get("/<code>/edit")
def edit(code: str) -> ResponseReturnValue:
    """Show the form of a draft, or of the version that a new draft begins from."""
    with transaction() as session:
        base = _base(session, code)
        return _page(session, _filled(session, base.document), here=_here(base), base=base)


@blueprint.post("/<code>/edit")
def change(code: str) -> ResponseReturnValue:
    """Change a draft, or draft a new version; or show the form again as it was asked to change."""
    with transaction() as session:
        base = _base(session, code)
        form, sample, saves = _asked(session)
        if not saves:
            return _page(session, form, here=_here(base), base=base, sample=sample)
        version = _changed(session, form, base) if base.state == "draft" else _drafted(session, form)
        if version is None:
            return _page(session, form, here=_here(base), base=base, sample=sample, wrong=True), 422
    return go(
        url_for("offers.version", code=code, version=version),
        _("Drafted. Rehearse it, and a second person approves it."),
    )


@blueprint.post("/preview")
def preview() -> ResponseReturnValue:
    """Show what the entered offer does; nothing is kept."""
    with transaction() as session:
        form, sample, _saves = _asked(session)
        made = bool(sample) and form.text("basket-for") != request.form.get("basket-for", "")
        return render_template(
            "parts/offer_preview.html",
            **_effect(session, form, sample),
            sample=sample if made else (),
            here="",
            find=lambda _words, _path: [],
            out_of_band=made,
        )


@blueprint.get("/pick")
def pick() -> ResponseReturnValue:
    """Return goods that fit what is typed, to be marked."""
    path = request.args.get("path", "")
    words = request.args.get("basket-q" if path == "basket" else f"{path}.q", "")
    with transaction() as session:
        stores = choices(session, language()).find(words) if path == "stores" else []
        picks = found(session, words) if words.strip() and path != "stores" else []
    return render_template(
        "parts/offer_picks.html",
        path=path,
        picks=picks,
        stores=stores,
        asked=bool(words.strip()),
        kind_name=kind_name,
    )


def _asked(session: Session) -> tuple[OfferForm, Sample, bool]:
    """Return the form as it was posted, with the basket, changed as the pressed button says; and whether it is to be saved."""
    do = request.form.get("do", "save" if request.endpoint != "offer_builder.preview" else "shape")
    given = given_of(request.form.lists())
    sample = read_sample(session, given)
    form = _read(session, reshaped(given, do))
    sample = _basket(session, form, sample, do)
    return form, sample, do == "save"


def _basket(session: Session, form: OfferForm, sample: Sample, do: str) -> Sample:
    """Return the basket after what the pressed button asks of it."""
    wish, _colon, what = do.partition(":")
    if wish == "drop" and what.isdigit():
        return tuple(line for number, line in enumerate(sample) if number != int(what))
    if wish == "put":
        article = session.scalars(select(Article).where(Article.sku == what)).first()
        added = (
            read_sample(session, {"basket.0.sku": [article.sku], "basket.0.quantity": ["1"]})
            if article
            else ()
        )
        return (*sample, *added)
    if wish == "recent" and form.document:
        skip = form.text("basket-skip")
        count = int(skip) if skip.isascii() and skip.isdigit() and len(skip) < 4 else 0
        form.given["basket-skip"] = [str(count + 1)]
        return recent(session, form.document, store_id=scope.read(session).store_id, skip=count) or sample
    if form.document and (
        wish == "fit" or not sample or is_made_for_another(form.text("basket-for"), form.document, sample)
    ):
        return _fitting(session, form)
    return sample


def _fitting(session: Session, form: OfferForm) -> Sample:
    """Return a basket that fits, made anew with the offer as long as nobody changes it; none as long as that cannot be read."""
    sample = fitting(session, form.document) if form.document else ()
    form.given["basket-for"] = [made_for(form.document, sample)] if form.document else []
    return sample


def _read(session: Session, given: Given) -> OfferForm:
    known = choices(session, language())
    stores = given.get("stores") or []
    form = read_form(given, currency=known.currency(stores), timezone=known.timezone(stores))
    note_unticked(session, form, known)
    return form


def _filled(session: Session, document: Any) -> OfferForm:
    known = choices(session, language())
    stores = document.get("stores") or ()
    form = filled(document, currency=known.currency(stores), timezone=known.timezone(stores))
    return read_form(form.given, currency=form.currency, timezone=form.timezone)


def _drafted(session: Session, form: OfferForm) -> int | None:
    """Return the number of the new draft; None, with the reason at its field, when it cannot be one."""
    if not _is_sound(form) or form.document is None:
        return None
    try:
        return draft_offer(session, document=form.document, actor=viewer().login, now=now())
    except OffersRefused as refusal:
        note_refusal(form, refusal)
    except SameContent:
        form.wrong("condition.kind", _("This is what the offer says already: change something"))
    return None


def _changed(session: Session, form: OfferForm, base: OfferVersionView) -> int | None:
    """Return the number of the changed draft; None, with the reason at its field, when it cannot be so."""
    if not _is_sound(form) or form.document is None:
        return None
    try:
        change_draft(
            session,
            offer_code=base.offer_code,
            version=base.version,
            seen=_seen(),
            document=form.document,
            actor=viewer().login,
            now=now(),
        )
    except OffersRefused as refusal:
        note_refusal(form, refusal)
        return None
    return base.version


def _seen() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError as error:
        raise BadRequest from error


def _is_sound(form: OfferForm) -> bool:
    """Return whether nothing is wrong; texts were looked at for payment-card numbers where they are free."""
    for name in ("audience.member_codes",):
        if words := wrong_text(form.text(name), longest=20_000):
            form.wrong(name, words)
    return not form.errors


def _base(session: Session, code: str) -> OfferVersionView:
    wanted = request.args.get("version", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 9:
        return find_offer_version(session, code, int(wanted))
    return base_version(session, code)


def _here(base: OfferVersionView) -> str:
    return url_for("offer_builder.change", code=base.offer_code, version=base.version)


def _page(
    session: Session,
    form: OfferForm,
    *,
    here: str,
    base: OfferVersionView | None = None,
    sample: Sample | None = None,
    wrong: bool = False,
) -> str:
    """Return the builder; errors stand beside their fields once somebody tried to save."""
    if sample is None:
        sample = _fitting(session, form)
    effect = _effect(session, form, sample)
    errors = dict(form.errors)
    form.given = {name: texts for name, texts in form.given.items() if not _is_basket(name)} | sample_fields(
        sample
    )
    visible = replace(form, errors=errors if wrong else {})
    known: Choices = effect["choices"]
    return render_template(
        "screens/offer_builder.html",
        **effect
        | {
            "form": visible,
            "shown_errors": errors if wrong else {},
            "here": here,
            "base": base,
            "draft": base if base and base.state == "draft" else None,
            "fixed_code": base is not None,
            "back": url_for("offers.show", code=base.offer_code) if base else url_for("offers.index"),
            "sample": sample,
            "out_of_band": False,
            "other_names": [
                name for name in form.given if name.startswith("name.") and name[5:] not in LANGUAGES
            ],
            "exclusive_groups": _groups(session),
            "find": lambda words, path: [
                one for one in found(session, words) if one.code not in form.many(f"{path}.{one.key}")
            ],
            "find_stores": known.find,
            "picked": lambda path: chosen(form, path, effect["names"]),
            "audience_choices": offer_kinds.audience_choices(known, form),
            "weekdays": offer_kinds.weekdays(language()),
            "stages": offer_kinds.stages(),
            "condition_kinds": offer_kinds.condition_kinds,
            "benefit_kinds": offer_kinds.benefit_kinds,
            "kind_name": kind_name,
        },
    )


def _effect(session: Session, form: OfferForm, sample: Sample) -> dict[str, Any]:
    """Return what the effect of the entered offer is shown with."""
    known = choices(session, language())
    names = names_of(session, [_codes(form)], language(), known)
    effect = effect_of(
        session,
        form,
        sample,
        names,
        store_id=scope.read(session).store_id,
        with_card=form.text("basket-card") != "no",
        now=now(),
    )
    return {"effect": effect, "missing": form.errors, "names": names, "choices": known, "form": form}


def _codes(form: OfferForm) -> dict[str, Any]:
    """Return the articles that the form names, in a document that only has those."""
    select_of: dict[str, list[str]] = {"skus": [], "gtins": []}
    for name, codes in form.given.items():
        key = name.rpartition(".")[2]
        if key in select_of:
            select_of[key] += codes
    return {"condition": {"select": select_of}, "stores": form.many("stores")}


def _groups(session: Session) -> list[str]:
    """Return the exclusive groups that offers have been put into."""
    column = OfferVersion.document["exclusive_group"].astext
    return list(
        session.scalars(select(column).where(column.is_not(None)).distinct().order_by(column).limit(50))
    )


def _is_basket(name: str) -> bool:
    return name.startswith("basket.")
