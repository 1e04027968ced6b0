"""A copy from what is known: which pages, in the language of the member."""

from collections.abc import Sequence
from functools import lru_cache

from catalogs.filling import places_for
from catalogs.issues import FilledPage, Issue, Offer, Pick, Reader
from catalogs.layouts import Theme
from catalogs.page_words import PageWords
from catalogs.pages import Booklet, CoverPage, Page, PrintedVoucher, ThemedPage
from catalogs.personal_words import PersonalWords

__all__ = ["Issue", "Offer", "Pick", "Reader", "make_booklet"]

SHEET = 4
"""Pages of a stitched booklet come in fours."""


def make_booklet(
    theme: Theme,
    issue: Issue,
    reader: Reader,
    *,
    picks: Sequence[Pick],
    news: Sequence[Pick],
    vouchers: Sequence[PrintedVoucher] = (),
) -> Booklet:
    """
    Return the copy of `reader`: cover, themed pages, personal page, vouchers.

    The themed pages are the same objects for all readers of the very same issue in a language. What is the reader's
    own comes last, on the outside, where card and vouchers are at hand. Where the vouchers' page would be
    one more than fills the sheets, it takes the place of the last themed page.
    """
    cover, themed, period = _common(theme, _Same(issue), reader.language)
    if vouchers and len(themed) > 1 and (len(themed) + 3) % SHEET == 1:
        themed = themed[:-1]
    words = PersonalWords(reader, issue, period)
    picks, news = _personal(picks), _personal(news)
    shown = any(page.items for page in themed)
    pages: list[Page] = [
        words.greeted(cover if shown else words.cover_of([pick.offer for pick in picks])),
        *themed,
    ]
    if picks or news or reader.card_number:
        pages.append(words.personal_page(picks, news, number=len(pages) + 1))
    if vouchers:
        most = theme.room("vouchers")
        pages.append(words.vouchers_page(vouchers[:most], theme=theme, number=len(pages) + 1))
    return Booklet(reader.language, f"{period} · {issue.shop}", issue.colour, tuple(pages))


def _personal(picks: Sequence[Pick]) -> list[Pick]:
    """Return `picks` without what a member's own page never shows, whoever chose them."""
    return [pick for pick in picks if pick.offer.personal]


class _Same:
    """An issue by its identity: its readers follow each other with the very same one, and to compare issues takes long."""

    __slots__ = ("issue",)

    def __init__(self, issue: Issue) -> None:
        self.issue = issue

    def __hash__(self) -> int:
        return id(self.issue)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.issue is other.issue


@lru_cache(maxsize=256)
def _common(theme: Theme, same: _Same, language: str) -> tuple[CoverPage, tuple[ThemedPage, ...], str]:
    """Return what all readers of an issue in a language see: the cover without a name, the themed pages, the period."""
    issue = same.issue
    words = PageWords(issue, language)
    pages = issue.pages or _filled(theme, issue)
    shown = [offer for page in pages for offer in page.offers]
    large = [page.offers[0] for page in pages if page.offers]
    return words.cover(shown, large), words.themed_pages(pages), words.period


def _filled(theme: Theme, issue: Issue) -> tuple[FilledPage, ...]:
    """Return the pages of an issue that knows only which offers there are."""
    offers = {offer.article_id: offer for offer in issue.offers}
    return tuple(
        FilledPage(places.layout, tuple(offers[article] for article in places.articles))
        for places in places_for(theme, issue.offers, issue.categories)
    )
