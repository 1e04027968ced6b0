"""Lists as files."""

import csv
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest

from core.spreadsheets import harmless
from web.export import plain
from web.tables import Column


class TestHarmless:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+420", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\N{FULLWIDTH EQUALS SIGN}1"]
    )
    def test_keeps_spreadsheets_from_taking_text_for_a_formula(self, text):
        assert harmless(text) == "'" + text

    @pytest.mark.parametrize("text", ["Čaj 40 g", "a=b", "", "100 %"])
    def test_leaves_other_text_alone(self, text):
        assert harmless(text) == text


class TestFiles:
    def rows(self, answer):
        return list(csv.reader(StringIO(answer.data.decode("utf-8-sig"))))

    def test_hold_the_chosen_columns_with_money_in_its_major_unit(self, house, visit):
        answer = visit("administrator").get(
            "/receipts/?format=csv&sort=-payable_amount&columns=receipt_number&columns=payable_amount"
        )
        head, first, *others = self.rows(answer)
        assert head == ["Receipt", "Paid", "Paid (ISO 4217)"]
        assert first[1:] == ["129.90", "CZK"]
        assert len(others) == 3
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_hold_figures_in_words_without_what_joins_them_on_a_page(self):
        column = Column(key="range", title="Range", value=lambda row: row)
        assert plain(column, "\N{MINUS SIGN}\N{WORD JOINER}5 CZK to 7 CZK") == "\N{MINUS SIGN}5 CZK to 7 CZK"

    def test_say_of_suggestions_what_their_money_is_and_where_their_households_buy(self, house, visit):
        head, *rows = self.rows(visit("store_manager").get("/assortment/?format=csv"))
        assert head[head.index("Per week") :][:3] == ["Per week", "Per week (ISO 4217)", "What this money is"]
        assert head[head.index("Households") + 1] == "Where these households buy"
        said = {
            tuple(
                row[head.index(title)]
                for title in ("Suggestion", "What this money is", "Where these households buy")
            )
            for row in rows
        }
        meant = {
            ("List", "more revenue", "in other stores"),
            ("Delist", "would be lost", "in the whole chain"),
            ("Keep", "lost without it", "in this store"),
            ("Place together", "more revenue", "in similar stores"),
        }
        assert said
        assert said <= meant

    def test_quote_what_looks_like_a_formula(self, house, visit):
        rows = self.rows(visit("administrator").get("/members/?format=csv&columns=phone&q=M0"))
        assert rows[1] == ["'+420600123450"]

    def test_open_in_excel_as_text_and_numbers(self, house, visit):
        answer = visit("administrator").get("/members/?format=xlsx")
        with ZipFile(BytesIO(answer.data)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            words = book.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in sheet
        assert "Wiśniewski" in words

    def test_follow_the_filters_of_the_page(self, house, visit):
        visitor = visit("administrator")
        assert len(self.rows(visitor.get("/receipts/?format=csv&card=no"))) == 2 + 1
        assert len(self.rows(visitor.get("/receipts/?format=csv&card=yes"))) == 2 + 1
