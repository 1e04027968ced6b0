"""The sentences of an issue in one language: headlines, prices, where they come from, until when they hold."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from babel.dates import format_interval
from babel.lists import format_list
from babel.numbers import format_percent

from catalogs.issues import FilledPage, Issue, Offer, Reduced
from catalogs.motif_words import motif_word
from catalogs.motifs import Use
from catalogs.names import bind_headline, print_name
from catalogs.occasions import occasion_of, occasion_words, part_of
from catalogs.pages import (
    CoverPage,
    Footer,
    Greeting,
    Headline,
    Item,
    Picture,
    Reduction,
    Teaser,
    ThemedPage,
    Validity,
)
from catalogs.prices import HARD, find_measure, set_price
from core.i18n import show_money, translations
from core.money import Money

COVER_PICTURES = 5
PAGE_PICTURES = 3
COVER_SHOWN = 12
"""From where the first so many articles come, the cover says."""
NAMED = Decimal("0.6")
"""A headline names kinds of things only if so much of what stands on the page is of them."""
AMONG = {"lemons": "oranges", "blueberries": "berries", "hot-dogs": "sausages", "bagels": "rolls"}
"""What is among other things, in headlines that name these."""
FEW = 3
"""A page with fewer articles does not tell an occasion by itself."""
LEAST_SHARE = Decimal("0.05")
"""A reduction by less is not worth a sign of its own."""


class PageWords:
    """The sentences of one issue in one language."""

    def __init__(self, issue: Issue, language: str) -> None:
        self.language = language
        self.issue = issue
        self.translations = translations(language)
        self.period = show_period(issue.valid_from, issue.valid_to - timedelta(days=1), language)
        self._told: set[str] = set()

    def cover(self, shown: Sequence[Offer], inside: Collection[Offer] = ()) -> CoverPage:
        """
        Return the first page of a booklet that shows these offers, without a name on it.

        In front lies one of what the headline names, of another kind than those that are large `inside` where there
        is one, with its price, rather a reduced one.
        """
        _ = self.translations.gettext
        kicker = _("What goes together") if self.is_theme(shown[:5]) else _("Fresh from your shop")
        first = shown[:COVER_SHOWN]
        part = part_of([offer.motif.key for offer in first])
        told = part.kinds if part else self._named_kinds(shown, 3)
        large = {offer.motif.picture for offer in inside}
        front = sorted(
            (offer for offer in shown if offer.personal),
            key=lambda offer: (
                offer.motif.key not in told,
                offer.motif.picture in large,
                offer.reduced is None,
            ),
        )
        # What is named is seen, one of each kind, before anything else.
        named = {offer.motif.key: offer for offer in shown if offer.motif.key in told}
        pictures = pictures_of([*front[:1], *named.values(), *shown], COVER_PICTURES)
        seen = (offer for offer in shown if offer.price and pictures[0].path == f"{offer.motif.picture}.svg")
        teaser = next((offer for offer in (*front[:1], *seen) if offer.price), None)
        if part:
            self._told.add(part.key)
        return CoverPage(
            headline=Headline(
                bind_headline(occasion_words(part.key, self.language))
                if part
                else self.kinds_headline(shown, 3),
                kicker,
            ),
            greeting=Greeting("", "", ""),
            validity=Validity(self.period, self.issue.shop),
            pictures=pictures,
            teaser=self._teaser(teaser) if teaser else None,
        )

    def _teaser(self, offer: Offer) -> Teaser | None:
        item = item_of(offer, self.language)
        word = motif_word(offer.motif.key, self.language)
        name = item.label.name if len(item.label.name) <= 30 else capital(word)
        return Teaser(name, item.price) if item.price else None

    def themed_pages(self, pages: Sequence[FilledPage]) -> tuple[ThemedPage, ...]:
        """Return the pages of the group's theme, which come after the cover."""
        facing = [*pages[1:], None][: len(pages)]
        return tuple(
            # What little stands on a left page is for the same occasion as what it faces.
            self._themed_page(page, other if number % 2 == 0 else None, number)
            for number, (page, other) in enumerate(zip(pages, facing, strict=True), start=2)
        )

    def _themed_page(self, page: FilledPage, facing: FilledPage | None, number: int) -> ThemedPage:
        _ = self.translations.gettext
        kickers = (
            (_("Often bought together"), _("Fits well with it"), _("For your next shopping"))
            if self.is_theme(page.offers)
            else (_("Much bought in your shop"), _("For your next shopping"), _("Fresh from your shop"))
        )
        mixed = is_mixed(page.offers)
        return ThemedPage(
            layout=page.layout,
            headline=Headline(self._headline(page, facing), kickers[(number - 2) % len(kickers)]),
            items=tuple(marked_item(offer, self.language, mixed=mixed) for offer in page.offers),
            footer=footer_of(self.issue, page.offers, self.language, self.period, number),
            pictures=pictures_of(page.offers, PAGE_PICTURES),
        )

    def _headline(self, page: FilledPage, facing: FilledPage | None) -> str:
        """
        Return the words that a person wrote, else the occasion unless it was told, else what is on the page.

        That is two kinds of things where most are of these, else the part of the shop that they come from.
        """
        written = dict(page.headline).get(self.language, "").strip()
        if written:
            return bind_headline(written)
        kinds = [offer.motif.key for offer in page.offers]
        occasion = occasion_of(kinds, used=self._told)
        if occasion is None and facing is not None and len(kinds) < FEW:
            both = occasion_of([*kinds, *(offer.motif.key for offer in facing.offers)], used=self._told)
            occasion = both if both and kinds[0] in both.kinds else None
        named = sum(count for _kind, count in Counter(kinds).most_common(2)) >= NAMED * len(kinds)
        occasion = occasion or (None if named else part_of(kinds, used=self._told))
        if occasion is None:
            # More of what was told on another page is told by what it is.
            told = None if named else occasion_of(kinds) or part_of(kinds)
            if not (named or told):
                return self._general()
            return self.kinds_headline(
                [offer for offer in page.offers if told is None or offer.motif.key in told.kinds], 2
            )
        self._told.add(occasion.key)
        return bind_headline(occasion_words(occasion.key, self.language))

    def _general(self) -> str:
        """Return a headline for a page of all sorts of things, another one each time."""
        _ = self.translations.gettext
        words = (
            _("For your shopping list"),
            _("Good to have at home"),
            _("A bit of everything"),
            _("For the days ahead"),
            _("Everyday favourites"),
            _("Worth a look"),
        )
        chosen = next((each for each in words if each not in self._told), words[-1])
        self._told.add(chosen)
        return bind_headline(chosen)

    def kinds_headline(self, offers: Sequence[Offer], words: int) -> str:
        """
        Return what `offers` are about, as one line: "Pasta, cheese and tomatoes".

        The group's own theme speaks first; where a shop has too little of it, what there is most of. What is
        nobody's business, such as baby food, is not said in large letters as long as there is anything else.
        """
        named = list(
            dict.fromkeys(motif_word(key, self.language) for key in self._named_kinds(offers, words))
        )
        # English lists as shops write them, without a comma before "and".
        locale = {"en": "en_GB"}.get(self.language, self.language)
        return bind_headline(capital(format_list(named, locale=locale)))

    def _named_kinds(self, offers: Sequence[Offer], most: int) -> list[str]:
        """Return which kinds of things a headline over `offers` names."""
        offers = [offer for offer in offers if offer.motif.use is Use.EVERYWHERE] or offers
        order = list(dict.fromkeys(offer.motif.key for offer in offers))
        counted = Counter(offer.motif.key for offer in offers)
        own = Counter(offer.motif.key for offer in offers if offer.category in self.issue.categories)
        keys = sorted(order, key=lambda key: (-own[key], -counted[key], order.index(key)))
        return [key for key in keys if AMONG.get(key) not in keys][:most]

    def is_theme(self, offers: Sequence[Offer]) -> bool:
        """Return whether most of `offers` belong to what the group often buys together."""
        own = sum(offer.category in self.issue.categories for offer in offers)
        return own * 2 > len(offers)


