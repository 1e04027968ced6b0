"""The edition editor: which articles stand on which page, what stands there instead, and how it looks in a store."""

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound as NoPage

from basket_analysis.groups.lists import served_run
from catalogs.issues import Reader
from catalogs.layouts import Theme, load_theme
from catalogs.operations import OpenEdition, opened
from catalogs.pdf.typesetting import PICTURE_KINDS, FetchRefused, Library, Typesetter
from catalogs.queries import Shop
from catalogs.runs.operations import edit_edition
from catalogs.webpages import whole_document
from core.i18n import LANGUAGES
from web.catalogs.edition_forms import PageForm, Pages, Slot, changed, pages_of, planned, read_pages
from web.catalogs.edition_samples import (
    Named,
    Sample,
    alternatives,
    busiest_shops,
    found,
    named,
    sample_booklet,
    sample_of,
)
from web.catalogs.edition_words import layout_words, pages_layouts, topic_words
from web.catalogs.editions_kept import EditionKept, edition_kept
from web.catalogs.words import countries_words
from web.groups.shown import groups_now
from web.notices import go
from web.state import now, state, transaction, viewer
from web.words import gettext as _
from web.words import language, language_name

blueprint = Blueprint("editions", __name__, url_prefix="/catalogs/editions")

RESERVE = 18
"""So many articles that are on no page are there to be dragged onto one."""
SUGGESTED = 8
PREVIEW_WIDTH = 440
"""Pixels that a page is wide in the preview."""
_POINTS = 1_240
_OUTSIDE = re.compile(r'(?P<before>src="|url\(")(?P<kind>font|motif|theme|photo):(?P<path>[^"]*)"')
_PAGE = re.compile(r'<section class="page">')
_PREVIEW_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies before the person who edits."""

    kept: EditionKept
    edition: OpenEdition
    theme: Theme
    pages: Pages
    shops: tuple[Shop, ...]
    store_id: int | None
    language: str
    day: date

    @property
    def layouts(self) -> tuple[str, ...]:
        return pages_layouts(self.theme)


@blueprint.get("/<uuid:edition_id>/edit")
def edit(edition_id: UUID) -> ResponseReturnValue:
    """Show the pages of an edition with what stands on them in one store."""
    with transaction() as session:
        return _page(session, _desk(session, edition_id))


@blueprint.post("/<uuid:edition_id>/edit")
def change(edition_id: UUID) -> ResponseReturnValue:
    """Keep the pages as they are, or show them again as the pressed button changes them."""
    do = request.form.get("do", "save")
    with transaction() as session:
        desk = _desk(session, edition_id, to_change=do == "save")
        if do != "save":
            return _page(session, desk, pages=changed(desk.pages, do))
        if not desk.pages:
            return _page(session, desk)
        if request.form.get("seen") != desk.kept.seen:
            return make_response(_page(session, desk, stale=True), 409)
        plan = planned(desk.edition.plan, desk.pages)
        if plan == desk.edition.plan:
            return go(_here(edition_id), _("Nothing was changed."), "")
        edit_edition(session, edition_id=edition_id, plan=plan, actor=viewer().login, now=now())
    return go(_here(edition_id), _("Kept. The run needs a new proof before anybody approves it."))


@blueprint.post("/<uuid:edition_id>/preview")
def preview(edition_id: UUID) -> ResponseReturnValue:
    """Return the pages as they would be printed, as a document of its own for the frame beside the form."""
    with transaction() as session:
        desk = _desk(session, edition_id)
        pages = changed(desk.pages, request.form.get("do", ""))
        sample = _sample(session, desk, pages)
    if sample is None:
        return _framed("<!doctype html><p></p>")
    reader = Reader(_sample_name(desk.language), desk.language, _POINTS, None)
    booklet = sample_booklet(sample, desk.theme, reader=reader)
    document = whole_document(booklet, Typesetter(desk.theme, _photos()))
    return _framed(_shown(document, desk.theme))


@blueprint.post("/<uuid:edition_id>/swap")
def swap(edition_id: UUID) -> ResponseReturnValue:
    """Show what could stand in the place of an article: of its kind first, or what is searched for."""
    page, article = _place(request.args.get("page", ""), request.args.get("article", ""))
    with transaction() as session:
        desk = _desk(session, edition_id)
        sample = _sample(session, desk, desk.pages)
        shelf = sample.shelf if sample else {}
        placed = _placed(desk.pages, sample)
        words = request.form.get("q", "")
        current = named(session, [article], shelf).get(article)
        others: list[Named]
        if words.strip():
            others = found(session, words, shelf, placed=placed)
        else:
            offers = alternatives(
                desk.edition.plan,
                shelf,
                placed=placed,
                instead_of=current.offer if current else None,
                count=SUGGESTED,
            )
            names = named(session, [offer.article_id for offer in offers], shelf)
            others = [names[offer.article_id] for offer in offers if offer.article_id in names]
    parts = "parts/edition_others.html" if "q" in request.form else "screens/edition_swap.html"
    return render_template(
        parts,
        here=_here(edition_id),
        address=url_for("editions.swap", edition_id=edition_id, page=page, article=article),
        page=page,
        article=article,
        current=current,
        others=others,
        searched=bool(words.strip()),
        topic_words=topic_words,
        piece=_piece,
    )


@blueprint.get("/pieces/<kind>/<path:path>")
def piece(kind: str, path: str) -> ResponseReturnValue:
    """Send a face, a drawing or a photograph that pages are made of, and nothing else."""
    try:
        file = Library(load_theme(request.args.get("theme", "trh")).folder, _photos()).find(f"{kind}:{path}")
    except FetchRefused as refusal:
        raise NoPage from refusal
    response = make_response(
        send_file(file, mimetype=PICTURE_KINDS.get(file.suffix.lower(), "font/ttf"), max_age=3_600)
    )
    # A drawing that is opened by itself runs nothing either.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


def _desk(session: Session, edition_id: UUID, *, to_change: bool = False) -> _Desk:
    kept = edition_kept(session, edition_id, to_change=to_change)
    edition = opened(kept.edition)
    theme = load_theme(edition.theme, edition.plan.size)
    run = served_run(session)
    day = run.business_day if run else now().date()
    shops = tuple(busiest_shops(session, day=day, countries=kept.countries))
    known = {str(shop.store_id): shop.store_id for shop in shops}
    asked = request.values.get("store", "")
    chosen = request.values.get("language", language())
    posted = dict(request.form.lists())
    desk = _Desk(
        kept=kept,
        edition=edition,
        theme=theme,
        pages=read_pages(posted, pages_layouts(theme)) if posted else pages_of(edition.plan),
        shops=shops,
        store_id=known.get(asked) or (shops[0].store_id if shops else None),
        language=chosen if chosen in LANGUAGES else "en",
        day=day,
    )
    if desk.pages or posted:
        return desk
    # Nobody planned its pages: what the theme deals in this store is where a person begins.
    return replace(desk, pages=_dealt(_sample(session, desk, ())))


def _sample(session: Session, desk: _Desk, pages: Pages) -> Sample | None:
    """Return how the pages fill in the chosen store; None where no store has sold anything yet."""
    if desk.store_id is None:
        return None
    return sample_of(
        session,
        desk.edition,
        planned(desk.edition.plan, pages),
        theme=desk.theme,
        store_id=desk.store_id,
        day=desk.day,
    )


def _dealt(sample: Sample | None) -> Pages:
    return tuple(
        PageForm(page.layout, dict.fromkeys(LANGUAGES, ""), tuple(Slot(one) for one in filled))
        for page, filled in (zip(sample.issue.pages, sample.filled, strict=True) if sample else ())
    )


def _page(session: Session, desk: _Desk, *, pages: Pages | None = None, stale: bool = False) -> str:
    shown = desk.pages if pages is None else pages
    sample = _sample(session, desk, shown)
    shelf = sample.shelf if sample else {}
    placed = _placed(shown, sample)
    reserve = alternatives(desk.edition.plan, shelf, placed=placed, count=RESERVE)
    ids = {slot.article_id for page in shown for slot in page.slots} | placed
    names = named(session, [*ids, *(offer.article_id for offer in reserve)], shelf)
    return render_template(
        "screens/edition_editor.html",
        desk=desk,
        edition=desk.edition,
        title=groups_now(session).words(desk.edition.plan.group_id) or desk.edition.plan.group_name,
        kept=desk.kept,
        countries=countries_words(desk.kept.countries),
        pages=shown,
        rooms=[desk.theme.room(page.layout) for page in shown],
        headlines=_headlines(desk, sample, count=len(shown)),
        stand_ins=[_stand_ins(page_of, filled) for page_of, filled in _beside(shown, sample)],
        names=names,
        private=[one for key in sorted(placed) if (one := names.get(key)) and one.private],
        topic_words=topic_words,
        reserve=[names[offer.article_id] for offer in reserve if offer.article_id in names],
        layouts=[(name, layout_words(name, desk.theme)) for name in desk.layouts],
        tongues=[(code, language_name(code)) for code in LANGUAGES],
        here=_here(desk.edition.edition_id),
        stale=stale,
        piece=_piece,
        preview_width=PREVIEW_WIDTH,
    )


def _beside(pages: Pages, sample: Sample | None) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return for every page what is wanted there and what stands there in the store."""
    filled = tuple(zip(sample.issue.pages, sample.filled, strict=True)) if sample else ()
    return [
        (
            tuple(slot.article_id for slot in page.slots),
            # A store that lacks much gives a page's articles the room of two.
            tuple(article for one, articles in filled if one.planned == number for article in articles),
        )
        for number, page in enumerate(pages)
    ]


