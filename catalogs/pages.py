"""What stands on the pages of a catalog: frozen, complete and in the reader's words, ready for any theme."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from catalogs.pdf.barcodes import Barcode
from core.money import Money


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of the house (`motif`, a path under illustrations) or a photograph (`photo`, under the data)."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """An article's name as it is printed, and what is said in small type: size, brand."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """A price taken apart for the typesetter: large figure, small decimals, symbol on its side."""

    whole: str
    separator: str
    decimals: str
    symbol: str
    symbol_first: bool
    mark: str = ""
    """A sign that leads to the foot of the page, where something is said about this price."""
    unit: str = ""
    """The price per unit of measure, such as "1 l = 24,90 Kč"; empty where no measure is known."""

    @property
    def spoken(self) -> str:
        """Return the price as one would read it: "24,90 Kč (1 l = 24,90 Kč)"."""
        figure = f"{self.whole}{self.separator}{self.decimals}"
        price = f"{self.symbol}{figure}" if self.symbol_first else f"{figure} {self.symbol}"
        return f"{price}{self.mark} ({self.unit})" if self.unit else f"{price}{self.mark}"


@dataclass(frozen=True, slots=True)
class Reduction:
    """What is said beside a reduced price: by how much, what it was, and the lowest of the last 30 days."""

    share: str
    """How much less than the lowest price it is, such as "-25 %"."""
    old: str
    lowest: str


@dataclass(frozen=True, slots=True)
class Item:
    """One article on a page."""

    article_id: int
    picture: Picture
    label: Label
    price: Price | None
    reason: str = ""
    reduction: Reduction | None = None
    """Only and always where a reduction is claimed."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The words at the head of a page; `kicker` is the small line above."""

    text: str
    kicker: str = ""


@dataclass(frozen=True, slots=True)
class Greeting:
    """To whom the copy belongs, and the points in one line."""

    hello: str
    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Points:
    """The balance as a figure and what it is called."""

    figure: str
    caption: str


@dataclass(frozen=True, slots=True)
class Validity:
    """When and where the catalog holds."""

    period: str
    shop: str


@dataclass(frozen=True, slots=True)
class Footer:
    """The foot of a page: validity, where the prices come from, and the page number."""

    validity: str
    prices: str
    number: int


@dataclass(frozen=True, slots=True)
class Teaser:
    """The one price on the cover."""

    name: str
    price: Price

    @property
    def spoken(self) -> str:
        """Return name and price as one would read them."""
        return f"{self.name} {self.price.spoken}"


@dataclass(frozen=True, slots=True)
class CardStrip:
    """The member's card to be scanned from paper."""

    title: str
    line: str
    barcode: Barcode


@dataclass(frozen=True, slots=True)
class CopyMark:
    """The code by which purchases find back to the copy they came from, to read and to scan."""

    title: str
    code: str
    barcode: Barcode


@dataclass(frozen=True, slots=True)
class PrintedVoucher:
    """A voucher of one member as it was issued; without a value it opens an offer, which its name says."""

    voucher_code: str
    name: str
    value: Money | None
    minimum: Money | None
    valid_until: date | None
    """The last day on which it is taken."""
    symbology: str
    stores: str = ""
    """Where it is taken, if not everywhere."""
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class VoucherItem:
    """A voucher in the reader's words, with the code that tills scan."""

    value: str
    name: str
    minimum: str
    validity: str
    barcode: Barcode

    @property
    def label(self) -> str:
        """Return what the code is read out as."""
        return " ".join(filter(None, (self.value, self.name)))


@dataclass(frozen=True, slots=True)
class CoverPage:
    """Page one."""

    personal: ClassVar[bool] = True

    headline: Headline
    greeting: Greeting
    validity: Validity
    pictures: tuple[Picture, ...]
    teaser: Teaser | None
    copy: CopyMark | None = None
    layout: str = "cover"


@dataclass(frozen=True, slots=True)
class ThemedPage:
    """A page of the group's theme; `layout` names one of the theme's, with room for all `items`."""

    personal: ClassVar[bool] = False

    layout: str
    headline: Headline
    items: tuple[Item, ...]
    footer: Footer
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalPage:
    """The member's own page: what is often bought, what could be new, and the card."""

    personal: ClassVar[bool] = True

    headline: Headline
    points: Points | None
    picks_title: Headline | None
    picks: tuple[Item, ...]
    news_title: Headline | None
    news: tuple[Item, ...]
    card: CardStrip | None
    footer: Footer
    layout: str = "personal"


@dataclass(frozen=True, slots=True)
class VouchersPage:
    """The back page of who got vouchers: to be cut out along their dashed edges."""

    personal: ClassVar[bool] = True

    headline: Headline
    note: str
    vouchers: tuple[VoucherItem, ...]
    copy: CopyMark | None
    footer: Footer
    pictures: tuple[Picture, ...] = ()
    """For the places that are left."""
    layout: str = "vouchers"


Page = CoverPage | ThemedPage | PersonalPage | VouchersPage


@dataclass(frozen=True, slots=True)
class Booklet:
    """One copy of a catalog, complete."""

    language: str
    title: str
    colour: int
    """Index of the group's colour; a theme takes it modulo the colours that it has."""
    pages: tuple[Page, ...]

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield every article with the number of its page, in reading order."""
        for number, page in enumerate(self.pages, start=1):
            if isinstance(page, ThemedPage):
                yield from ((number, item) for item in page.items)
            elif isinstance(page, PersonalPage):
                yield from ((number, item) for item in (*page.picks, *page.news))
