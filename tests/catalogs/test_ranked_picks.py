"""A member's own page from what the night ranked."""

from datetime import date

from basket_analysis.offers.lists import MemberOffers, RankedOffer
from basket_analysis.offers.reasons import Reason
from catalogs.issues import Offer
from catalogs.ranked_picks import ranked_picks
from catalogs.selection import Bought
from contacts.reactions import Refusals
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

    def test_show_as_new_what_is_of_another_kind_and_never_what_reads_like_a_favourite(self):
        shelf = {
            **SHELF,
            20: offer(20, "Mléko", name="Mléko 4 1 l"),
            4: offer(4, "Mléko", name="Mléko 4 2 l"),
            21: offer(21, "Mléko", name="Mléko ovčí"),
        }
        picks, news = ranked_picks(
            MemberOffers(ranked(4), ranked(20, 21, 9, kind="group")), shelf, bought=BOUGHT
        )
        assert [pick.offer.article_id for pick in picks] == [4]
        assert [pick.offer.article_id for pick in news] == [9, 21]

    def test_show_nothing_that_the_store_has_not(self):
        picks, news = ranked_picks(MemberOffers(ranked(3, 99), ranked(98, 9)), SHELF, bought=BOUGHT)
        assert [pick.offer.article_id for pick in (*picks, *news)] == [3, 9]

    def test_give_more_that_is_new_to_who_has_no_favourites_yet(self):
        lists = MemberOffers((), ranked(*range(12), kind="group"))
        picks, news = ranked_picks(lists, SHELF, bought=())
        assert (picks, [pick.offer.article_id for pick in news]) == ((), list(range(9)))

    def test_call_nothing_new_that_was_bought(self):
        _picks, news = ranked_picks(MemberOffers((), ranked(1, 10)), SHELF, bought=BOUGHT)
        assert [pick.offer.article_id for pick in news] == [10]

    def test_say_what_of_the_members_own_a_rule_ties_them_to(self):
        tied = (RankedOffer(9, 1.0, Reason("goes_with", 0, "Čaj")),)
        _picks, (pick,) = ranked_picks(MemberOffers((), tied), SHELF, bought=BOUGHT)
        assert (pick.reason, pick.other) == (Reason("goes_with", 0, "Čaj"), "Čaj 0")
        (again,), _news = ranked_picks(
            MemberOffers((RankedOffer(1, 1.0, Reason("goes_with", 0)),)), SHELF, bought=BOUGHT
        )
        assert (again.why, again.reason, again.other) == ("recent", Reason("goes_with", 0, "Čaj"), "Čaj 0")

    def test_name_nothing_private(self):
        tied = (RankedOffer(9, 1.0, Reason("goes_with", 0, "Čaj")),)
        for private in (offer(0, "Čaj", private=True), offer(0, "BEERS/ALES"), offer(0, "Pleny")):
            _picks, (pick,) = ranked_picks(MemberOffers((), tied), SHELF | {0: private}, bought=BOUGHT)
            assert (pick.reason, pick.other) == (Reason("goes_with"), "")
        group = (RankedOffer(9, 1.0, Reason("group", None, "BEERS/ALES")),)
        _picks, (pick,) = ranked_picks(MemberOffers((), group), SHELF, bought=BOUGHT)
        assert pick.reason == Reason("group")

    def test_name_nothing_that_was_refused_or_brought_back(self):
        # What was refused lies on nobody's own shelf.
        shelf = {number: each for number, each in SHELF.items() if number != 0}
        tied = MemberOffers((), (RankedOffer(9, 1.0, Reason("goes_with", 0, "Čaj")),))
        group = MemberOffers((), (RankedOffer(9, 1.0, Reason("group", None, "Čaj")),))
        by_article, by_category = Refusals(articles=frozenset({0})), Refusals(categories=frozenset({"Čaj"}))
        for ranked_by, hushed in (
            (tied, {"refused": by_article}),
            (tied, {"refused": by_category}),
            (tied, {"back": {0}}),
            (group, {"refused": by_category}),
        ):
            _picks, (pick,) = ranked_picks(ranked_by, shelf, bought=BOUGHT, **hushed)
            assert (pick.reason, pick.other) == (Reason(ranked_by.new[0].reason.kind), "")

    def test_offer_nothing_that_the_chain_holds_private(self):
        shelf = SHELF | {9: offer(9, "Med", private=True)}
        _picks, news = ranked_picks(MemberOffers((), ranked(9, 10)), shelf, bought=BOUGHT)
        assert [pick.offer.article_id for pick in news] == [10]

    def test_speak_of_a_category_where_the_store_has_not_the_article(self):
        tied = (RankedOffer(9, 1.0, Reason("goes_with", 99, "Čaj")),)
        _picks, (pick,) = ranked_picks(MemberOffers((), tied), SHELF, bought=BOUGHT)
        assert (pick.reason, pick.other) == (Reason("goes_with", 99, "Čaj"), "")
