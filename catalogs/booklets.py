"""A copy from what is known: which words, which pages, in the language of the member."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_interval, format_skeleton
from babel.lists import format_list

from catalogs.barcodes import card_barcode
from catalogs.layouts import Theme
from catalogs.motif_words import motif_word
from catalogs.motifs import Motif, Use, find_motif, motif_of
from catalogs.names import bind_headline, print_name, quiet, shouts
from catalogs.pages import (
    Booklet,
    CardStrip,
    CoverPage,
    Footer,
    Greeting,
    Headline,
    Item,
    Label,
    Page,
    PersonalPage,
    Picture,
    Points,
    Teaser,
    ThemedPage,
    Validity,
)
from catalogs.prices import HARD, find_measure, set_price
from core.i18n import show_number, translations
from core.money import Money

COVER_PICTURES = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """An article as a shop has it; `listed` tells a price of the price list from one last paid."""

    article_id: int
    name: str
    category: str | None
    type: str | None
    department: str | None
    brand: str | None
    unit: str
    photo: str | None
    price: Money | None
    listed: bool

    @property
    def motif(self) -> Motif:
        """Return the kind of thing it is."""
        return find_motif(type=self.type, category=self.category, department=self.department, name=self.name)


@dataclass(frozen=True, slots=True)
class Pick:
    """An offer chosen for one member, and why: `often`, `recent` (with the day) or `new`."""

    offer: Offer
    why: str
    day: date | None = None
    beside: str | None = None
    """For `new`: the category that the member buys and that a rule ties it to."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a copy is for; what is not known is None and left out."""

    name: str
    language: str
    points: int | None
    card_number: str | None


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition as the members of one shop see it."""

    colour: int
    categories: tuple[str, ...]
    """What the group is about, the best tied first; empty for members without a common theme."""
    shop: str
    valid_from: date
    valid_to: date
    """The first day on which it no longer holds."""
    offers: tuple[Offer, ...]
    """What may fill the themed pages, the strongest first."""


def make_booklet(
    theme: Theme, issue: Issue, reader: Reader, *, picks: Sequence[Pick], news: Sequence[Pick]
) -> Booklet:
    """
    Return the copy of `reader`: cover, as many themed pages as `issue` honestly fills, personal page.

    The personal page comes last, on the outside, where the card is at hand.
    """
    words = _Words(reader.language, issue)
    pages: list[Page] = []
    shown = list(issue.offers)
    for layout, offers in _dealt(theme, shown):
        pages.append(words.themed_page(layout, offers, number=len(pages) + 2, turn=len(pages)))
    cover = words.cover(reader, [offer for page in _dealt(theme, shown) for offer in page[1]], picks)
    if picks or news or reader.card_number:
        pages.append(words.personal_page(reader, picks, news, number=len(pages) + 2))
    return Booklet(reader.language, f"{words.period} · {issue.shop}", issue.colour, (cover, *pages))


def _dealt(theme: Theme, offers: list[Offer]) -> list[tuple[str, list[Offer]]]:
    """
    Return the layouts of the themed pages with their offers, only pages that are full.

    Pages come in spreads of two while there is enough; what is too little for a spread fills single
    pages of ever fewer places. Only the one page of a shop with next to nothing has room left.
    """
    dealt: list[tuple[str, list[Offer]]] = []
    left = list(offers)

    def deal(layout: str) -> None:
        room = theme.room(layout)
        dealt.append((layout, left[:room]))
        del left[:room]

    for spread in theme.data["default_pages"]:
        if sum(theme.room(layout) for layout in spread) > len(left):
            break
        for layout in spread:
            deal(layout)
    if not dealt:
        while left and len(dealt) < 2:
            fitting = [name for name in theme.data["short_pages"] if theme.room(name) <= len(left)]
            if dealt and not fitting:
                break
            deal(fitting[0] if fitting else theme.data["short_pages"][-1])
    return dealt


class _Words:
    """The sentences of one issue in one language."""

    def __init__(self, language: str, issue: Issue) -> None:
        self.language = language
        self.issue = issue
        self.translations = translations(language)
        self.period = _period(issue.valid_from, issue.valid_to - timedelta(days=1), language)

    def cover(self, reader: Reader, offers: Sequence[Offer], picks: Sequence[Pick]) -> CoverPage:
        _ = self.translations.gettext
        shown = offers or [pick.offer for pick in picks]
        kicker = _("What goes together") if self.is_theme(shown[:5]) else _("Fresh from your shop")
        pictures = _pictures(shown, COVER_PICTURES)
        # The price on the cover is that of what is seen there in front.
        front = (offer for offer in shown if offer.price and pictures[0].path == f"{offer.motif.picture}.svg")
        teaser = next(front, None)
        return CoverPage(
            headline=Headline(self.headline(shown, 3), kicker),
            greeting=Greeting(_("Hello,"), reader.name, self.points_line(reader.points)),
            validity=Validity(self.period, self.issue.shop),
            pictures=pictures,
            teaser=self.teaser(teaser) if teaser else None,
        )

    def teaser(self, offer: Offer) -> Teaser | None:
        item = self.item(offer)
        word = motif_word(offer.motif.key, self.language)
        name = item.label.name if len(item.label.name) <= 30 else _capital(word)
        return Teaser(name, item.price) if item.price else None

    def points_line(self, points: int | None) -> str:
        _, ngettext = self.translations.gettext, self.translations.ngettext
        if points is None or points <= 0:
            return _("This catalog was made for you.")
        figure = show_number(points, self.language)
        return ngettext("You have %(points)s point.", "You have %(points)s points.", points) % {
            "points": figure.replace(" ", HARD)
        }

    def themed_page(self, layout: str, offers: Sequence[Offer], *, number: int, turn: int) -> ThemedPage:
        _ = self.translations.gettext
        kickers = (
            (_("Often bought together"), _("Fits well with it"), _("For your next shopping"))
            if self.is_theme(offers)
            else (_("Much bought in your shop"), _("For your next shopping"), _("Fresh from your shop"))
        )
        mixed = len({offer.listed for offer in offers if offer.price}) > 1
        items = tuple(self.item(offer, mark="*" if mixed and not offer.listed else "") for offer in offers)
        return ThemedPage(
            layout=layout,
            headline=Headline(self.headline(offers, 2), kickers[turn % len(kickers)]),
            items=items,
            footer=self.footer(offers, number),
            pictures=_pictures(offers, 3),
        )

    def personal_page(
        self, reader: Reader, picks: Sequence[Pick], news: Sequence[Pick], *, number: int
    ) -> PersonalPage:
        _, ngettext = self.translations.gettext, self.translations.ngettext
        points = reader.points if reader.points and reader.points > 0 else None
        offers = [pick.offer for pick in (*picks, *news)]
        mixed = len({offer.listed for offer in offers if offer.price}) > 1
        return PersonalPage(
            headline=Headline(bind_headline(_("Picked for you")), reader.name),
            points=Points(
                show_number(points, self.language).replace(" ", HARD), ngettext("point", "points", points)
            )
            if points
            else None,
            picks_title=Headline(_("Your favourites"), _("what you buy again and again")) if picks else None,
            picks=tuple(self.picked(pick, mixed=mixed) for pick in picks),
            news_title=Headline(_("Something new?"), _("what shoppers like you buy")) if news else None,
            news=tuple(self.picked(pick, mixed=mixed) for pick in news),
            card=CardStrip(
                bind_headline(_("Your card, on paper too")),
                _("Let the till scan this code and collect your points."),
                card_barcode(reader.card_number),
            )
            if reader.card_number
            else None,
            footer=self.footer(offers, number),
        )

    def picked(self, pick: Pick, *, mixed: bool) -> Item:
        """Return the item of a pick with the sentence that says why."""
        _ = self.translations.gettext
        word = motif_word(pick.offer.motif.key, self.language)
        if pick.why == "often":
            reason = _("Because you often buy %(what)s") % {"what": word}
        elif pick.why == "recent" and pick.day:
            reason = _("In your basket on %(day)s") % {
                "day": format_skeleton("MMMd", pick.day, locale=self.language).replace(" ", HARD)
            }
        elif pick.beside:
            reason = _("Goes with %(what)s") % {"what": category_word(pick.beside, self.language)}
        else:
            reason = _("Much bought by shoppers like you")
        return self.item(pick.offer, mark="*" if mixed and not pick.offer.listed else "", reason=reason)

    def item(self, offer: Offer, *, mark: str = "", reason: str = "") -> Item:
        label: Label = print_name(offer.name, brand=offer.brand)
        picture = (
            Picture("photo", offer.photo) if offer.photo else Picture("motif", f"{offer.motif.picture}.svg")
        )
        price = (
            set_price(
                offer.price, self.language, measure=find_measure(offer.name), sold_by=offer.unit, mark=mark
            )
            if offer.price
            else None
        )
        return Item(offer.article_id, picture, label, price, reason)

    def footer(self, offers: Sequence[Offer], number: int) -> Footer:
        """Return the foot of a page, which says where its prices come from."""
        _ = self.translations.gettext
        sources = {offer.listed for offer in offers if offer.price}
        shop = {"shop": self.issue.shop}
        if not sources:
            prices = self.issue.shop
        elif sources == {True}:
            prices = _("Prices in %(shop)s, while stocks last.") % shop
        elif sources == {False}:
            prices = _("Prices are those last paid in %(shop)s; the price on the shelf holds.") % shop
        else:
            prices = _("* Price last paid in %(shop)s; the price on the shelf holds.") % shop
        return Footer(_("Valid %(period)s") % {"period": self.period}, prices, number)

    def headline(self, offers: Sequence[Offer], words: int) -> str:
        """
        Return what `offers` are about, as one line: "Pasta, cheese and tomatoes".

        The group's own theme speaks first; where a shop has too little of it, what there is most of.
        """
        order = list(dict.fromkeys(offer.motif.key for offer in offers))
        counted = Counter(offer.motif.key for offer in offers)
        own = Counter(offer.motif.key for offer in offers if offer.category in self.issue.categories)
        keys = sorted(order, key=lambda key: (-own[key], -counted[key], order.index(key)))[:words]
        named = list(dict.fromkeys(motif_word(key, self.language) for key in keys))
        # English lists as shops write them, without a comma before "and".
        locale = {"en": "en_GB"}.get(self.language, self.language)
        return bind_headline(_capital(format_list(named, locale=locale)))

    def is_theme(self, offers: Sequence[Offer]) -> bool:
        """Return whether most of `offers` belong to what the group often buys together."""
        own = sum(offer.category in self.issue.categories for offer in offers)
        return own * 2 > len(offers)


def category_word(category: str, language: str) -> str:
    """Return what a category of the chain is called in a sentence: its motif's word, or its own name."""
    motif = find_motif(category=category)
    if motif is motif_of("groceries"):
        return quiet(category) if shouts(category) else category
    return motif_word(motif.key, language)


def _pictures(offers: Sequence[Offer], count: int) -> tuple[Picture, ...]:
    """Return up to `count` different drawings in the order of the offers, what anybody may see first."""
    ordered = sorted(offers, key=lambda offer: offer.motif.use is not Use.EVERYWHERE)
    paths = dict.fromkeys(offer.motif.picture for offer in ordered)
    return tuple(Picture("motif", f"{path}.svg") for path in list(paths)[:count])


def _period(first: date, last: date, language: str) -> str:
    return (
        str(format_interval(first, last, "yMMMd", locale=language))
        .replace("\N{THIN SPACE}", HARD)
        .replace(" ", HARD)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
