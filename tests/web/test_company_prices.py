"""Companies' own prices on the screen: brought in as a list, and renewed when somebody else buys too."""

import io
import re

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import select, text

from core import clock
from customers.models import Member
from loyalty.company.changes import Renewed
from rewards.offer_decisions import stop_offer
from rewards.offer_queries import live_offers
from web.screens import company_prices

LIST = "sku,category,price,percent,valid_from,valid_to\n10452,,4900,,,\n"


@pytest.fixture
def hotel(house, web_sessions):
    """Return the code of a member who buys for a hotel, and of one who does not; own prices end with the test."""
    with web_sessions.begin() as session:
        codes = session.scalars(select(Member.member_code).order_by(Member.member_code).limit(2)).all()
        session.execute(
            text("update member set company_name = 'Hotel Bílý kůň' where member_code = :one"),
            {"one": codes[0]},
        )
    yield codes
    with web_sessions.begin() as session:
        session.execute(
            text("update member set company_name = null where member_code = :one"), {"one": codes[0]}
        )
        for offer in live_offers(session):
            if offer.code.startswith("OWN-"):
                stop_offer(session, offer_code=offer.code, actor="test", now=clock.now(), reason="over")


def bring(visitor, company, content=LIST, **more):
    file = (io.BytesIO(content.encode()), "prices.csv")
    return visitor.post("/company-prices/", {"company": company, "file": file, **more})


class TestOwnPrices:
    def test_are_drafts_unless_an_administrator_says_live(self, hotel, visit):
        answer = bring(visit("marketing"), hotel[0], live="1")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        page = visit("marketing").get("/company-prices/").get_data(as_text=True)
        assert "No company has own prices" in page
        administrator = visit("administrator")
        assert bring(administrator, hotel[0], live="1").status_code == 303
        page = administrator.get("/company-prices/").get_data(as_text=True)
        assert "Hotel Bílý kůň" in page
        assert "49.00" in re.sub(r"\s", " ", page)

    def test_are_renewed_when_the_buyers_have_changed(self, hotel, visit, web_sessions):
        administrator = visit("administrator")
        bring(administrator, hotel[0], live="1")
        assert "buyers have changed" not in administrator.get("/company-prices/").get_data(as_text=True)
        with web_sessions.begin() as session:
            account = select(Member.account_id).where(Member.member_code == hotel[0]).scalar_subquery()
            joining = session.scalars(select(Member).where(Member.member_code == hotel[1])).one()
            before, joining.account_id = joining.account_id, session.scalar(select(account))
        try:
            assert "buyers have changed" in administrator.get("/company-prices/").get_data(as_text=True)
            visit("marketing").post("/company-prices/renew")
            page = administrator.get("/company-prices/").get_data(as_text=True)
            assert "buyers have changed" not in page
            assert hotel[1] in page
        finally:
            with web_sessions.begin() as session:
                session.scalars(
                    select(Member).where(Member.member_code == hotel[1])
                ).one().account_id = before

    def test_tell_whose_are_refused_and_how_many_are_stopped(self, hotel, visit, web_sessions, monkeypatch):
        marketing = visit("marketing")
        done = Renewed(("OWN-1",), ("OWN-2",), {"Café": "/offers/0/stores: of one currency"})
        monkeypatch.setattr("web.screens.company_prices.renew_buyers", lambda *_, **__: done)
        marketing.post("/company-prices/renew")
        page = marketing.get("/company-prices/").get_data(as_text=True)
        assert "1 offer was renewed. 1 offer was stopped" in page
        assert "Café stays as it was: /offers/0/stores" in page

    @pytest.mark.parametrize("path", ["/company-prices/", "/company-prices/renew"])
    def test_are_tried_again_when_a_till_was_in_the_way(self, hotel, visit, monkeypatch, path):
        name = "renew_buyers" if path.endswith("renew") else "bring_prices"
        really, tried = getattr(company_prices, name), []

        def collide_once(*given, **more):
            tried.append(name)
            if len(tried) == 1:
                raise DeadlockDetected
            return really(*given, **more)

        monkeypatch.setattr(company_prices, name, collide_once)
        file = {"company": hotel[0], "file": (io.BytesIO(LIST.encode()), "prices.csv")}
        answer = visit("marketing").post(path, None if path.endswith("renew") else file)
        assert (answer.status_code, len(tried)) == (303, 2)

    @pytest.mark.parametrize(
        ("company", "content", "said"),
        [
            ("", LIST, "Nobody of this code"),
            (None, "", "Choose a file"),
            (None, "sku,price\n1,abc\n", "row 2"),
            (None, "colour\nred\n", "unknown columns"),
        ],
    )
    def test_are_refused_at_the_field_that_is_wrong(self, hotel, visit, company, content, said):
        answer = bring(visit("marketing"), hotel[0] if company is None else company, content)
        assert (answer.status_code, said in answer.get_data(as_text=True)) == (422, True)

    def test_are_marketing_s_to_change_and_the_desk_s_to_see(self, hotel, visit):
        assert visit("desk").get("/company-prices/").status_code == 200
        assert bring(visit("desk"), hotel[0]).status_code == 403
        assert visit("store_manager").get("/company-prices/").status_code == 403
