from dataclasses import replace
from datetime import date

from catalogs.booklets import Offer, Pick
from catalogs.selection import NEWS, PICKS, Bought, choose_news, choose_offers, choose_picks
from core.money import Money

TODAY = date(2026, 11, 21)
KINDS = ("Čaj", "Sýry", "Těstoviny", "Chléb", "Mléko", "Banány", "Káva", "Rýže", "Med", "Vejce")


def offer(number: int, category: str, *, name: str | None = None, price: int | None = 1990) -> Offer:
    money = None if price is None else Money(price, "CZK")
    return Offer(
        number, name or f"{category} {number}", category, None, None, None, "pcs", None, money, listed=True
    )


def shelf(*offers: Offer) -> dict[int, Offer]:
    return {one.article_id: one for one in offers}


class TestChooseOffers:
    def test_lets_the_theme_come_first_and_fills_up_with_the_rest(self):
        have = shelf(offer(1, "Čaj"), offer(2, "Sýry"), offer(3, "Čaj"))
        chosen = choose_offers([1, 2, 3], have, categories=["Sýry"], count=9)
        assert [one.article_id for one in chosen] == [2, 1, 3]

    def test_offers_only_what_the_shop_has(self):
        assert choose_offers([7, 8], shelf(offer(8, "Čaj")), categories=(), count=9)[0].article_id == 8

    def test_mixes_kinds_so_that_neighbours_differ(self):
        have = shelf(*(offer(number, "Čaj") for number in range(1, 6)), offer(9, "Sýry"))
        chosen = choose_offers([1, 2, 3, 4, 5, 9], have, categories=(), count=9)
        assert [one.article_id for one in chosen][:3] == [1, 2, 9]

    def test_never_shows_what_must_not_be_advertised(self):
        have = shelf(offer(1, "CIGARETTES"), offer(2, "INFANT FORMULA"), offer(3, "FUEL"), offer(4, "Čaj"))
        chosen = choose_offers([1, 2, 3, 4], have, categories=["CIGARETTES"], count=9)
        assert [one.article_id for one in chosen] == [4]

    def test_shows_no_alcohol_by_itself_even_to_those_who_buy_it(self):
        have = shelf(offer(1, "Piva"), offer(2, "BEERS/ALES"), offer(3, "Čipsy"))
        chosen = choose_offers([2, 3], have, categories=["BEERS/ALES", "Čipsy"], count=9)
        assert [one.article_id for one in chosen] == [3]

    def test_shows_nothing_by_itself_that_the_chain_holds_private(self):
        have = shelf(replace(offer(1, "Čaj"), private=True), offer(2, "Sýry"))
        assert [one.article_id for one in choose_offers([1, 2], have, categories=["Čaj"], count=9)] == [2]

    def test_never_repeats_a_name_nor_shows_what_has_no_price(self):
        have = shelf(offer(1, "Čaj", name="Čaj"), offer(2, "Čaj", name="Čaj"), offer(3, "Med", price=None))
        assert len(choose_offers([1, 2, 3], have, categories=(), count=9)) == 1


class TestChoosePicks:
    def test_are_what_the_member_bought_most_lately(self):
        have = shelf(*(offer(number, kind) for number, kind in enumerate(KINDS)))
        bought = [Bought(number, 10 - number, 5, TODAY) for number in range(10)]
        picks = choose_picks(bought, have)
        assert [pick.offer.article_id for pick in picks] == list(range(PICKS))

    def test_say_often_only_from_three_baskets_on(self):
        have = shelf(offer(1, "Čaj"), offer(2, "Sýry"))
        picks = choose_picks([Bought(1, 2.0, 3, TODAY), Bought(2, 1.0, 2, TODAY)], have)
        assert [pick.why for pick in picks] == ["often", "recent"]

    def test_leave_out_what_the_shop_has_not_and_what_was_brought_back(self):
        have = shelf(offer(1, "Čaj"), offer(2, "Sýry"))
        bought = [Bought(number, 1.0, 9, TODAY) for number in (1, 2, 3)]
        assert [pick.offer.article_id for pick in choose_picks(bought, have, refused={1})] == [2]

    def test_tell_nobody_about_medicine_babies_or_wine(self):
        have = shelf(
            offer(1, "ANALGESICS"),
            offer(2, "DIAPERS & DISPOSABLES"),
            offer(3, "Vína"),
            offer(4, "FEMININE HYGIENE"),
        )
        assert choose_picks([Bought(number, 9.0, 9, TODAY) for number in (1, 2, 3, 4)], have) == ()


class TestChooseNews:
    def news(self, ranking, have, **changes):
        options = {"known": set(), "own_categories": (), "beside": {}} | changes
        return choose_news(ranking, have, **options)

    def test_are_never_what_the_member_knows(self):
        have = shelf(*(offer(number, kind) for number, kind in enumerate(KINDS)))
        news = self.news(range(10), have, known={0, 1, 2})
        assert [pick.offer.article_id for pick in news] == [3, 4, 5]
        assert len(news) == NEWS

    def test_come_first_where_a_rule_ties_them_to_what_the_member_buys(self):
        have = shelf(offer(1, "Čaj"), offer(2, "Med"))
        news = self.news([1, 2], have, own_categories=["Sušenky"], beside={"Med": ["Sušenky"]})
        assert [(pick.offer.article_id, pick.beside) for pick in news] == [(2, "Sušenky"), (1, None)]

    def test_are_of_other_kinds_than_the_picks(self):
        have = shelf(offer(1, "Čaj"), offer(2, "Čaj"), offer(3, "Med"))
        news = self.news([2, 3], have, picks=[Pick(have[1], "often")])
        assert [pick.offer.article_id for pick in news] == [3]

    def test_do_not_name_alcohol_as_the_reason(self):
        have = shelf(offer(1, "Čipsy"))
        news = self.news([1], have, own_categories=["BEERS/ALES"], beside={"Čipsy": ["BEERS/ALES"]})
        assert news[0].beside is None
