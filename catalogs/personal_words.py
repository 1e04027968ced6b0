"""What is said to one member: the greeting, the reasons of picks, the points, the vouchers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from babel.dates import format_skeleton

from basket_analysis.offers.reasons import Reason
from basket_analysis.offers.sensitive import SensitiveWords
from catalogs.issues import Issue, Offer, Pick, Reader
from catalogs.layouts import Theme
from catalogs.motif_words import motif_word
from catalogs.motifs import find_motif, motif_of
from catalogs.names import bind, bind_headline, quiet, shouts
from catalogs.page_words import PageWords, footer_of, is_mixed, marked_item, pictures_of, show_period
from catalogs.pages import (
    CardStrip,
    CopyMark,
    CoverPage,
    Greeting,
    Headline,
    Item,
    PersonalPage,
    Points,
    PrintedVoucher,
    VoucherItem,
    VouchersPage,
)
from catalogs.pdf.barcodes import card_barcode, qr_barcode, voucher_barcode
from catalogs.prices import HARD
from catalogs.selection import PICKS
from core.i18n import show_date, show_money, show_number, translations
from core.money import Money

SENSITIVE = SensitiveWords()
"""What is never named as a reason, whatever a rule ties it to."""
LONGEST_REASON = 38
"""So many signs stand on one line beside a pick, or nearly so on A5; what is longer is said more generally."""
FEW_VOUCHERS = "vouchers-few"
"""The layout with larger vouchers, where a theme has one and they fit."""


class PersonalWords:
    """The sentences of one reader."""

    def __init__(self, reader: Reader, issue: Issue, period: str) -> None:
        self.reader = reader
        self.issue = issue
        self.period = period
        self.language = reader.language
        self.translations = translations(reader.language)

    def cover_of(self, offers: Sequence[Offer]) -> CoverPage:
        """Return the cover of a booklet without themed pages."""
        return PageWords(self.issue, self.language).cover(offers)

    def greeted(self, cover: CoverPage) -> CoverPage:
        """Return a cover with the reader's name, points and tier on it, and the code of the copy."""
        _ = self.translations.gettext
        greeting = Greeting(_("Hello,"), self.reader.name, self._standing())
        return replace(cover, greeting=greeting, copy=self._mark())

    def _standing(self) -> str:
        """Return points and tier in one line."""
        _, ngettext = self.translations.gettext, self.translations.ngettext
        points, tier = self.reader.points, self.reader.tier
        said = []
        if points is not None and points > 0:
            figure = show_number(points, self.language).replace(" ", HARD)
            said.append(
                ngettext("You have %(points)s point.", "You have %(points)s points.", points)
                % {"points": figure}
            )
        if tier:
            said.append(_("Your tier: %(tier)s.") % {"tier": tier})
        return " ".join(said) or _("This catalog was made for you.")

    def _mark(self) -> CopyMark | None:
        code = self.reader.copy_code
        if not code:
            return None
        return CopyMark(self.translations.gettext("Copy"), code, qr_barcode(code))

    def personal_page(self, picks: Sequence[Pick], news: Sequence[Pick], *, number: int) -> PersonalPage:
        """Return the reader's own page."""
        _, ngettext = self.translations.gettext, self.translations.ngettext
        points = self.reader.points if self.reader.points and self.reader.points > 0 else None
        offers = [pick.offer for pick in (*picks, *news)]
        mixed = is_mixed(offers)
        favourites = Headline(_("Your favourites"), _("what you buy again and again"))
        new = Headline(_("Something new?"), _("what shoppers like you buy"))
        # Without favourites, what is new takes their places as well.
        above = () if picks else tuple(news[:PICKS])
        return PersonalPage(
            headline=Headline(
                bind_headline(_("Picked for you") if offers else _("Your card, on paper too")),
                self.reader.name,
            ),
            points=Points(
                show_number(points, self.language).replace(" ", HARD), ngettext("point", "points", points)
            )
            if points
            else None,
            picks_title=favourites if picks else new if above else None,
            picks=tuple(self._picked(pick, mixed=mixed) for pick in (*picks, *above)),
            news_title=new if news and not above else None,
            news=tuple(self._picked(pick, mixed=mixed) for pick in news[len(above) :]),
            card=self._card(),
            footer=footer_of(self.issue, offers, self.language, self.period, number),
        )

    def _card(self) -> CardStrip | None:
        _ = self.translations.gettext
        if not self.reader.card_number:
            return None
        return CardStrip(
            bind_headline(_("Your card, on paper too")),
            _("Let the till scan this code and collect your points."),
            card_barcode(self.reader.card_number),
        )

    def _picked(self, pick: Pick, *, mixed: bool) -> Item:
        """Return the item of a pick with the sentence that says why."""
        reason = _told(pick.reason, pick.other, self.language) if pick.reason else ""
        reason = reason or _reason(pick.why, pick.offer.motif.key, pick.day, pick.beside, self.language)
        return marked_item(pick.offer, self.language, mixed=mixed, reason=reason)

    def vouchers_page(self, vouchers: Sequence[PrintedVoucher], *, theme: Theme, number: int) -> VouchersPage:
        """Return the page of the reader's vouchers, larger ones where they are few."""
        _ = self.translations.gettext
        few = FEW_VOUCHERS in theme.data["layouts"] and len(vouchers) <= theme.room(FEW_VOUCHERS)
        valid = _("Valid %(period)s") % {"period": self.period}
        footer = footer_of(self.issue, (), self.language, self.period, number)
        return VouchersPage(
            headline=Headline(bind_headline(_("Cut out and save")), self.reader.name),
            note=_("Hand a voucher over at the till, or let it be scanned here."),
            vouchers=tuple(voucher_item(voucher, self.language) for voucher in vouchers),
            copy=self._mark(),
            footer=replace(footer, validity=valid),
            pictures=pictures_of(self.issue.offers, theme.room(FEW_VOUCHERS) - len(vouchers)) if few else (),
            layout=FEW_VOUCHERS if few else "vouchers",
        )


