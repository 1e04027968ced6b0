from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.jobs import Shift
from core.models import AuditEvent
from core.progress import silent
from customers.models import Member
from loyalty.company.changes import (
    BadPriceList,
    Brought,
    NoCompany,
    bring_prices,
    companies_with_prices,
    company_of,
    read_price_list,
    renew_company_prices,
)
from rewards.codec import offer_document
from rewards.offer_operations import import_document
from rewards.offer_queries import live_offers
from sales.operations import add_store
from tests.shop import CARD, OTHER_CARD, Shop

LIST = [
    "sku,category,price,percent,valid_from,valid_to",
    "10452,,4900,,,",
    ",Tea,,12.5,2026-12-01,2026-12-31",
]
NOTHING = {"offers": 0, "stopped": [], "refused": {}}
BOTH = (f"M{CARD}", f"M{OTHER_CARD}")


@pytest.fixture
def hotel(shop: Shop) -> Shop:
    """A hotel with one buyer, and its own prices live."""
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Łukasz Wiśniewski")
    known_as(shop, CARD, company_name="Hotel", vat_id="CZ123")
    bring(shop)
    return shop


def known_as(shop: Shop, card: str, **changes: str | None) -> None:
    with shop.sessions.begin() as session:
        session.execute(update(Member).where(Member.member_code == f"M{card}").values(changes))


def bring(shop: Shop, lines: list[str] = LIST, card: str = CARD) -> Brought:
    with shop.sessions.begin() as session:
        return bring_prices(
            session,
            company=company_of(session, f"M{card}"),
            prices=read_price_list(lines),
            live=True,
            actor="mara",
            now=shop.now,
        )


def live_codes(shop: Shop) -> set[str]:
    with shop.sessions() as session:
        return {offer.code for offer in live_offers(session)}


def buyers(shop: Shop) -> set[tuple[str, ...]]:
    with shop.sessions() as session:
        return {offer.audience.member_codes for offer in live_offers(session)}


def night(shop: Shop) -> dict[str, Any]:
    return renew_company_prices(Shift(shop.sessions, Path(), shop.today, shop.now, silent))


class TestOwnPrices:
    def test_follow_who_buys_for_the_company(self, hotel: Shop):
        assert (buyers(hotel), night(hotel)) == ({(f"M{CARD}",)}, NOTHING)
        with hotel.sessions.begin() as session:
            account = select(Member.account_id).where(Member.member_code == f"M{CARD}")
            joining = session.scalars(select(Member).where(Member.member_code == f"M{OTHER_CARD}")).one()
            joining.account_id = session.scalars(account).one()
        with hotel.sessions() as session:
            (found,) = companies_with_prices(session)
            assert (found.company.name, len(found.offers), len(found.outdated)) == ("Hotel", 2, 2)
        assert (night(hotel), night(hotel)) == (NOTHING | {"offers": 2}, NOTHING)
        assert buyers(hotel) == {(f"M{CARD}", f"M{OTHER_CARD}")}

    def test_are_of_companies_only(self, hotel: Shop):
        with hotel.sessions() as session, pytest.raises(NoCompany):
            company_of(session, f"M{OTHER_CARD}")

    def test_end_with_the_list_that_has_them_no_more(self, hotel: Shop):
        brought = bring(hotel, LIST[:2])
        assert (len(brought.done.unchanged), len(brought.gone)) == (1, 1)
        with hotel.sessions() as session:
            assert len(live_offers(session)) == 1

    def test_are_of_all_branches_whatever_their_accounts(self, hotel: Shop):
        known_as(hotel, OTHER_CARD, company_name="Hotel", vat_id="CZ123")
        assert (night(hotel)["offers"], buyers(hotel)) == (2, {BOTH})
        assert (len(bring(hotel, card=OTHER_CARD).done.unchanged), night(hotel)) == (2, NOTHING)

    def test_are_of_a_branch_too_whose_company_id_is_not_known_yet(self, hotel: Shop):
        known_as(hotel, OTHER_CARD, company_name="Hotel", vat_id="CZ123")
        known_as(hotel, CARD, company_id="27082440")
        assert (night(hotel)["offers"], buyers(hotel)) == (2, {BOTH})

    def test_stay_the_company_s_when_its_company_id_becomes_known(self, hotel: Shop):
        before = live_codes(hotel)
        known_as(hotel, CARD, company_id="27082440")
        assert (night(hotel), live_codes(hotel)) == (NOTHING, before)
        assert set(bring(hotel).gone) == before
        assert (len(live_codes(hotel)), live_codes(hotel) & before) == (2, set())

    def test_of_one_name_are_not_another_company_s(self, hotel: Shop):
        known_as(hotel, CARD, vat_id=None)
        bring(hotel)
        known_as(hotel, OTHER_CARD, company_name="Hotel", company_id="45274649")
        night(hotel)
        assert buyers(hotel) == {(f"M{CARD}",)}

    def test_are_stopped_when_no_company_is_left(self, hotel: Shop):
        gone = live_codes(hotel)
        with hotel.sessions.begin() as session:
            offer = offer_document(live_offers(session)[0]) | {"code": "OWN-BRAND"}
            import_document(
                session, document={"format": 1, "offers": [offer]}, actor="mara", now=hotel.now, live=True
            )
        known_as(hotel, CARD, company_name=None, vat_id=None)
        assert night(hotel) == NOTHING | {"stopped": sorted(gone)}
        assert (live_codes(hotel), night(hotel)) == ({"OWN-BRAND"}, NOTHING)
        with hotel.sessions() as session:
            audited = select(AuditEvent.subject_id, AuditEvent.detail).where(
                AuditEvent.action == "offer.stop"
            )
            told = {row.subject_id: row.detail["reason"] for row in session.execute(audited)}
        assert told == dict.fromkeys(gone, "no company is left that has this own price")

    def test_that_are_refused_do_not_keep_others_from_being_renewed(self, hotel: Shop):
        cafe, barista = "2990000000033", "2990000000040"
        hotel.issue([cafe, barista])
        hotel.enrol(cafe, "Ada Kovářová")
        hotel.enrol(barista, "Jan Malý")
        known_as(hotel, cafe, company_name="Café", vat_id="CZ456")
        bring(hotel, [LIST[0], LIST[2]], cafe)
        with hotel.sessions.begin() as session:
            add_store(session, store_code="E1", name="Wien", currency="EUR", timezone="Europe/Vienna")
        known_as(hotel, OTHER_CARD, vat_id="CZ123")
        known_as(hotel, barista, vat_id="CZ456")
        done = night(hotel)
        assert (done["offers"], set(done["refused"])) == (1, {"Hotel"})
        assert "one currency" in done["refused"]["Hotel"]
        assert buyers(hotel) == {(f"M{CARD}",), (f"M{cafe}", f"M{barista}")}


class TestPriceList:
    @pytest.mark.parametrize(
        ("lines", "said"),
        [([], "no header"), (["sku,colour", "1,red"], "colour"), ([LIST[0], "1,,,,,"], "row 2"),
         ([LIST[0], "1,,abc,,,"], "row 2"), ([LIST[0], "1,,5,,2026-13-01,"], "row 2")],
    )  # fmt: skip
    def test_is_refused_with_the_row_that_is_wrong(self, lines, said):
        with pytest.raises(BadPriceList, match=said):
            list(read_price_list(lines))
