"""The form of an edition's pages: read as it was posted, changed as the pressed button says. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from catalogs.operations import EditionPlan, PlannedPage
from core.i18n import LANGUAGES

MOST_PAGES = 20
MOST_ARTICLES = 60
"""Per page; what is beyond is left out, so that no form grows without end."""
LONGEST_HEADLINE = 80


@dataclass(frozen=True, slots=True)
class Slot:
    """One wanted article of a page; a pinned one was put there by a person."""

    article_id: int
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class PageForm:
    """One page as it stands in the form; headlines by language, empty ones are made from the articles."""

    layout: str
    headline: Mapping[str, str]
    slots: tuple[Slot, ...]


Pages = tuple[PageForm, ...]
Given = Mapping[str, Sequence[str]]


def pages_of(plan: EditionPlan) -> Pages:
    """Return the pages of a plan as the form shows them."""
    return tuple(
        PageForm(
            page.layout,
            {language: page.headline.get(language, "") for language in LANGUAGES},
            tuple(Slot(article, article in page.pinned) for article in page.articles),
        )
        for page in plan.pages
    )


def planned(plan: EditionPlan, pages: Pages) -> EditionPlan:
    """Return `plan` with the form's pages in place of its own."""
    return replace(
        plan,
        pages=tuple(
            PlannedPage(
                page.layout,
                {language: words for language, words in page.headline.items() if words},
                tuple(slot.article_id for slot in page.slots),
                tuple(slot.article_id for slot in page.slots if slot.pinned),
            )
            for page in pages
        ),
    )


def read_pages(given: Given, layouts: Sequence[str]) -> Pages:
    """
    Return the pages that were posted: "layout-0", "headline-0-cs", "article-0" (in order), "pinned-0".

    What nobody could have chosen is left out: unknown layouts become the first of `layouts`, and an
    article stands on one page only, the first.
    """
    pages: list[PageForm] = []
    placed: set[int] = set()
    for number in range(MOST_PAGES):
        chosen = given.get(f"layout-{number}")
        if not chosen:
            break
        pinned = set(_numbers(given.get(f"pinned-{number}", ())))
        slots: list[Slot] = []
        for article in _numbers(given.get(f"article-{number}", ()))[:MOST_ARTICLES]:
            if article not in placed:
                placed.add(article)
                slots.append(Slot(article, article in pinned))
        pages.append(
            PageForm(
                chosen[0] if chosen[0] in layouts else layouts[0],
                {
                    language: " ".join("".join(given.get(f"headline-{number}-{language}", ())).split())[
                        :LONGEST_HEADLINE
                    ]
                    for language in LANGUAGES
                },
                tuple(slots),
            )
        )
    return tuple(pages)


def changed(pages: Pages, do: str) -> Pages:
    """
    Return the pages as a button changes them; a button that fits nothing changes nothing.

    "up:PAGE:ARTICLE" and "down:PAGE:ARTICLE" move an article by a place, over the edge of its page onto the next one;
    "out:PAGE:ARTICLE" takes it off; "put:PAGE:ARTICLE" puts one at the top of a page; "swap:PAGE:OLD:NEW"
    puts another in its place; "loose:PAGE:ARTICLE" and "pin:PAGE:ARTICLE" pin and unpin; "earlier:PAGE" and "later:PAGE" move pages.
    """
    wish, *rest = do.split(":")
    numbers = _numbers(rest)
    if len(numbers) != len(rest) or not numbers or not 0 <= numbers[0] < len(pages):
        return pages
    page, *articles = numbers
    change = _CHANGES.get((wish, len(articles)))
    return change(pages, page, *articles) if change else pages


def _put(pages: Pages, page: int, article: int) -> Pages:
    free = _without(pages, article)
    return _with(free, page, [Slot(article, pinned=True), *free[page].slots])


def _out(pages: Pages, page: int, article: int) -> Pages:
    return _with(pages, page, [slot for slot in pages[page].slots if slot.article_id != article])


def _swapped(pages: Pages, page: int, old: int, new: int) -> Pages:
    free = _without(pages, new) if new != old else pages
    slots = [Slot(new, pinned=True) if slot.article_id == old else slot for slot in free[page].slots]
    return _with(free, page, slots)


def _pinned(pages: Pages, page: int, article: int, *, pinned: bool) -> Pages:
    slots = [
        replace(slot, pinned=pinned) if slot.article_id == article else slot for slot in pages[page].slots
    ]
    return _with(pages, page, slots)


def _moved(pages: Pages, page: int, article: int, step: int) -> Pages:
    slots = list(pages[page].slots)
    at = next((place for place, slot in enumerate(slots) if slot.article_id == article), None)
    if at is None:
        return pages
    slot = replace(slots.pop(at), pinned=True)
    if 0 <= at + step <= len(slots):
        slots.insert(at + step, slot)
        return _with(pages, page, slots)
    if not 0 <= page + step < len(pages):
        return pages
    beside = pages[page + step].slots
    return _with(_with(pages, page, slots), page + step, [*beside, slot] if step < 0 else [slot, *beside])


def _with(pages: Pages, page: int, slots: Sequence[Slot]) -> Pages:
    return tuple(
        replace(one, slots=tuple(slots[:MOST_ARTICLES])) if number == page else one
        for number, one in enumerate(pages)
    )


def _without(pages: Pages, article: int) -> Pages:
    return tuple(
        replace(page, slots=tuple(slot for slot in page.slots if slot.article_id != article))
        for page in pages
    )


def _exchanged(pages: Pages, one: int, other: int) -> Pages:
    if not 0 <= other < len(pages):
        return pages
    turned = list(pages)
    turned[one], turned[other] = turned[other], turned[one]
    return tuple(turned)


_CHANGES: Mapping[tuple[str, int], Callable[..., Pages]] = {
    ("up", 1): lambda pages, page, article: _moved(pages, page, article, -1),
    ("down", 1): lambda pages, page, article: _moved(pages, page, article, 1),
    ("out", 1): _out,
    ("put", 1): _put,
    ("swap", 2): _swapped,
    ("pin", 1): partial(_pinned, pinned=True),
    ("loose", 1): partial(_pinned, pinned=False),
    ("earlier", 0): lambda pages, page: _exchanged(pages, page, page - 1),
    ("later", 0): lambda pages, page: _exchanged(pages, page, page + 1),
}
"""What a button does, by its first word and how many articles it names."""


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 18]
