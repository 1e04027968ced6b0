from dataclasses import replace
from datetime import date

import pytest

from catalogs.booklets import Reader, make_booklet
from catalogs.issues import Pick, Reduced
from catalogs.layouts import load_theme
from catalogs.motifs import Use
from catalogs.page_words import PageWords
from catalogs.pages import CoverPage, PersonalPage, PrintedVoucher, ThemedPage, VouchersPage
from catalogs.previews import preview_booklet, preview_parts
from core.i18n import LANGUAGES
from core.money import Money

THEME = load_theme("trh")
VOUCHER = PrintedVoucher(
    "V7K2M9Q4X", "na příští nákup", Money(10000, "CZK"), Money(80000, "CZK"), date(2026, 12, 6), "code128"
)


def booklet(offers=None, *, reader=None, language="cs", **changes):
    issue, picks, news = preview_parts(THEME, language, offers=offers)
    reader = reader or Reader("Jana Nováková", language, 12, "2912345678906")
    return make_booklet(THEME, replace(issue, **changes), reader, picks=picks, news=news)


class TestMakeBooklet:
    @pytest.mark.parametrize(
        ("offers", "pages"), [(38, 8), (33, 8), (24, 6), (23, 6), (11, 4), (10, 4), (5, 3), (2, 3), (0, 2)]
    )
    def test_has_as_many_pages_as_the_shop_fills(self, offers, pages):
        made = booklet(offers)
        assert len(made.pages) == pages
        assert len(made.pages) <= 8

    @pytest.mark.parametrize("offers", range(39))
    def test_leaves_no_place_empty_while_there_are_offers(self, offers):
        for page in booklet(offers).pages:
            if isinstance(page, ThemedPage) and offers >= 3:
                assert len(page.items) == THEME.room(page.layout)

    def test_shows_no_article_twice_on_the_pages_of_the_group(self):
        shown = [
            item.article_id for page in booklet().pages if isinstance(page, ThemedPage) for item in page.items
        ]
        assert len(shown) == len(set(shown))

    def test_says_why_beside_every_personal_pick(self):
        personal = booklet().pages[-1]
        assert isinstance(personal, PersonalPage)
        assert all(item.reason for item in (*personal.picks, *personal.news))
        assert personal.picks[0].reason == "Často kupujete: čaj"

    def test_says_whether_prices_are_listed_or_last_paid(self):
        issue, picks, news = preview_parts(THEME, "cs")
        reader = Reader("Jana", "cs", None, None)

        def pages(*offers):
            made = make_booklet(THEME, replace(issue, offers=offers), reader, picks=picks, news=news)
            return [page for page in made.pages if isinstance(page, ThemedPage)]

        paid = [replace(offer, listed=False) for offer in issue.offers]
        assert "do vyprodání zásob" in pages(*issue.offers)[0].footer.prices
        assert "naposledy zaplacené" in pages(*paid)[0].footer.prices
        mixed = [page for page in pages(paid[0], *issue.offers[1:]) if page.footer.prices.startswith("*")]
        assert len(mixed) == 1
        marked = [item.article_id for item in mixed[0].items if item.price.mark == "*"]
        assert marked == [paid[0].article_id]

    @pytest.mark.parametrize("points", [None, 0, -7])
    def test_leaves_out_points_that_are_nothing_to_boast_of(self, points):
        made = booklet(reader=Reader("Jana", "cs", points, None))
        assert made.pages[0].greeting.line == "Tento katalog vznikl přímo pro vás."
        assert made.pages[-1].points is None
        assert made.pages[-1].card is None

    @pytest.mark.parametrize(
        ("points", "line"),
        [(1, "Máte 1 bod."), (3, "Máte 3 body."), (5, "Máte 5 bodů."), (1284, "Máte 1\xa0284 bodů.")],
    )
    def test_counts_points_as_the_language_does(self, points, line):
        assert booklet(reader=Reader("Jana", "cs", points, None)).pages[0].greeting.line == line

    def test_names_on_the_cover_what_the_group_is_about(self):
        made = booklet(categories=("Sýry", "Máslo"))
        assert made.pages[0].headline.text.startswith("Sýry")

    def test_claims_that_things_are_bought_together_only_of_a_theme(self):
        assert booklet().pages[1].headline.kicker == "Často se kupuje spolu"
        assert booklet(categories=()).pages[1].headline.kicker == "Ve vaší prodejně se hodně kupuje"

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_puts_the_price_on_the_cover_that_belongs_to_the_picture(self, language):
        made = preview_booklet(THEME, language)
        cover, *_ = made.pages
        (shown,) = {item for _page, item in made.items() if item.price == cover.teaser.price}
        assert cover.pictures[0] == shown.picture

    def test_lays_in_front_of_the_cover_what_is_not_large_inside(self):
        made = preview_booklet(THEME, "cs")
        large = {page.items[0].picture for page in made.pages if isinstance(page, ThemedPage)}
        assert made.pages[0].pictures[0] not in large

    def test_shows_on_the_cover_every_kind_that_its_headline_names(self):
        issue = preview_parts(THEME, "pl")[0]
        # Nothing that the cover would show first is of what most of the pages are of.
        kinds = ("eggs", "bread", "juice", *["cheese"] * 3, *["beef"] * 3, *["poultry"] * 3)
        offers = tuple(
            replace(issue.offers[0], article_id=number, name=f"{kind} {number}", category=kind)
            for number, kind in enumerate(kinds, start=1)
        )
        assert {offer.motif.key for offer in offers} == set(kinds)
        shown = replace(issue, categories=(), offers=offers)
        words = PageWords(shown, "pl")
        cover = words.cover(offers, offers[:1])
        pictures = {picture.path for picture in cover.pictures[:3]}
        assert cover.headline.text == words.kinds_headline(offers, 3)
        assert pictures == {offer.motif.picture + ".svg" for offer in offers[3:]}

    def test_repeats_no_headline(self):
        headlines = [page.headline.text for page in preview_booklet(THEME, "cs").pages]
        assert len(set(headlines)) == len(headlines)

    def test_greets_by_name_with_points_and_tier_in_one_line(self):
        cover = booklet(reader=Reader("Jana", "cs", 12, None, "Zlatá", "2026-W48-x")).pages[0]
        assert (cover.greeting.name, cover.greeting.line) == ("Jana", "Máte 12 bodů. Vaše úroveň: Zlatá.")
        assert (cover.copy.code, cover.copy.barcode.symbology) == ("2026-W48-x", "QR")

    def test_has_eight_pages_with_vouchers_and_without(self):
        issue, picks, news = preview_parts(THEME, "cs")
        reader = Reader("Jana", "cs", 12, "2912345678906")

        def kinds(*vouchers):
            made = make_booklet(THEME, issue, reader, picks=picks, news=news, vouchers=vouchers)
            return [type(page) for page in made.pages]

        assert kinds() == [CoverPage, *[ThemedPage] * 6, PersonalPage]
        assert kinds(VOUCHER) == [CoverPage, *[ThemedPage] * 5, PersonalPage, VouchersPage]

    def test_says_what_a_voucher_is_worth_from_when_on_and_until_when(self):
        issue, picks, news = preview_parts(THEME, "cs")
        reader = Reader("Jana", "cs", 12, "2912345678906")
        gift = replace(VOUCHER, value=None, minimum=None, name="Káva zdarma", symbology="qr", stores="Brno")
        page = make_booklet(THEME, issue, reader, picks=picks, news=news, vouchers=[VOUCHER, gift]).pages[-1]
        first, second = page.vouchers
        assert (first.value, first.minimum) == ("100\xa0Kč", "při nákupu od 800\xa0Kč")
        assert first.validity == "platí do 6.\xa012.\xa02026"
        assert (first.barcode.symbology, first.barcode.text) == ("Code 128", "V7K2M9Q4X")
        assert (second.value, second.name, second.barcode.symbology) == ("Káva zdarma", "", "QR")
        assert "Brno" in second.minimum

    def test_gives_all_readers_of_an_issue_the_very_same_themed_pages(self):
        issue, picks, news = preview_parts(THEME, "cs")
        one, other = (
            make_booklet(THEME, issue, Reader(name, "cs", 1, None), picks=picks, news=news) for name in "AB"
        )
        assert all(mine is theirs for mine, theirs in zip(one.pages[1:-1], other.pages[1:-1], strict=True))

    def test_shows_nothing_private_on_the_personal_page_whoever_picked_it(self):
        issue, picks, news = preview_parts(THEME, "cs")
        private = [
            replace(picks[0].offer, article_id=900 + number, name=name, category=name)
            for number, name in enumerate(("Pivo", "Víno", "Cigarety"))
        ]
        assert all(offer.motif.use is not Use.EVERYWHERE for offer in private)
        private.append(replace(picks[0].offer, private=True))
        made = make_booklet(
            THEME,
            issue,
            Reader("A", "cs", 1, None),
            picks=[Pick(offer, "often") for offer in private],
            news=news,
        )
        page = made.pages[-1]
        assert [item.article_id for item in (*page.picks, *page.news)] == [
            pick.offer.article_id for pick in news
        ]

    def test_leaves_no_half_of_the_personal_page_empty_where_little_is_new_and_nothing_is_known(self):
        issue, _picks, news = preview_parts(THEME, "cs")
        page = make_booklet(THEME, issue, Reader("A", "cs", 1, None), picks=(), news=news[:2]).pages[-1]
        assert (len(page.picks), len(page.news)) == (2, 0)
        assert (page.picks_title.text, page.news_title) == ("Zkusíte něco nového?", None)

    def test_fills_the_personal_page_with_what_is_new_where_there_are_no_favourites(self):
        issue, picks, news = preview_parts(THEME, "cs")
        more = [replace(pick, why="new") for pick in (*news, *picks)]
        page = make_booklet(THEME, issue, Reader("A", "cs", 1, None), picks=(), news=more).pages[-1]
        assert (len(page.picks), len(page.news)) == (6, len(more) - 6)
        assert (page.picks_title.text, page.news_title) == ("Zkusíte něco nového?", None)

    def test_says_nothing_private_in_large_letters(self):
        issue, *_ = preview_parts(THEME, "cs")
        beer = [
            replace(offer, category="Pivo", type=None, name=f"Pivo {number}")
            for number, offer in enumerate(issue.offers[:3])
        ]
        made = make_booklet(
            THEME,
            replace(issue, offers=(*beer, *issue.offers[3:]), categories=("Pivo",)),
            Reader("A", "cs", 1, None),
            picks=(),
            news=(),
        )
        assert "pivo" not in made.pages[0].headline.text.casefold()

    def test_says_old_and_lowest_price_and_the_share_of_the_lowest_where_a_reduction_is_claimed(self):
        issue, *_ = preview_parts(THEME, "cs")
        offer = replace(
            issue.offers[0],
            price=Money(1990, "CZK"),
            reduced=Reduced(Money(2990, "CZK"), Money(2490, "CZK")),
        )
        changed = replace(issue, offers=(offer, *issue.offers[1:]))
        made = make_booklet(THEME, changed, Reader("A", "cs", 1, None), picks=(), news=())
        shown = {item.article_id: item for _, item in made.items()}
        assert shown[offer.article_id].reduction.share == "\N{MINUS SIGN}20\xa0%"
        assert shown[offer.article_id].reduction.old == "29,90\xa0Kč"
        assert shown[offer.article_id].reduction.lowest.endswith("30\xa0dní: 24,90\xa0Kč")