def footer_of(issue: Issue, offers: Sequence[Offer], language: str, period: str, number: int) -> Footer:
    """Return the foot of a page, which says until when its prices hold and where they come from."""
    _ = translations(language).gettext
    sources = {offer.listed for offer in offers if offer.price}
    shop = {"shop": issue.shop}
    if not sources:
        prices = issue.shop
    elif sources == {True}:
        prices = _("Prices in %(shop)s, while stocks last.") % shop
    elif sources == {False}:
        prices = _("Prices are those last paid in %(shop)s; the price on the shelf holds.") % shop
    else:
        prices = _("* Price last paid in %(shop)s; the price on the shelf holds.") % shop
    if any(offer.reduced for offer in offers):
        counted = _("Reductions are counted from the lowest price of the last 30 days.")
        prices = f"{prices} {counted}"
    return Footer(_("Valid %(period)s") % {"period": period}, prices, number)


def is_mixed(offers: Sequence[Offer]) -> bool:
    """Return whether some prices are of the list and others are not, so that these need a mark."""
    return len({offer.listed for offer in offers if offer.price}) > 1


def marked_item(offer: Offer, language: str, *, mixed: bool, reason: str = "") -> Item:
    """Return the item of an offer, its price marked where that is not of the list and others are."""
    item = item_of(offer, language, "*" if mixed and not offer.listed else "")
    return replace(item, reason=reason) if reason else item


