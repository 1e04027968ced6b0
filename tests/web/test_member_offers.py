"""What members answer at the desk, and their cases: noted in a form, shown on their page, taken back and settled."""

import re

import pytest
from sqlalchemy import text


@pytest.fixture
def page(house) -> str:
    return f"/members/{house.members[0]}"


def shown(visitor, page: str, tab: str) -> str:
    return visitor.get(f"{page}?tab={tab}").get_data(as_text=True)


class TestAnswers:
    def test_are_shown_taken_back_and_in_the_history(self, visit, page: str):
        desk = visit("desk")
        form = {"reaction": "never", "scope": "item", "sku": "10452"}
        assert desk.post(f"{page}/answers", form, page=f"{page}?tab=offers").status_code == 303
        offers = shown(desk, page, "offers")
        (number,) = set(re.findall(rf'action="{page}/answers/(\d+)"', offers))
        assert "Čaj 40 g" in offers
        part = desk.post(
            f"{page}/answers/{number}", page=f"{page}?tab=offers", headers={"HX-Request": "true"}
        )
        assert part.status_code == 200
        assert f"/answers/{number}" not in part.get_data(as_text=True)
        assert "Čaj 40 g" in shown(desk, page, "history")

    @pytest.mark.parametrize(
        "form",
        [{}, {"reaction": "never"}, {"reaction": "hm", "sku": "10452"}, {"reaction": "never", "scope": "x"}],
    )
    def test_must_be_about_something(self, visit, page: str, form: dict[str, str]):
        assert visit("desk").post(f"{page}/answers", form, page=f"{page}?tab=offers").status_code == 400

    def test_log_no_offer_for_who_only_looks(self, app, house, visit, page: str):
        shown(visit("auditor"), page, "offers")
        with app.extensions["web"].sessions() as session:
            assert session.scalar(text("select count(*) from decision")) == 0


class TestCases:
    def test_are_opened_and_settled_at_the_desk(self, visit, page: str):
        desk = visit("desk")
        form = {"kind": "complaint", "text": "<script>stale</script>", "sku": "10452"}
        assert desk.post(f"{page}/cases/new", form, page=f"{page}/cases/new").status_code == 303
        cases = shown(desk, page, "cases")
        (number,) = set(re.findall(r'href="/cases/(\d+-\d)"', cases))
        assert "&lt;script&gt;stale" in cases
        assert desk.post(f"/cases/{number}", {"resolution": ""}, page=f"/cases/{number}").status_code == 422
        assert (
            desk.post(f"/cases/{number}", {"resolution": "A new one."}, page=f"/cases/{number}").status_code
            == 303
        )
        assert "A new one." in desk.get(f"/cases/{number}").get_data(as_text=True)

    def test_say_what_is_missing(self, visit, page: str):
        form = {"kind": "hm", "text": "", "sku": "nothing"}
        answer = visit("desk").post(f"{page}/cases/new", form, page=f"{page}/cases/new")
        assert answer.status_code == 422
        assert answer.get_data(as_text=True).count('aria-invalid="true"') == 3
