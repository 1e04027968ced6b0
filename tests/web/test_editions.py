"""The edition editor: what is arranged is kept, shown as it will be printed, and never lost."""

import re
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE
from catalogs.layouts import load_theme, theme_names
from catalogs.models import CatalogRun, Edition
from core import clock
from core.i18n import LANGUAGES
from core.ids import uuid7
from core.models import AuditEvent
from sales.models import Article, ArticleStock, Store
from web.catalogs.edition_words import layout_words, pages_layouts
from web.groups.shown import kept_name

NAMES = (
    "Ořechy",
    "Perník",
    "Vanilka",
    "Skořice",
    "Rozinky",
    "Kakao",
    "Mák",
    "Hrozinky",
    "Citronát",
    "Med květový",
)


@pytest.fixture
def goods(house, web_sessions) -> list[int]:
    """Ten articles that the first store sold today; their ids."""
    with web_sessions.begin() as session:
        for number, name in enumerate(NAMES):
            sku = f"ed{number}"
            if not session.scalar(select(Article.article_id).where(Article.sku == sku)):
                session.execute(
                    insert(Article).values(
                        sku=sku,
                        name=name,
                        category="Tea",
                        department="Grocery",
                        unit="pcs",
                        tax_rate=12,
                        price=1990 + number,
                    )
                )
        ids = dict(session.execute(select(Article.sku, Article.article_id)).all())
        stocked = [ids[f"ed{number}"] for number in range(len(NAMES))]
        for article in stocked:
            session.merge(
                ArticleStock(
                    store_id=house.stores["S1"], article_id=article, quantity=5, counted_at=clock.now()
                )
            )
        return stocked


@pytest.fixture
def edition(house, web_sessions, goods) -> UUID:
    """An edition of a draft: a page of five and a page of six places, the last one of these in no store."""
    run_id, edition_id = uuid7(), uuid7()
    with web_sessions.begin() as session:
        absent = session.scalar(select(Article.article_id).where(Article.sku == "10452"))
        session.execute(
            insert(CatalogRun).values(
                catalog_run_id=run_id,
                run_code=f"R-{run_id}",
                name="Advent",
                theme="trh",
                size="A4",
                channels=["print"],
                valid_from=date(2026, 11, 23),
                valid_to=date(2026, 12, 7),
                hold_out=0.1,
                state="draft",
                made_by="marketing",
                made_at=clock.now(),
            )
        )
        session.execute(
            insert(Edition).values(
                edition_id=edition_id,
                edition_code=f"E-{edition_id}",
                run_id=house.run_id,
                group_id="g1",
                group_name="Tea and honey",
                theme="trh",
                valid_from=date(2026, 11, 23),
                valid_to=date(2026, 12, 7),
                created_at=clock.now(),
                catalog_run_id=run_id,
                content={
                    "format": 2,
                    "categories": ["Tea"],
                    "colour": 0,
                    "ranking": goods,
                    "beside": {},
                    "pages": [
                        {"layout": "hero", "headline": {}, "articles": goods[:5], "pinned": []},
                        {"layout": "six", "headline": {}, "articles": [*goods[5:7], absent], "pinned": []},
                    ],
                    "voucher_batches": [],
                    "size": "A4",
                },
            )
        )
    return edition_id


def fields(page: str) -> dict[str, list[str]]:
    """Return what a browser would send of the editor's form."""
    form = page[page.index('<form id="edition"') :]
    given: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form):
        given.setdefault(name, []).append(value)
    for name, inside in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        given[name] = re.findall(r'<option value="([^"]*)"[^>]* selected', inside)
    return given


def pages(web_sessions, edition):
    with web_sessions() as session:
        return [
            (page["layout"], page["articles"], page["pinned"], page["headline"])
            for page in session.get(Edition, edition).content["pages"]
        ]


class TestCountries:
    def test_of_a_run_are_those_whose_stores_its_pages_are_seen_in(self, visit, edition, web_sessions):
        def shops() -> list[str]:
            page = visit("marketing").get(f"/catalogs/editions/{edition}/edit").text
            (choices,) = re.findall(r'<select id="store".*?</select>', page, re.DOTALL)
            return re.findall(r">([^<>]+)</option>", choices)

        with web_sessions() as session:
            names = dict(session.execute(select(Store.store_code, Store.name)).all())
        assert {names["S1"], names["S2"]} <= set(shops())
        try:
            with web_sessions.begin() as session:
                session.execute(update(Store).where(Store.store_code == "S1").values(country="CZ"))
                session.execute(
                    update(CatalogRun)
                    .where(CatalogRun.catalog_run_id == Edition.catalog_run_id, Edition.edition_id == edition)
                    .values(countries=["CZ"])
                )
            assert shops() == [names["S1"]]
        finally:
            with web_sessions.begin() as session:
                session.execute(update(Store).values(country=None))


