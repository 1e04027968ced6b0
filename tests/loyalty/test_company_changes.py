from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.jobs import Shift
from core.progress import silent
from customers.models import Member
from loyalty.company_changes import (
    BadPriceList,
    NoCompany,
    bring_prices,
    companies_with_prices,
    company_of,
    read_price_list,
    renew_company_prices,
)
from rewards.offer_queries import live_offers
from tests.shop import CARD, OTHER_CARD, Shop

LIST = [
    "sku,category,price,percent,valid_from,valid_to",
    "10452,,4900,,,",
    ",Tea,,12.5,2026-12-01,2026-12-31",
]


@pytest.fixture
def hotel(shop: Shop) -> Shop:
    """A hotel with one buyer, and its own prices live."""
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Łukasz Wiśniewski")
    with shop.sessions.begin() as session:
        session.execute(text("update member set company_name = 'Hotel', vat_id = 'CZ123' where member_code = :m"),
                        {"m": f"M{CARD}"})  # fmt: skip
    with shop.sessions.begin() as session:
        bring_prices(
            session,
            company=company_of(session, f"M{CARD}"),
            prices=read_price_list(LIST),
            live=True,
            actor="mara",
            now=shop.now,
        )
    return shop


def buyers(shop: Shop) -> set[tuple[str, ...]]:
    with shop.sessions() as session:
        return {offer.audience.member_codes for offer in live_offers(session)}


def night(shop: Shop) -> dict[str, int]:
    return renew_company_prices(Shift(shop.sessions, Path(), shop.today, shop.now, silent))


class TestOwnPrices:
    def test_follow_who_buys_for_the_company(self, hotel: Shop):
        assert (buyers(hotel), night(hotel)) == ({(f"M{CARD}",)}, {"offers": 0})
        with hotel.sessions.begin() as session:
            account = select(Member.account_id).where(Member.member_code == f"M{CARD}")
            joining = session.scalars(select(Member).where(Member.member_code == f"M{OTHER_CARD}")).one()
            joining.account_id = session.scalars(account).one()
        with hotel.sessions() as session:
            (found,) = companies_with_prices(session)
            assert (found.company.name, len(found.offers), len(found.outdated)) == ("Hotel", 2, 2)
        assert (night(hotel), night(hotel)) == ({"offers": 2}, {"offers": 0})
        assert buyers(hotel) == {(f"M{CARD}", f"M{OTHER_CARD}")}

    def test_are_of_companies_only(self, hotel: Shop):
        with hotel.sessions() as session, pytest.raises(NoCompany):
            company_of(session, f"M{OTHER_CARD}")

    def test_end_with_the_list_that_has_them_no_more(self, hotel: Shop):
        with hotel.sessions.begin() as session:
            company = company_of(session, f"M{CARD}")
            brought = bring_prices(
                session,
                company=company,
                prices=read_price_list(LIST[:2]),
                live=True,
                actor="mara",
                now=hotel.now,
            )
        assert (len(brought.done.unchanged), len(brought.gone)) == (1, 1)
        with hotel.sessions() as session:
            assert len(live_offers(session)) == 1


class TestPriceList:
    @pytest.mark.parametrize(
        ("lines", "said"),
        [([], "no header"), (["sku,colour", "1,red"], "colour"), ([LIST[0], "1,,,,,"], "row 2"),
         ([LIST[0], "1,,abc,,,"], "row 2"), ([LIST[0], "1,,5,,2026-13-01,"], "row 2")],
    )  # fmt: skip
    def test_is_refused_with_the_row_that_is_wrong(self, lines, said):
        with pytest.raises(BadPriceList, match=said):
            list(read_price_list(lines))
