"""A store as its manager begins the week with it: what to do first, evidence below, nobody else's store."""

import csv
from io import BytesIO, StringIO
from types import SimpleNamespace

import pikepdf
import pytest
from sqlalchemy import insert, select

from basket_analysis.assortment.store_lists import ArticleHere, ArticleView
from basket_analysis.models import CategoryProfile, StoreCategory, StoreProfile, SuggestionDecision
from core.audit import AuditEvent
from web.screens.store_page import best_first
from web.stores.findings import articles_chart

CATEGORY = {
    "category": "FRZN MEAT/MEAT DINNERS",
    "revenue": 450_00,
    "baskets": 120,
    "households": 40,
    "expected": 700_00,
    "gap": -250_00,
    "low": -400_00,
    "high": -100_00,
    "q": 0.01,
    "lately": 14,
    "before": 30,
    "lately_elsewhere": 400,
    "before_elsewhere": 410,
    "moved_q": 0.05,
}
GROUP = {"group": "g1", "households": 25, "baskets": 300, "revenue": 1200_00, "share": 0.3, "low": 0.25}
PROFILE = {
    "weeks": 52,
    "baskets": 900,
    "households": 80,
    "revenue": 9_000_00,
    "groups": [GROUP | {"high": 0.35, "elsewhere": 0.12, "z": 4.2}],
    "categories": [CATEGORY],
    "rules_tested": 31,
    "rules": [
        {
            "rule": 3, "antecedent": "Tea", "consequent": "HONEY/SPRD", "baskets": 12, "of_baskets": 60,
            "expected": 30.0, "households": 11, "others": 500, "z": -3.9, "q": 0.02,
        }
    ],
}  # fmt: skip


def _article(article_id, households, **more):
    chain = {
        "article_id": article_id, "baskets": 500, "households": households, "repeat": households // 2,
        "exclusive": None, "transfer": 0.4, "stores": 2, "store_baskets": 2000, "store_households": 200,
        "buyers": households, "substitute_id": None, "substitute_households": 0,
    }  # fmt: skip
    return chain | more


@pytest.fixture(scope="module", autouse=True)
def compared(house, web_sessions):
    """Let the night have compared the first store, and left the second for having too few baskets."""
    store = {"run_id": house.run_id, "store_id": house.stores["S1"]}
    tea, honey = house.articles["10452"], house.articles["20311"]
    here = {
        "article_id": tea, "revenue": 30_00, "halo": 5_00, "baskets": 90, "households": 30, "repeat": 20,
        "exclusive": 12, "transfer": 0.3, "stocked": 45,
    }  # fmt: skip
    chain = [_article(tea, 80, substitute_id=honey, substitute_households=15), _article(honey, 60)]
    with web_sessions.begin() as session:
        session.execute(insert(StoreProfile).values(**store, figures=PROFILE))
        session.execute(
            insert(StoreCategory).values(
                **store, category=CATEGORY["category"], figures=CATEGORY | {"articles": [here]}
            )
        )
        session.execute(
            insert(CategoryProfile).values(
                run_id=house.run_id,
                category=CATEGORY["category"],
                figures={"baskets": 3000, "households": 300, "articles": chain},
            )
        )


def text(answer):
    return answer.get_data(as_text=True)


class TestAStore:
    def test_begins_with_what_is_worth_doing(self, visit):
        page = text(visit("store_manager").get("/shop/S1/"))
        order = [
            page.index(words)
            for words in (
                "3 things worth doing",
                "What changed",
                "Results of past decisions",
                "Who shops here",
                "What they buy here",
                "What they combine otherwise",
            )
        ]
        assert order == sorted(order)
        assert "About CZK\N{NO-BREAK SPACE}120 more revenue a week" in page

    def test_is_the_managers_own_at_once(self, visit):
        assert visit("store_manager").get("/shop/").headers["Location"] == "/shop/S1/"

    def test_says_findings_in_words_that_are_no_codes(self, visit):
        page = text(visit("store_manager").get("/shop/S1/"))
        assert "Tea and honey: 30% of the baskets here, 12% in the other stores" in page
        assert (
            "Frozen meat / meat dinners: CZK\N{NO-BREAK SPACE}250 a week less here than in stores with as many baskets"
            in page
        )
        assert (
            "Honey / spread is in 20% of the baskets with Tea here; in other stores it would be in 50%"
            in page
        )
        assert "14 households in four weeks, 30 in the four before" in page

    def test_teaches_where_it_is_not_compared_yet(self, visit):
        page = text(visit("marketing").get("/shop/S2/"))
        assert "This store is not compared yet" in page

    def test_is_exported_with_its_categories(self, visit):
        answer = visit("store_manager").get("/shop/S1/?format=csv")
        rows = list(csv.reader(StringIO(text(answer).removeprefix("\ufeff"))))
        line = dict(zip(rows[0], rows[1], strict=True))
        assert (line["Category"], line["Against the other stores"]) == (
            "Frozen meat / meat dinners",
            "-250.00",
        )
        assert visit("store_manager").get("/shop/S1/?format=xlsx").data[:2] == b"PK"


class TestBestFirst:
    """Kinds in turns, each by its rank: of delistings the one that loses least comes first."""

    ROWS = tuple(
        SimpleNamespace(kind=kind, value_per_week=value, decision=decision)
        for kind, value, decision in (
            ("list", 500, None),
            ("list", 300, None),
            ("delist", 10, "accepted"),
            ("delist", 20, None),
            ("delist", 900, None),
            ("keep", 9000, None),
        )
    )

    @pytest.mark.parametrize(("most", "values"), [(3, [500, 20, 300]), (12, [500, 20, 300, 900]), (1, [500])])
    def test_takes_turns(self, most, values):
        assert [row.value_per_week for row in best_first(self.ROWS, most)] == values

    def test_keeps_to_what_asks_for_nothing_where_there_is_nothing_else(self):
        assert [row.kind for row in best_first(self.ROWS[-1:])] == ["keep"]


