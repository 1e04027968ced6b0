"""What members answer at the desk, and their cases: noted in a form, shown on their page, taken back and settled."""

import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from campaigns.decision_ids import decision_id
from campaigns.models import Decision
from core import clock
from customers.models import Member


@pytest.fixture
def page(house) -> str:
    return f"/members/{house.members[0]}"


def shown(visitor, page: str, tab: str) -> str:
    return visitor.get(f"{page}?tab={tab}").get_data(as_text=True)


def kept(app) -> int:
    """Return how many answers there are."""
    with app.extensions["web"].sessions() as session:
        return session.scalar(text("select count(*) from reaction")) or 0


def told(app, house, number: int) -> UUID:
    """Return the decision by which a member was offered tea today."""
    day = clock.now().date()
    found = decision_id(day, house.members[number], "test")
    with app.extensions["web"].sessions.begin() as session:
        member = session.get_one(Member, house.members[number])
        session.execute(
            insert(Decision)
            .values(
                day=day,
                decision_id=found,
                at=clock.now(),
                member_id=member.member_id,
                account_id=member.account_id,
                channel="desk",
                article_id=house.articles["10452"],
                score=1,
                propensity=1,
                explored=False,
                reason={},
                context={},
            )
            .on_conflict_do_nothing()
        )
    return found


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

    @pytest.mark.parametrize(
        "sku",
        ["a\0b", "4111111111111111", "x" * 3_000, "no such article"],
        ids=["nul", "card", "long", "unknown"],
    )
    def test_about_what_nobody_knows_are_refused_and_not_kept(self, app, visit, page: str, sku: str):
        form, desk = {"reaction": "never", "scope": "item", "sku": sku}, visit("desk")
        before = kept(app)
        assert desk.post(f"{page}/answers", form, page=f"{page}?tab=offers").status_code == 303
        assert 'class="notice"' in shown(desk, page, "offers")
        form = form | {"sku": "", "offer_code": sku}
        desk.post(f"{page}/answers", form, page=f"{page}?tab=offers", headers={"HX-Request": "true"})
        assert kept(app) == before

    def test_to_what_was_told_to_somebody_else_are_not_found(self, app, house, visit, page: str):
        desk, other = visit("desk"), f"/members/{house.members[1]}"
        form = {"reaction": "never", "scope": "item", "sku": "10452", "decision_id": str(uuid4())}
        before = kept(app)
        for named, status in ((uuid4(), 404), (told(app, house, 1), 404), ("nonsense", 400)):
            form["decision_id"] = str(named)
            assert desk.post(f"{page}/answers", form, page=f"{page}?tab=offers").status_code == status
        assert kept(app) == before
        form["decision_id"] = str(told(app, house, 1))
        assert desk.post(f"{other}/answers", form, page=f"{page}?tab=offers").status_code == 303
        assert kept(app) == before + 1

    def test_that_are_open_from_any_channel_are_shown(self, app, house, visit):
        address = f"/members/{house.members[2]}"
        assert "Offered before" not in shown(visit("auditor"), address, "offers")
        told(app, house, 2)
        assert re.search(
            r"Offered before.*Čaj 40 g</td><td>Desk", shown(visit("auditor"), address, "offers"), re.DOTALL
        )

    @pytest.mark.parametrize("number", [2**63, 10**40])
    def test_beyond_every_number_are_not_found(self, visit, page: str, number: int):
        assert visit("desk").post(f"{page}/answers/{number}").status_code == 404

    def test_log_no_offer_for_who_only_looks(self, app, house, visit, page: str):
        def decisions() -> int:
            with app.extensions["web"].sessions() as session:
                return session.scalar(text("select count(*) from decision")) or 0

        before = decisions()
        shown(visit("auditor"), page, "offers")
        assert decisions() == before


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

    @pytest.mark.parametrize("sku", ["a\0b", "4111111111111111", "x" * 3_000], ids=["nul", "card", "long"])
    def test_are_about_no_article_that_cannot_be(self, visit, page: str, sku: str):
        form = {"kind": "complaint", "text": "stale", "sku": sku}
        answer = visit("desk").post(f"{page}/cases/new", form, page=f"{page}/cases/new")
        assert answer.status_code == 422

    def test_name_receipts_of_that_member_only(self, house, visit, page: str):
        desk, form = visit("desk"), {"kind": "question", "text": "why?"}
        theirs, foreign = house.receipts["S1"], house.receipts["S2"]
        for (day, receipt), status in ((foreign, 404), ((theirs[0], uuid4()), 404), (theirs, 303)):
            sent = form | {"day": day, "receipt": str(receipt)}
            assert desk.post(f"{page}/cases/new", sent, page=f"{page}/cases/new").status_code == status
            form_of = desk.get(f"{page}/cases/new", query_string=sent)
            assert (form_of.status_code == 404) == (status == 404)
        told = re.search(r"From the receipt of ([^<]+)\.", form_of.get_data(as_text=True))
        assert told is not None
        assert str(theirs[0]) not in told[1], "a day as people write it"
