"""Lists on the screen."""

import re


class TestLists:
    def test_say_what_they_are_narrowed_by_and_how_to_undo_it(self, house, visit):
        page = visit("administrator").get("/receipts/?type=return&q=x").get_data(as_text=True)
        assert "Return</strong>" in page
        assert 'href="/receipts/?q=x"' in page
        assert "Nothing fits these filters" in page

    def test_sort_by_the_column_whose_head_is_followed(self, house, visit):
        visitor = visit("administrator")
        page = visitor.get("/receipts/?sort=payable_amount").get_data(as_text=True)
        amounts = [int(found) for found in re.findall(r"CZK\N{NO-BREAK SPACE}(\d+)\.\d\d<", page)]
        assert amounts == sorted(amounts)
        assert 'aria-sort="ascending"' in page

    def test_ignore_what_they_do_not_know(self, house, visit):
        visitor = visit("administrator")
        for query in ("sort=password_hash", "type=nonsense", "columns=secret", "since=tomorrow", "q=%00"):
            assert visitor.get(f"/receipts/?{query}").status_code == 200, query

    def test_answer_a_marker_that_is_not_theirs_with_an_error_page(self, house, visit):
        visitor = visit("administrator")
        for marker in ("nonsense", "WzEsMl0", "WyJ4IiwieCJd", "W251bGwsIngiXQ"):
            for sort in ("business_date", "payable_amount"):
                answer = visitor.get(f"/receipts/?after={marker}&sort={sort}")
                assert answer.status_code == 422, marker

    def test_teach_the_next_step_while_they_are_empty(self, house, visit):
        page = visit("administrator").get("/queue/?state=dismissed&code=masked").get_data(as_text=True)
        assert "Nothing fits these filters" in page

    def test_let_lesser_columns_give_way_unless_they_were_asked_for(self, house, visit):
        visitor = visit("administrator")
        usual = visitor.get("/members/").get_data(as_text=True)
        assert 'class="date lesser"' in usual
        asked = visitor.get("/members/?columns=name&columns=joined_on").get_data(as_text=True)
        assert 'class="date"' in asked
        assert "lesser" not in asked
        assert "member0@<wbr>example.org" in usual
