"""Unknown articles, one row for each code however often it was sold: given to an article, or dismissed, all at once."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sales.article_lists import NoSuchArticle
from sales.figures import open_flags
from sales.known_articles import count_known
from sales.quarantine import open_bodies
from sales.unknown_articles import (
    UnknownArticle,
    articles_like,
    dismiss_code,
    give_code,
    list_given,
    list_unknown,
    newest_sold_as,
    read_unknown,
    take_code_back,
)
from web.export import respond
from web.notices import go
from web.queue_words import explanation
from web.screens.decisions import LONGEST_NOTE, wrong_note
from web.screens.queue import Tabs
from web.state import now, transaction, viewer
from web.tables import Column, Empty, Table
from web.words import gettext as _
from web.words import ngettext

blueprint = Blueprint("unknown_articles", __name__, url_prefix="/queue/unknown-articles")
LONGEST_CODE = 200


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the codes that no article has, each once, and those that stand for one because somebody said so."""
    store_id = viewer().store_id
    with transaction() as session:
        tabs = Tabs(open_flags(session, store_id=store_id), open_bodies(session, store_id=store_id))
        table = Table(
            name="unknown-articles",
            find=_("Code or name"),
            default_sort="-lines",
            columns=_columns(),
            fetch=lambda ask: list_unknown(session, ask, store_id=store_id),
            href=lambda row: url_for("unknown_articles.show", code=row.code),
            empty=Empty(
                _("No unknown article waits"),
                _("Everything that was sold is in the article list, or was dealt with."),
                "circle-check",
            ),
        )
        return respond(
            "screens/unknown_articles.html",
            table,
            tabs=tabs,
            known=count_known(session, store_id=store_id),
            given=list_given(session),
        )


@blueprint.get("/code")
def show() -> ResponseReturnValue:
    """Explain one code: how often, where and as what it was sold, and what one can do."""
    return _page(_code(request.args.get("code", "")))


@blueprint.post("/give")
def give() -> ResponseReturnValue:
    """Let a code stand for an article, on all lines that wait and on those to come."""
    code, article = _code(request.form.get("code", "")), _code(request.form.get("article", ""))
    try:
        with transaction() as session:
            read_unknown(session, code, store_id=viewer().store_id)
            resolved = give_code(session, code, article=article, actor=viewer().login, now=now())
    except NoSuchArticle:
        return _page(code, {"article": _("No article has this SKU or GTIN.")}), 422
    said = ngettext("%(num)s line found its article.", "%(num)s lines found their articles.", resolved)
    return go(url_for("unknown_articles.index"), said)


@blueprint.post("/dismiss")
def dismiss() -> ResponseReturnValue:
    """Take all lines with a code out of the queue, with a reason."""
    code = _code(request.form.get("code", ""))
    note = request.form.get("note", "").replace("\0", "").strip()[:LONGEST_NOTE]
    if wrong := wrong_note(note) or ("" if note else _("Say why: others will read it here.")):
        return _page(code, {"note": wrong}), 422
    with transaction() as session:
        dismissed = dismiss_code(
            session, code, note=note, store_id=viewer().store_id, actor=viewer().login, now=now()
        )
    said = ngettext("%(num)s entry was taken out.", "%(num)s entries were taken out.", dismissed)
    return go(url_for("unknown_articles.index"), said)


@blueprint.post("/take-back")
def take_back() -> ResponseReturnValue:
    """Let a code stand for no article any more."""
    with transaction() as session:
        take_code_back(session, _code(request.form.get("code", "")), actor=viewer().login, now=now())
    return go(url_for("unknown_articles.index"), _("The code stands for no article any more."))


def _code(given: str) -> str:
    return given.replace("\0", "").strip()[:LONGEST_CODE]


def _page(code: str, errors: dict[str, str] | None = None) -> str:
    store_id = viewer().store_id
    with transaction() as session:
        row = read_unknown(session, code, store_id=store_id)
        newest = newest_sold_as(session, code, store_id=store_id)
        alike = articles_like(session, row.name)
    return render_template(
        "screens/unknown_article.html",
        row=row,
        newest=newest,
        alike=alike,
        said=explanation("unknown_article"),
        errors=errors or {},
    )


def _columns() -> tuple[Column[UnknownArticle], ...]:
    return (
        Column(
            key="code",
            title=_("Code at the till"),
            value=lambda row: row.code,
            kind="code",
            second=lambda row: row.name,
            sort=True,
        ),
        Column(key="name", title=_("Name"), value=lambda row: row.name, shown=False),
        Column(key="lines", title=_("Lines"), value=lambda row: row.lines, kind="number", sort=True),
        Column(key="receipts", title=_("Receipts"), value=lambda row: row.receipts, kind="number"),
        Column(key="stores", title=_("Stores"), value=lambda row: row.stores, kind="number", sort=True),
        Column(
            key="first_seen",
            title=_("First seen"),
            value=lambda row: row.first_seen,
            kind="moment",
            sort=True,
        ),
        Column(
            key="last_seen", title=_("Last seen"), value=lambda row: row.last_seen, kind="moment", sort=True
        ),
    )
