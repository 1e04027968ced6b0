import pytest
from sqlalchemy import select

from core.progress import silent
from sales.importing import import_articles, import_stores
from sales.models import Article, Store


def file(folder, text):
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def stores(sessions, tmp_path):
    def take(text):
        with sessions.begin() as session:
            summary = import_stores(session, file(tmp_path, text), report=silent)
        return summary.read, summary.written, summary.unchanged, summary.refused

    return take


@pytest.fixture
def articles(sessions, tmp_path):
    def take(text):
        with sessions.begin() as session:
            summary = import_articles(session, file(tmp_path, text), report=silent)
        return summary.read, summary.written, summary.unchanged, summary.refused

    return take


def reasons(folder):
    lines = (folder / "file.csv.refused.csv").read_text(encoding="utf-8").splitlines()
    return [line.rsplit(",", 1)[1].strip('"') for line in lines[1:]]


class TestImportStores:
    HEADER = "store_code,name,currency,timezone,city\n"

    def test_adds_then_updates_then_leaves(self, stores, sessions):
        text = self.HEADER + "S1,Anděl,CZK,Europe/Prague,Praha\nS2,Kraków,PLN,Europe/Warsaw,\n"
        assert stores(text) == (2, 2, 0, 0)
        assert stores(text) == (2, 0, 2, 0)
        assert stores(text.replace("Anděl", "Smíchov")) == (2, 1, 1, 0)
        with sessions() as session:
            found = session.scalars(select(Store.name).order_by(Store.store_code)).all()
        assert found == ["Smíchov", "Kraków"]

    def test_refuses_what_no_store_can_be(self, stores, tmp_path):
        text = self.HEADER + (
            "a/b,x,CZK,Europe/Prague,\nS1,x,CZX,Europe/Prague,\nS1,x,CZK,Mars/Olympus,\nS1,,CZK,UTC,\n"
        )
        assert stores(text) == (4, 0, 0, 4)
        assert "name is empty" in reasons(tmp_path)

    def test_takes_a_countrys_code_in_any_case_and_other_names_as_they_are(self, stores, sessions):
        head = "store_code,name,currency,timezone,country\n"
        text = head + "S1,x,CZK,UTC,cz\nS2,x,CZK,UTC,CZ\nS3,x,EUR,UTC,Nederland\nS4,x,EUR,UTC,\n"
        assert stores(text) == (4, 4, 0, 0)
        assert stores(text.replace(",cz", ",Cz")) == (4, 0, 4, 0)
        with sessions() as session:
            found = session.scalars(select(Store.country).order_by(Store.store_code)).all()
        assert found == ["CZ", "CZ", "Nederland", None]

    def test_never_changes_a_currency(self, stores):
        assert stores(self.HEADER + "S1,x,CZK,UTC,\n") == (1, 1, 0, 0)
        assert stores(self.HEADER + "S1,x,EUR,UTC,\n") == (1, 0, 0, 1)

    def test_takes_a_repeated_row_once_and_refuses_one_that_differs(self, stores):
        text = self.HEADER + "S1,x,CZK,UTC,\nS1,x,CZK,UTC,\nS1,y,CZK,UTC,\n"
        assert stores(text) == (3, 1, 1, 1)


class TestImportArticles:
    HEADER = "sku;gtin;name;unit;tax_rate;price\n"

    def test_keeps_fourteen_digits_and_hundredths(self, articles, sessions):
        text = self.HEADER + "a;8594001021512;Čaj, sypaný;pcs;12;5990\nb;;Mouka;kg;12.5;\n"
        assert articles(text) == (2, 2, 0, 0)
        assert articles(text) == (2, 0, 2, 0)
        with sessions() as session:
            tea = session.scalars(select(Article).where(Article.sku == "a")).one()
            assert (tea.gtin, tea.name, tea.price) == ("08594001021512", "Čaj, sypaný", 5990)

    @pytest.mark.parametrize(
        "row",
        [
            ";;x;pcs;12;",
            "a;8594001021513;x;pcs;12;",
            "a;;x;piece;12;",
            "a;;x;pcs;twelve;",
            "a;;x;pcs;12;-1",
            "a;;x;pcs;12;1.5",
            "a;;4111 1111 1111 1111;pcs;12;",
        ],
    )
    def test_refuses_what_no_article_can_be(self, articles, row):
        assert articles(self.HEADER + row + "\n") == (1, 0, 0, 1)

    def test_leaves_a_gtin_with_its_article(self, articles):
        assert articles(self.HEADER + "a;8594001021512;x;pcs;12;\n") == (1, 1, 0, 0)
        assert articles(self.HEADER + "b;8594001021512;x;pcs;12;\nc;;y;pcs;12;\n") == (2, 1, 0, 1)

    def test_imports_more_than_one_statement_holds(self, articles):
        text = self.HEADER + "".join(f"s{number};;x;pcs;12;\n" for number in range(2500))
        assert articles(text) == (2500, 2500, 0, 0)
        assert articles(text) == (2500, 0, 2500, 0)