@lru_cache(maxsize=20_000)
def item_of(offer: Offer, language: str, mark: str = "") -> Item:
    """Return an offer as it is printed."""
    picture = Picture("photo", offer.photo) if offer.photo else Picture("motif", f"{offer.motif.picture}.svg")
    price = (
        set_price(offer.price, language, measure=find_measure(offer.name), sold_by=offer.unit, mark=mark)
        if offer.price
        else None
    )
    reduction = _reduction(offer.price, offer.reduced, language) if offer.price and offer.reduced else None
    label = print_name(offer.name, brand=offer.brand, language=language)
    return Item(offer.article_id, picture, label, price, reduction=reduction)


def _reduction(price: Money, reduced: Reduced, language: str) -> Reduction:
    """Return what is said of a reduction; its share is that of the lowest price, never rounded up."""
    share = Decimal(reduced.lowest.minor - price.minor) / reduced.lowest.minor
    said = format_percent(share.quantize(Decimal("0.01"), ROUND_DOWN), locale=language)
    return Reduction(
        share=f"\N{MINUS SIGN}{said}" if share >= LEAST_SHARE else "",
        old=show_money(reduced.old, language).replace(" ", HARD),
        lowest=translations(language).gettext("Lowest price of the last 30 days: %(money)s")
        % {"money": show_money(reduced.lowest, language).replace(" ", HARD)},
    )


def pictures_of(offers: Sequence[Offer], count: int) -> tuple[Picture, ...]:
    """Return up to `count` different drawings in the order of the offers, what anybody may see first."""
    ordered = sorted(offers, key=lambda offer: offer.motif.use is not Use.EVERYWHERE)
    paths = dict.fromkeys(offer.motif.picture for offer in ordered)
    return tuple(Picture("motif", f"{path}.svg") for path in list(paths)[:count])


@lru_cache(maxsize=256)
def show_period(first: date, last: date, language: str) -> str:
    """Return the days from `first` to `last`, unbreakable."""
    return (
        str(format_interval(first, last, "yMMMd", locale=language))
        .replace("\N{THIN SPACE}", HARD)
        .replace(" ", HARD)
    )


def capital(text: str) -> str:
    """Return `text` with a capital first letter."""
    return text[:1].upper() + text[1:]
