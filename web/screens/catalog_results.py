"""What a run of catalogs came to: pages by places as a heat table, the items that sold, and the effect of the copies."""

from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.runs.lists import editions_in, read_run
from catalogs.runs.result_lists import results_of_run
from catalogs.runs.results import FEWEST, PERSONAL, Cell, Effect, PageResult, Results, Shown
from core.clock import business_day
from core.ids import find_uuid
from core.keyset import Ask, Page
from sales.models import Article
from web import scope
from web.catalogs.words import channel_words, countries_words, page_words
from web.charts import Axis, Chart, bar_options, palette
from web.export import respond
from web.groups.shown import groups_now
from web.state import now, transaction
from web.tables import Column, Empty, Table
from web.words import gettext as _
from web.words import money_text, number_text, percent_text

blueprint = Blueprint("catalog_results", __name__, url_prefix="/catalogs/runs/<uuid:run_id>/results")

STEPS = 5
"""So many tones of colour a cell can have."""


@blueprint.get("/")
def show(run_id: UUID) -> ResponseReturnValue:
    """Show the results of all editions of a run, or of one."""
    with transaction() as session:
        run = read_run(session, run_id=run_id)
        editions = editions_in(session, run_id=run_id)
        wanted = find_uuid(request.args.get("edition", ""))
        edition = next((one for one in editions if one.edition_id == wanted), None)
        channel = next((one for one in run.channels if one == request.args.get("channel")), None)
        found = results_of_run(
            session,
            run_id=run_id,
            edition_id=edition.edition_id if edition else None,
            channel=channel,
            today=business_day(now(), scope.read(session).timezone),
        )
        return respond(
            "screens/catalog_results.html",
            _items(session, found),
            run=run,
            editions=editions,
            edition=edition,
            channel=channel,
            uncounted=channel_words([one for one in run.channels if one not in found.channels]),
            channel_words=channel_words,
            countries_words=countries_words,
            found=found,
            heat=heat_rows(found.cells),
            places=sorted({cell.place for cell in found.cells}),
            chart=pages_chart(found.pages) if found.pages else None,
            effect=effect_words(found.effect),
            page_words=page_words,
            groups=groups_now(session),
            back=url_for("catalog_runs.show", run_id=run_id),
            fewest=FEWEST,
        )


def heat_rows(cells: tuple[Cell, ...]) -> list[tuple[str, dict[int, tuple[int, Cell]]]]:
    """
    Return pages with their places: the tone of each cell from 0 (no figure) to 5 (the best), and the cell.

    The own page, which shows what its reader buys anyway, is held against itself only: beside it all others would look alike.
    """
    bests = {
        own: max((cell.rate or 0.0 for cell in cells if (cell.page == PERSONAL) == own), default=0.0)
        for own in (True, False)
    }
    rows: dict[int, dict[int, tuple[int, Cell]]] = {}
    for cell in cells:
        best = bests[cell.page == PERSONAL]
        tone = 0 if cell.rate is None or not best else 1 + min(STEPS - 1, int(cell.rate / best * STEPS))
        rows.setdefault(cell.page, {})[cell.place] = (tone, cell)
    return [
        (page_words(page), places)
        for page, places in sorted(rows.items(), key=lambda row: (row[0] == 0, row[0]))
    ]


def effect_words(effect: Effect) -> tuple[str, str]:
    """Return what the copies did, as a heading and a sentence; that there are too few to say."""
    if effect.share is None or effect.spending is None:
        return (
            _("Too few to compare"),
            _(
                "%(members)s members were to get a copy and %(held)s were held out; from thirty on each side it is told.",
                members=number_text(effect.members),
                held=number_text(effect.held_out),
            ),
        )
    share = effect.share
    if share.low > 0:
        title = _("More of those with a copy bought what it shows")
    elif share.high < 0:
        title = _("Fewer of those with a copy bought what it shows")
    else:
        title = _("No certain difference between those with a copy and those without")
    return (
        title,
        _(
            "%(with_copy)s bought something of its pages, %(without)s of those held out: a difference of %(low)s to %(high)s. Spending differs by %(less)s to %(more)s per member.",
            with_copy=percent_text(share.with_copy, 1),
            without=percent_text(share.without, 1),
            low=percent_text(share.low, 1),
            high=percent_text(share.high, 1),
            less=money_text(round(effect.spending.low), effect.currency),
            more=money_text(round(effect.spending.high), effect.currency),
        ),
    )


def pages_chart(pages: tuple[PageResult, ...]) -> Chart:
    """Return the bars of `pages`, titled by the page that sold best once any sold."""
    ordered = sorted(pages, key=lambda page: (page.page == 0, page.page))
    told = [page for page in ordered if page.rate is not None]
    best = max(told, key=lambda page: page.rate or 0.0, default=None)
    labels = [page_words(page.page) for page in ordered]
    return Chart(
        key="catalog-pages",
        title=_(
            "%(page)s sold best: %(share)s of its readers bought something of it",
            page=page_words(best.page),
            share=percent_text(best.rate, 1),
        )
        if best and best.rate
        else _("No page has ten buyers yet"),
        note=_("Share of the readers of each page who bought something of it within the period."),
        options=bar_options(
            labels, [page.rate or 0.0 for page in ordered], [palette(0)] * len(ordered), Axis("percent")
        ),
        head=(_("Page"), _("Copies"), _("Buyers"), _("Share")),
        rows=tuple(
            (
                page_words(page.page),
                number_text(page.copies),
                _few() if page.buyers is None else number_text(page.buyers),
                "" if page.rate is None else percent_text(page.rate, 1),
            )
            for page in ordered
        ),
    )


def _few() -> str:
    return _("fewer than %(count)s", count=number_text(FEWEST))


def _items(session: Session, found: Results) -> Table[Shown]:
    ids = [item.article_id for item in found.items]
    rows = session.execute(
        select(Article.article_id, Article.name, Article.sku).where(Article.article_id.in_(ids))
    )
    names = {row.article_id: (row.name, row.sku) for row in rows}
    return Table(
        name="catalog-items",
        default_sort="-rate",
        columns=(
            Column(
                key="name",
                title=_("Article"),
                value=lambda item: names[item.article_id][0],
                second=lambda item: names[item.article_id][1],
            ),
            Column(key="page", title=_("Page"), value=lambda item: page_words(item.page)),
            Column(key="place", title=_("Place"), value=lambda item: item.place, kind="number"),
            Column(key="copies", title=_("Copies"), value=lambda item: item.copies, kind="number"),
            Column(key="buyers", title=_("Buyers"), value=lambda item: item.buyers, kind="number"),
            Column(
                key="rate",
                title=_("Share"),
                value=lambda item: item.buyers / item.copies,
                kind="number",
                figure=lambda item: percent_text(item.buyers / item.copies, 1),
                sort=True,
            ),
            Column(
                key="minor",
                title=_("Bought for"),
                value=lambda item: item.minor,
                kind="money",
                currency=lambda _item: found.currency,
            ),
        ),
        fetch=lambda ask: _page(found.items, ask),
        empty=Empty(
            _("Nothing to show yet"),
            _("Articles appear here that ten and more readers of one place bought within the period."),
            "book-open-text",
        ),
    )


def _page(items: tuple[Shown, ...], ask: Ask) -> Page[Shown]:
    rows = items if ask.descending else tuple(reversed(items))
    return Page(rows[:200], None, None, len(items))