class TestEdit:
    def test_says_the_last_day_and_not_the_day_after_it(self, visit, edition):
        for page in (f"/catalogs/editions/{edition}/edit", f"/catalogs/{edition}", "/catalogs/"):
            said = visit("marketing").get(page).text.replace("\xa0", " ")
            assert re.search(r"Dec 6, 2026|12/6/26", said), page
            assert not re.search(r"Dec 7, 2026|12/7/26", said), page

    def test_says_which_headline_its_articles_make(self, visit, edition):
        page = visit("marketing").get(f"/catalogs/editions/{edition}/edit").text
        summary = re.search(r"<summary>(.*?)</summary>", page[page.index('data-page="0"') :], re.DOTALL)[1]
        assert re.search(r"<strong>[^<]+</strong> · ", summary), summary

    def test_keeps_what_was_arranged_and_asks_for_a_new_proof(self, visit, web_sessions, edition, goods):
        here, marketing = f"/catalogs/editions/{edition}/edit", visit("marketing")
        page = marketing.get(here).get_data(as_text=True)
        assert all(name in page for name in NAMES)
        moved = marketing.client.post(here, data={**fields(page), "do": f"down:0:{goods[4]}"})
        sent = fields(moved.get_data(as_text=True))
        assert sent["article-1"] == [str(one) for one in (goods[4], *goods[5:7])] + sent["article-1"][3:]
        sent["headline-0-cs"] = ["Všechno na pečení"]
        kept = marketing.client.post(here, data={**sent, "do": "save"})
        assert kept.status_code == 303
        first, second = pages(web_sessions, edition)
        assert first == ("hero", goods[:4], [], {"cs": "Všechno na pečení"})
        assert (second[1][:3], second[2]) == ([goods[4], *goods[5:7]], [goods[4]])
        with web_sessions() as session:
            assert (
                session.scalar(
                    select(AuditEvent.actor).where(
                        AuditEvent.action == "catalog_run.edit",
                        AuditEvent.detail["edition"].astext == str(edition),
                    )
                )
                == "marketing"
            )

    def test_loses_nothing_to_somebody_who_was_faster(self, visit, web_sessions, edition, goods):
        here, marketing = f"/catalogs/editions/{edition}/edit", visit("marketing")
        mine = fields(marketing.get(here).get_data(as_text=True))
        theirs = {**mine, "layout-0": ["six"], "do": "save"}
        marketing.client.post(here, data=theirs)
        late = marketing.client.post(here, data={**mine, "headline-0-cs": "Moje", "do": "save"})
        assert late.status_code == 409
        assert "Moje" in late.get_data(as_text=True), "what was typed is still there"
        assert pages(web_sessions, edition)[0][0] == "six"

    def test_changes_nothing_once_the_run_is_approved(self, visit, web_sessions, edition):
        here, marketing = f"/catalogs/editions/{edition}/edit", visit("marketing")
        sent = fields(marketing.get(here).get_data(as_text=True))
        with web_sessions.begin() as session:
            run = session.get(CatalogRun, session.get(Edition, edition).catalog_run_id)
            run.state, run.approved_by, run.approved_at = "approved", "admin", clock.now()
        before = pages(web_sessions, edition)
        answer = marketing.client.post(here, data={**sent, "layout-0": ["six"], "do": "save"})
        assert answer.status_code == 409
        assert pages(web_sessions, edition) == before

    @pytest.mark.parametrize("role", ["desk", "store_manager", "analyst", "auditor", "cashier"])
    def test_is_for_those_who_make_catalogs(self, visit, edition, role):
        assert visit(role).get(f"/catalogs/editions/{edition}/edit").status_code == 403