def _headlines(desk: _Desk, sample: Sample | None, *, count: int) -> list[str]:
    """Return what stands at the head of each page in the store; empty where a page falls away there."""
    booklet = (
        sample_booklet(sample, desk.theme, reader=Reader("", desk.language, None, None)) if sample else None
    )
    told: dict[int, str] = {}
    for page, filled in (
        zip(booklet.pages[1:], sample.issue.pages, strict=False) if booklet and sample else ()
    ):
        told.setdefault(filled.planned, page.headline.text)
    return [told.get(number, "") for number in range(count)]


def _stand_ins(wanted: tuple[int, ...], filled: tuple[int, ...]) -> list[int]:
    """Return what stands on a page although nobody asked for it: in the places of what the store has not."""
    return [article for article in filled if article not in wanted]


def _placed(pages: Pages, sample: Sample | None) -> set[int]:
    wanted = {slot.article_id for page in pages for slot in page.slots}
    return wanted | {article for page in (sample.filled if sample else ()) for article in page}


def _place(page: str, article: str) -> tuple[int, int]:
    if not (
        page.isascii() and page.isdigit() and article.isascii() and article.isdigit() and len(article) < 19
    ):
        raise NoPage
    return int(page[:3]), int(article)


def _sample_name(code: str) -> str:
    """Return for whom the preview is made out: nobody, with the letters of the language."""
    return {"cs": "Žofie Říhová", "sk": "Ľubica Kôstková", "pl": "Łucja Świątek"}.get(code, "Sophie Turner")


