"""Groups changed by hand on the screen: first what will change, then the change, then its history and its undoing."""

import re

import pytest
from sqlalchemy import delete, insert

from basket_analysis.groups.edit_lists import edits_of_groups
from basket_analysis.models import ShopperGroup


@pytest.fixture
def wine(web_sessions, house):
    """A second theme, for as long as a test needs it."""
    with web_sessions.begin() as session:
        session.execute(
            insert(ShopperGroup).values(
                run_id=house.run_id,
                group_id="g2",
                kind="theme",
                name="Wine",
                items=["Wine", "Cheese"],
                members=15,
                baskets=200,
                kept_members=None,
                colour=4,
                detail={},
            )
        )
    yield
    with web_sessions.begin() as session:
        session.execute(delete(ShopperGroup).where(ShopperGroup.group_id == "g2"))


@pytest.fixture
def edits(web_sessions):
    """The edits that hold now, newest first."""

    def edits():
        with web_sessions() as session:
            return [edit for edit in edits_of_groups(session) if edit.undone_at is None]

    return edits


def said(visitor, address, form, page="/groups/edits/g1"):
    answer = visitor.post(address, form, page=page)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return visitor.get(answer.headers["Location"]).get_data(as_text=True)


class TestNames:
    def test_hold_at_once_in_the_languages_that_were_changed_and_can_be_taken_back(self, visit, edits):
        marketing = visit("marketing")
        page = said(
            marketing,
            "/groups/edits/g1/name",
            {"name_en": "Tea time", "name_cs": "", "name_sk": "Čaj o piatej"},
        )
        assert "Named Tea time (English), Čaj o piatej (Slovenčina)" in page
        assert "In force" in page
        assert "Tea time" in visit("analyst").get("/groups/").get_data(as_text=True)
        page = said(marketing, f"/groups/edits/{edits()[0].edit_id}/undo", {"group_id": "g1"})
        assert "Taken back" in page
        assert "Tea and honey" in visit("analyst").get("/groups/").get_data(as_text=True)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("Tea and honey", "type another name"),
            ("x" * 61, "At most 60 characters"),
            ("4111 1111 1111 1111", "payment card"),
        ],
    )
    def test_that_will_not_do_are_said_at_their_field(self, visit, edits, name, words):
        answer = visit("marketing").post("/groups/edits/g1/name", {"name_en": name}, page="/groups/edits/g1")
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
        assert edits() == []


class TestThemes:
    def test_are_split_after_it_was_shown_what_will_change(self, visit, edits):
        marketing = visit("marketing")
        page = marketing.get("/groups/edits/g1?item=Biscuits").get_data(as_text=True)
        assert "1 categories leave, 2 stay" in page
        assert "42 members are in the group now" in page
        assert "Split with the next night" in page
        page = said(marketing, "/groups/edits/g1/split", {"item": "Biscuits"})
        assert "The next night forms the two groups" in page
        assert "waits for the next night" in page
        assert "This cannot be done" in said(marketing, "/groups/edits/g1/split", {"item": "Tea"})
        said(marketing, f"/groups/edits/{edits()[0].edit_id}/undo", {})
        assert edits() == []

    def test_are_merged_after_it_was_shown_who_is_in_both(self, visit, edits, wine):
        marketing = visit("marketing")
        page = marketing.get("/groups/edits/g1?other=g2").get_data(as_text=True)
        assert "Wine ends and its categories join: 5 in all. 57 members" in page
        assert "comes second already" not in page, "that fewer than ten are in both is not told"
        assert "Merged with Wine" in said(marketing, "/groups/edits/g1/merge", {"other": "g2"})
        said(marketing, f"/groups/edits/{edits()[0].edit_id}/undo", {})

    def test_are_pinned_and_let_go(self, visit, edits):
        marketing = visit("marketing")
        assert "No night will change" in said(marketing, "/groups/edits/g1/pin", {})
        assert "No longer pinned" in said(marketing, "/groups/edits/g1/unpin", {})
        assert edits() == []

    def test_that_are_none_have_no_such_page(self, visit):
        assert visit("marketing").get("/groups/edits/none").status_code == 404
        assert visit("marketing").get("/groups/edits/g9").status_code == 404


class TestSmallestGroup:
    def test_is_kept_after_it_was_shown_which_groups_would_go(self, visit, edits):
        marketing = visit("marketing")
        page = marketing.get("/groups/edits/?members=60").get_data(as_text=True)
        assert "1 group would go, 42 members" in page
        assert "No group of today is smaller" in marketing.get("/groups/edits/?members=20").get_data(
            as_text=True
        )
        assert "nobody is recognised" in marketing.get("/groups/edits/?members=5").get_data(as_text=True)
        page = said(marketing, "/groups/edits/minimum", {"members": "60"}, page="/groups/edits/?members=60")
        assert "Groups have at least 60 members" in page
        assert "This cannot be done" in said(
            marketing, "/groups/edits/minimum", {"members": "5"}, page="/groups/edits/?members=20"
        )
        said(marketing, f"/groups/edits/{edits()[0].edit_id}/undo", {}, page="/groups/edits/?members=20")


class TestOthers:
    def test_read_what_was_changed_and_find_no_form(self, visit):
        page = visit("analyst").get("/groups/edits/g1").get_data(as_text=True)
        assert not re.search(r'method="post" action="/groups', page)
        assert visit("cashier").get("/groups/edits/").status_code == 403