def voucher_item(voucher: PrintedVoucher, language: str) -> VoucherItem:
    """Return a voucher as it is printed; one without a value says what it opens."""
    _ = translations(language).gettext
    value = _money(voucher.value, language) if voucher.value else ""
    minimum = (
        _("for purchases from %(money)s") % {"money": _money(voucher.minimum, language)}
        if voucher.minimum and voucher.minimum.minor
        else ""
    )
    return VoucherItem(
        value=value or bind(voucher.name),
        name=bind(voucher.name) if value else "",
        minimum=" · ".join(
            filter(None, (minimum, voucher.stores and _("taken in %(stores)s") % {"stores": voucher.stores}))
        ),
        validity=_validity(voucher.valid_from, voucher.valid_until, language),
        barcode=voucher_barcode(voucher.voucher_code, voucher.symbology),
    )


@lru_cache(maxsize=4_096)
def _validity(first: date | None, last: date | None, language: str) -> str:
    _ = translations(language).gettext
    if last is None:
        return ""
    if first is not None and first < last:
        return _("Valid %(period)s") % {"period": show_period(first, last, language)}
    return _("valid until %(day)s") % {"day": show_date(last, language).replace(" ", HARD)}


@lru_cache(maxsize=4_096)
def _money(money: Money, language: str) -> str:
    """Return an amount, unbreakable; without decimals where they say nothing."""
    shown = show_money(money, language).replace(" ", HARD)
    return shown.replace(",00", "").replace(".00", "") if money.minor % 100 == 0 else shown


@lru_cache(maxsize=20_000)
def _reason(why: str, kind: str, day: date | None, beside: str | None, language: str) -> str:
    """Return why something was picked, in a sentence."""
    _ = translations(language).gettext
    word = motif_word(kind, language)
    if why == "often":
        return bind(_("Because you often buy %(what)s") % {"what": word})
    if why == "overdue":
        return bind(_("Perhaps it is time for %(what)s again") % {"what": word})
    if why == "recent" and day:
        shown = format_skeleton("MMMd", day, locale=language).replace(" ", HARD)
        return _("In your basket on %(day)s") % {"day": shown}
    if beside and not SENSITIVE.covers(None, beside, None):
        return bind(_("Goes with %(what)s") % {"what": category_word(beside, language)})
    return _("Much bought by shoppers like you")


@lru_cache(maxsize=20_000)
def _told(reason: Reason, other: str, language: str) -> str:
    """Return the night's reason in a sentence of one line, or "" where it says no more than `why` does."""
    said = (sentence for sentence in _sentences(reason, other, language) if len(sentence) <= LONGEST_REASON)
    return bind(next(said, ""))


def _sentences(reason: Reason, other: str, language: str) -> Iterator[str]:
    """Yield what may be said of a reason, what says most first."""
    _ = translations(language).gettext
    category = reason.category
    word = (
        category_word(category, language) if category and not SENSITIVE.covers(None, category, None) else ""
    )
    if reason.kind == "goes_with":
        for what in filter(None, (other, word)):
            yield _("Often bought with your %(what)s") % {"what": what}
        yield _("Goes with what you buy")
    if reason.kind == "group" and word:
        yield _("Liked by others who buy %(what)s") % {"what": word}
    if reason.kind == "popular":
        yield _("Many of our members buy it")


def category_word(category: str, language: str) -> str:
    """Return what a category of the chain is called in a sentence: its motif's word, or its own name."""
    motif = find_motif(category=category)
    if motif is motif_of("groceries"):
        return quiet(category) if shouts(category) else category
    return motif_word(motif.key, language)
