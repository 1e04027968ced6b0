"""A member's own page from what the night ranked."""

from datetime import date

from basket_analysis.offer_lists import MemberOffers, RankedOffer
from basket_analysis.offer_reasons import Reason
from catalogs.issues import Offer
from catalogs.ranked_picks import ranked_picks
from catalogs.selection import Bought
from core.money import Money

KINDS = (
    "Čaj",
    "Sýry",
    "Těstoviny",
    "Chléb",
    "Mléko",
    "Banány",
    "Káva",
    "Rýže",
    "Med",
    "Vejce",
    "Máslo",
    "Jogurty",
)


def offer(number: int, category: str, **parts) -> Offer:
    known = {"price": Money(1990, "CZK"), "name": f"{category} {number}"} | parts
    return Offer(
        article_id=number, category=category, type=None, department=None, brand=None, unit="pcs", photo=None,
        listed=True, **known,
    )  # fmt: skip


SHELF = {number: offer(number, kind) for number, kind in enumerate(KINDS)}
BOUGHT = [Bought(number, 1.0, 3, date(2026, 11, 10)) for number in range(8)]


def ranked(*numbers: int, kind: str = "often") -> tuple[RankedOffer, ...]:
    return tuple(RankedOffer(number, 5.0 - place, Reason(kind)) for place, number in enumerate(numbers))


class TestRankedPicks:
    def test_follow_the_nights_order(self):
        picks, news = ranked_picks(
            MemberOffers(ranked(3, 1, 2), ranked(9, 8, kind="group")), SHELF, bought=BOUGHT
        )
        assert [pick.offer.article_id for pick in picks] == [3, 1, 2]
        assert {pick.why for pick in picks} == {"often"}
        assert [pick.offer.article_id for pick in news] == [9, 8]

    def test_show_nothing_that_the_store_has_not(self):
        picks, news = ranked_picks(MemberOffers(ranked(3, 99), ranked(98, 9)), SHELF, bought=BOUGHT)
        assert [pick.offer.article_id for pick in (*picks, *news)] == [3, 9]

    def test_call_nothing_new_that_was_bought(self):
        _picks, news = ranked_picks(MemberOffers((), ranked(1, 10)), SHELF, bought=BOUGHT)
        assert [pick.offer.article_id for pick in news] == [10]
