from collections import Counter
from types import MappingProxyType

from catalogs.filling import ALIKE_IN_ALL, Good, Wanted, fill_pages, goods_of, places_for, plan_places
from catalogs.issues import Offer
from catalogs.layouts import load_theme
from catalogs.motifs import Use
from catalogs.occasions import OCCASIONS, PARTS, occasion_of, part_of
from catalogs.previews import preview_parts
from core.money import Money

THEME = load_theme("trh")
OFFERS = preview_parts(THEME, "cs")[0].offers
SHELF = {offer.article_id: offer for offer in OFFERS}
KINDS = {offer.article_id: offer.motif.key for offer in OFFERS}


def offer(number, name, category, **changes):
    given = {"department": None, "brand": None, "unit": "pcs", "photo": None, "listed": True} | changes
    return Offer(number, name, category, None, price=Money(1990, "CZK"), **given)


def fill(wanted, shelf=SHELF, spare=OFFERS, **kinds):
    known = KINDS | {int(key[1:]): kind for key, kind in kinds.items()}
    return fill_pages(THEME, [Wanted(*page) for page in wanted], shelf, spare, kinds=known)


class TestPlanPlaces:
    def test_puts_what_belongs_to_an_occasion_on_one_spread(self):
        goods = goods_of(OFFERS, {"Těstoviny", "Sýry", "Rajčata"})
        first = plan_places(THEME, goods)[0]
        assert first.layout == THEME.data["default_pages"][0][0]
        assert len(first.articles) == THEME.room(first.layout)

    def test_takes_nothing_twice(self):
        planned = plan_places(THEME, goods_of(OFFERS, ()))
        taken = Counter(article for places in planned for article in places.articles)
        assert set(taken.values()) == {1}

    def test_fills_every_page_with_what_belongs_together_and_no_kind_again_and_again(self):
        kinds = [*OCCASIONS[0].kinds, *PARTS[0].kinds, *PARTS[-1].kinds, *OCCASIONS[7].kinds]
        goods = [Good(number, kinds[number % len(kinds)], own=False) for number in range(10 * len(kinds))]
        goods = [*(Good(number, "eggs", own=True) for number in range(900, 920)), *goods]
        known = {good.article_id: good.kind for good in goods}
        planned = plan_places(THEME, goods)
        pages = [[known[article] for article in places.articles] for places in planned]
        assert len(pages) == 6
        assert all(occasion_of(page) or part_of(page) for page in pages)
        assert max(Counter(kind for page in pages for kind in page).values()) <= ALIKE_IN_ALL

    def test_plans_no_spread_that_it_cannot_fill(self):
        assert plan_places(THEME, [Good(1, "tea", own=True)]) == []


class TestPlacesFor:
    def test_alternates_layouts_of_what_is_too_little_for_a_spread(self):
        layouts = [places.layout for places in places_for(THEME, OFFERS[:10], ())]
        assert layouts == ["six", "four"]


class TestFillPages:
    def test_shows_what_is_wanted_in_its_order(self):
        articles = (5, 3, 1, 2, 4, 0)
        (page,) = fill([("six", articles)])
        assert tuple(one.article_id for one in page.offers) == articles

    def test_gives_the_place_of_what_is_missing_to_its_like(self):
        cheese = [key for key, kind in KINDS.items() if kind == "cheese"]
        shelf = {key: one for key, one in SHELF.items() if key != cheese[0]}
        spare = [one for one in OFFERS if one.article_id != cheese[0]]
        (page,) = fill([("four", (0, cheese[0], 2, 3))], shelf, spare)
        assert page.offers[1].article_id == cheese[1]
        assert [page.offers[at].article_id for at in (0, 2, 3)] == [0, 2, 3]

    def test_keeps_what_other_pages_want_for_them(self):
        pages = fill([("four", (900, 901, 902, 903)), ("four", (0, 1, 2, 3))])
        assert [one.article_id for one in pages[1].offers] == [0, 1, 2, 3]
        shown = [one.article_id for page in pages for one in page.offers]
        assert len(shown) == len(set(shown)) == 8

    def test_takes_of_later_pages_what_belongs_with_a_page_of_which_the_shop_has_little(self):
        pages = fill(*self.film(), **self.FILM)
        kinds = [one.motif.key for one in pages[0].offers]
        assert kinds == ["crisps", "soft-drinks", "nuts", "sweets"]
        shown = [one.article_id for page in pages for one in page.offers]
        assert len(shown) == len(set(shown))

    def test_leaves_on_a_later_page_what_a_person_put_there(self):
        (first, (layout, articles)), shelf, spare = self.film()
        pages = fill([first, (layout, articles, (), (103, 104))], shelf, spare, **self.FILM)
        assert {103, 104} <= {one.article_id for one in pages[1].offers}

    def test_keeps_a_pinned_article_on_a_page_of_which_the_shop_has_nothing_else(self):
        _wanted, shelf, spare = self.film()
        (page,) = fill([("four", (900, 101, 901, 902), (), (101,))], shelf, spare)
        assert page.offers[1].article_id == 101

    FILM = MappingProxyType({"_901": "popcorn", "_902": "crisps", "_903": "sweets"})

    @staticmethod
    def film():
        things = ("Brambůrky", "Brambůrky"), ("Cola", "Nápoje"), ("Kešu", "Ořechy"), ("Bonbony", "Bonbony")
        film = [offer(number, *words) for number, words in enumerate(things, start=101)]
        shelf = {one.article_id: one for one in (*film, *(SHELF[key] for key in range(5, 15)))}
        wanted = [("four", (101, 901, 902, 903)), ("six", (102, 103, 104, 5, 6, 7))]
        return wanted, shelf, list(shelf.values())

    def test_takes_a_shorter_page_where_too_little_is_left_and_none_where_nothing_is(self):
        few = {key: SHELF[key] for key in range(4)}
        pages = fill([("six", (0, 1, 2, 3, 4, 5)), ("four", (6, 7, 8, 9))], few, list(few.values()))
        assert [(page.layout, len(page.offers)) for page in pages] == [("four", 4)]

    def test_gives_the_room_of_a_page_that_falls_away_to_the_fullest_of_the_others(self):
        there = {key: SHELF[key] for key in range(13)}
        wanted = [("list", tuple(range(9))), ("four", (9, 10, 11, 12)), ("six", ()), ("six", ())]
        pages = fill(wanted, there, list(there.values()))
        layouts = [page.layout for page in pages]
        assert len(pages) == 4
        assert [len(page.offers) for page in pages] == [THEME.room(layout) for layout in layouts]
        assert sorted(offer.article_id for page in pages for offer in page.offers) == list(range(13))
        assert [page.planned for page in pages] == [0, 0, 0, 1]
        assert pages[3].layout == "four"

    def test_parts_no_page_that_a_person_had_a_hand_in(self):
        there = {key: SHELF[key] for key in range(9)}
        for by_hand in ((("cs", "Naše volba"),), ()), ((), (0,)):
            pages = fill([("list", tuple(range(9)), *by_hand), ("six", ())], there, list(there.values()))
            assert [page.layout for page in pages] == ["list"]

    def test_shows_nothing_that_may_not_be_advertised_or_has_no_price(self):
        hidden = offer(1, "Cigarety", "Tabák")
        assert hidden.motif.use is Use.NEVER
        assert fill([("four", (1,))], {1: hidden}, [hidden]) == ()

    def test_keeps_the_headline_that_a_person_wrote(self):
        (page,) = fill([("four", (0, 1, 2, 3), (("cs", "Naše volba"),))])
        assert page.headline == (("cs", "Naše volba"),)