class TestACategory:
    def test_holds_its_articles_against_the_chain(self, visit):
        page = text(visit("store_manager").get(f"/shop/S1/category/{CATEGORY['category']}"))
        for words in (
            "Čaj 40 g",
            "37.5%",
            "40.0%",
            "67%",
            "Med 500 g",
            "20311 · 15 buy both",
            "fewer than 10",
        ):
            assert words in page, words

    def test_tells_articles_of_one_name_apart(self, app):
        here = ArticleHere(
            revenue=900,
            halo=0,
            baskets=40,
            households=20,
            repeat=None,
            exclusive=None,
            transfer=0.0,
            stocked=40,
        )
        rows = [
            ArticleView(
                article_id=at, sku=sku, name=name, type=None, baskets=100, households=50, repeat=None, exclusive=None,
                transfer=0.0, stores=5, store_baskets=500, store_households=200, buyers=10, substitute=None,
                substitute_sku=None, substitute_households=0, here=here,
            )
            for at, (sku, name) in enumerate([("7", "Shredded cheese"), ("8", "Brie"), ("9", "Shredded cheese")])
        ]  # fmt: skip
        with app.test_request_context():
            chart = articles_chart(rows, SimpleNamespace(households=100))
        told = ["Shredded cheese (7)", "Brie", "Shredded cheese (9)"]
        assert chart.options["yAxis"]["data"] == told
        assert [row[0] for row in chart.rows] == told

    def test_that_nothing_is_known_of_is_not_found(self, visit):
        assert visit("store_manager").get("/shop/S1/category/WINE").status_code == 404


class TestPaper:
    @pytest.mark.parametrize(
        "address", ["/shop/S1/print.pdf", "/shop/S1/category-print.pdf/FRZN MEAT/MEAT DINNERS"]
    )
    def test_is_a_whole_document_of_a4_with_its_own_fonts(self, visit, address):
        answer = visit("store_manager").get(address)
        assert (answer.status_code, answer.content_type) == (200, "application/pdf")
        with pikepdf.open(BytesIO(answer.data)) as pdf:
            assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]
            assert str(pdf.Root.Lang) == "en"
            assert "Brno" in str(pdf.docinfo["/Title"])
            fonts = pdf.pages[0].Resources.Font.values()
            assert all("Report" in str(font.BaseFont) for font in fonts)

    def test_is_not_made_of_a_store_that_is_not_compared(self, visit):
        assert visit("marketing").get("/shop/S2/print.pdf").status_code == 404


class TestAnAnswer:
    def test_is_given_where_the_suggestion_stands(self, visit, house, web_sessions):
        visitor, suggestion = visit("store_manager"), house.suggestions["S1"]
        address = f"/shop/S1/{suggestion}/answer"
        without = visitor.post(
            address, {"decision": "accepted", "reason": " "}, headers={"HX-Request": "true"}
        )
        assert (without.status_code, "Say why in a few words" in text(without)) == (422, True)
        given = visitor.post(
            address, {"decision": "accepted", "reason": "Customers ask"}, headers={"HX-Request": "true"}
        )
        assert (given.status_code, "Take back" in text(given), "<html" in text(given)) == (200, True, False)
        with web_sessions() as session:
            decided = session.scalars(
                select(SuggestionDecision).order_by(SuggestionDecision.decision_id.desc())
            ).first()
            events = session.scalars(
                select(AuditEvent.action).where(AuditEvent.subject_id == str(suggestion))
            ).all()
        assert (decided.decision, decided.reason, decided.decided_by) == (
            "accepted",
            "Customers ask",
            "store.manager",
        )
        assert "suggestion.accepted" in events
        results = text(visitor.get("/shop/S1/results"))
        assert ("Customers ask" in results, "waits for six weeks of sales" in results) == (True, True)
        file = visitor.get("/shop/S1/results?format=csv&columns=reason&columns=foretold").get_data(
            as_text=True
        )
        assert ("Customers ask" in file, "\N{WORD JOINER}" in file) == (True, False)
        back = visitor.post(f"/shop/S1/{suggestion}/undo", headers={"HX-Request": "true"})
        assert (back.status_code, "3 things worth doing" in text(back)) == (200, True)

    def test_is_not_given_by_others_than_the_manager(self, visit, house):
        for role in ("marketing", "analyst", "administrator"):
            visitor = visit(role)
            assert "<textarea" not in text(visitor.get("/shop/S1/"))
            answer = visitor.post(
                f"/shop/S1/{house.suggestions['S1']}/answer", {"decision": "accepted", "reason": "x"}
            )
            assert answer.status_code == 403, role


class TestAManager:
    @pytest.mark.parametrize(
        "address", ["", "results", "print.pdf", "category/TEA", "category-print.pdf/TEA", "?format=csv"]
    )
    def test_sees_nothing_of_another_store(self, visit, address):
        assert visit("store_manager").get(f"/shop/S2/{address}").status_code == 404

    def test_cannot_answer_for_another_store(self, visit, house):
        visitor, form = visit("store_manager"), {"decision": "accepted", "reason": "x"}
        assert visitor.post(f"/shop/S2/{house.suggestions['S2']}/answer", form).status_code == 404
        assert visitor.post(f"/shop/S1/{house.suggestions['S2']}/answer", form).status_code == 404


class TestTheChain:
    def test_chooses_the_store(self, visit):
        visitor = visit("analyst")
        assert visitor.get("/shop/").headers["Location"] == "/shop/S1/"
        assert 'name="store"' in text(visitor.get("/shop/S1/"))