class TestPreview:
    def test_shows_the_pages_as_they_would_be_printed_in_a_store(self, visit, edition, house):
        here, marketing = f"/catalogs/editions/{edition}", visit("marketing")
        sent = fields(marketing.get(f"{here}/edit").get_data(as_text=True))
        answer = marketing.client.post(
            f"{here}/preview", data={**sent, "store": house.stores["S1"], "language": "cs"}
        )
        shown = re.sub(r"<[^>]+>", "", answer.get_data(as_text=True))
        assert {"Ořechy", "Rozinky"} <= {name for name in NAMES if name in shown}
        assert (
            answer.headers["X-Frame-Options"],
            "script-src" in answer.headers["Content-Security-Policy"],
        ) == (
            "SAMEORIGIN",
            False,
        )
        for address in set(re.findall(r'(?:src="|url\(")([^"]+)"', answer.get_data(as_text=True))):
            assert address.startswith("/catalogs/editions/pieces/"), address
            assert marketing.get(address).status_code == 200, address

    @pytest.mark.parametrize(
        "address",
        ["font/../../wsgi.py", "motif/../models.py", "photo/x.png", "theme/theme.toml", "file/etc/passwd"],
    )
    def test_is_made_of_drawings_and_faces_only(self, visit, address):
        assert visit("marketing").get(f"/catalogs/editions/pieces/{address}").status_code == 404


class TestSwap:
    def test_offers_what_the_store_has_and_no_page_shows(self, visit, edition, goods):
        here, marketing = f"/catalogs/editions/{edition}", visit("marketing")
        sent = fields(marketing.get(f"{here}/edit").get_data(as_text=True))
        place = f"{here}/swap?page=0&article={goods[0]}"
        offered = marketing.client.post(place, data=sent).get_data(as_text=True)
        assert re.findall(r'value="swap:0:\d+:(\d+)"', offered)
        assert str(goods[1]) not in re.findall(r'value="swap:0:\d+:(\d+)"', offered)
        found = marketing.client.post(place, data={**sent, "q": "zzz"}).get_data(as_text=True)
        assert "Nothing is called like that." in found


class TestPrivateGoods:
    @pytest.fixture
    def beer(self, web_sessions, goods) -> int:
        """One of the articles that is sold, of a kind that no page of a group is planned with."""
        with web_sessions.begin() as session:
            session.execute(update(Article).where(Article.article_id == goods[1]).values(category="Beer"))
        return goods[1]

    def test_are_marked_with_why_where_a_page_shows_them(self, visit, edition, beer):
        page = visit("marketing").get(f"/catalogs/editions/{edition}/edit").get_data(as_text=True)
        slot = page[page.index(f'data-article="{beer}"') :]
        assert "private: alcohol" in slot[: slot.index("</li>")]
        assert f"On these pages by somebody's hand: {NAMES[1]}." in page
        assert page.count("private: alcohol") == 1

    def test_are_marked_where_they_are_searched_for(self, visit, edition, goods, web_sessions):
        here, marketing = f"/catalogs/editions/{edition}", visit("marketing")
        sent = fields(marketing.get(f"{here}/edit").get_data(as_text=True))
        place = f"{here}/swap?page=0&article={goods[0]}"
        offered = marketing.client.post(place, data=sent).get_data(as_text=True)
        beer = int(re.findall(r'value="swap:0:\d+:(\d+)"', offered)[0])
        with web_sessions.begin() as session:
            session.execute(update(Article).where(Article.article_id == beer).values(category="Beer"))
            sku = session.scalar(select(Article.sku).where(Article.article_id == beer))
        found = marketing.client.post(place, data={**sent, "q": sku}).get_data(as_text=True)
        assert "private: alcohol" in found


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_layout_that_may_be_chosen_has_words_of_its_own(app, theme, language):
    design = load_theme(theme, "A4")
    with app.test_request_context(headers={"Accept-Language": language}):
        named = {name: layout_words(name, design) for name in pages_layouts(design)}
    assert len(set(named.values())) == len(named)
    assert not [name for name, words in named.items() if words.startswith(f"{name},")]


@pytest.mark.parametrize(
    ("group_id", "named"),
    [(NO_THEME, "Bez výrazného tématu"), (TOO_LITTLE, "Zatím málo údajů"), ("g1", "Sunday baking")],
)
def test_an_edition_of_members_without_a_theme_is_named_in_the_reader_s_language(app, group_id, named):
    with app.test_request_context(headers={"Accept-Language": "cs"}):
        assert kept_name("Sunday baking", group_id) == named