def _here(edition_id: UUID) -> str:
    return url_for("editions.edit", edition_id=edition_id)


def _photos() -> Any:
    folder = state().data / "pictures"
    return folder if folder.is_dir() else None


def _piece(kind: str, path: str) -> str:
    return url_for("editions.piece", kind=kind, path=path)


def _shown(document: str, theme: Theme) -> str:
    """Return a theme's document for the frame: what it takes comes from here, and a page is as wide as the frame."""
    here = _OUTSIDE.sub(
        lambda found: (
            f"{found['before']}"
            f'{url_for("editions.piece", kind=found["kind"], path=found["path"], theme=theme.name)}"'
        ),
        document,
    )
    width = theme.page_size[0] * 96 / 25.4
    frame = (
        f"html{{zoom:{PREVIEW_WIDTH / width:.4f};background:#d9dcd8}}body{{margin:0}}"
        ".page{margin:0 auto 24px;background:#fff}"
    )
    numbers = count(1)
    marked = _PAGE.sub(lambda _found: f'<section class="page" id="page-{next(numbers)}">', here)
    return marked.replace("</style>", f"{frame}</style>", 1)


def _framed(document: str) -> Response:
    return make_response(
        document,
        200,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": _PREVIEW_POLICY,
            "X-Frame-Options": "SAMEORIGIN",
        },
    )
