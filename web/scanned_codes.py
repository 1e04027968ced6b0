"""What a code means when it is scanned in a store: card, voucher, goods from the scales, article. All meanings, so that two are seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session
from stdnum import ean

from customers.card_lists import read_card
from customers.cardnumbers import is_card_number
from customers.queries import CardNotFound
from rewards.codes import has_its_check, typed
from rewards.gift_cards.lists import gift_card_row
from rewards.gift_cards.operations import GiftCardNotFound
from rewards.vouchers.lists import voucher_row
from rewards.vouchers.reservations import VoucherNotFound
from sales.article_lists import ArticleRow, NoSuchArticle, article_of_code
from sales.articlecodes import LENGTHS, find_gtin
from sales.barcode_layouts import decoded_in_store
from sales.barcodes import Decoded
from sales.given_codes import code_of, given_skus
from web import wording
from web.gift_words import voucher_states
from web.words import gettext as _
from web.words import money_text, number_text

Kind = Literal["card", "weighed", "article", "voucher", "gift_card"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a code can be: which one, in words, and whether it is there."""

    kind: Kind
    title: str
    words: str
    known: bool


def meanings(session: Session, scanned: str, *, store_id: int, currency: str) -> list[Meaning]:
    """Return everything that `scanned` means in a store; nothing where no till would take it."""
    code = scanned.strip()
    return [
        *_card(session, code.replace(" ", "").replace("-", "")),
        *_weighed(session, code, store_id=store_id, currency=currency),
        *_article(session, code),
        *_voucher(session, typed(code)),
    ]


def clash(found: list[Meaning]) -> bool:
    """Return whether a till could take a code for two things that are there."""
    return len({one.kind for one in found if one.known}) > 1


def what_is_wrong(scanned: str) -> str:
    """Return why a code may mean nothing: its check digit, where it has the length of one, or that nobody knows it."""
    digits = "".join(scanned.split())
    if digits.isascii() and digits.isdigit() and len(digits) in LENGTHS and find_gtin(digits) is None:
        right = ean.calc_check_digit(digits[:-1])
        return _(
            "Its check digit is wrong: after %(digits)s stands %(right)s, not %(wrong)s.",
            digits=digits[:-1],
            right=right,
            wrong=digits[-1],
        )
    return _("No layout, number of ours or article has this form.")


def _card(session: Session, number: str) -> Iterator[Meaning]:
    if not is_card_number(number):
        return
    try:
        state = wording.card_state(read_card(session, card_number=number).state)[0]
    except CardNotFound:
        yield Meaning(
            "card", _("Card"), _("It has the form of a card's number; none was ever seen."), known=False
        )
    else:
        yield Meaning("card", _("Card"), _("A card of ours: %(state)s.", state=state.lower()), known=True)


def _weighed(session: Session, code: str, *, store_id: int, currency: str) -> Iterator[Meaning]:
    decoded = decoded_in_store(session, code, store_id=store_id)
    if decoded is None:
        return
    article = _found(session, decoded.sku or decoded.gtin or "")
    words = _("%(article)s, %(value)s", article=_called(article, decoded), value=_value(decoded, currency))
    yield Meaning("weighed", _("Goods from the scales"), words, known=article is not None)


def _article(session: Session, code: str) -> Iterator[Meaning]:
    article = _found(session, code)
    if article is not None:
        yield Meaning("article", _("Article"), f"{article.name} · {article.sku}", known=True)
        return
    given = given_skus(session).get(code_of(None, code) or "") or given_skus(session).get(code)
    if given is not None:
        words = _("An article's code because somebody said so: %(sku)s.", sku=given)
        yield Meaning("article", _("Article"), words, known=True)
    elif find_gtin(code) and not code.startswith("2"):
        yield Meaning("article", _("Article"), _("A right GTIN; no article has it."), known=False)


def _voucher(session: Session, code: str) -> Iterator[Meaning]:
    try:
        voucher = voucher_row(session, code)
    except VoucherNotFound:
        try:
            gift_card_row(session, code)
        except GiftCardNotFound:
            if len(code) == len("0123456789ABCDEF") and has_its_check(code):
                words = _("It has the form of a voucher's code; nobody issued it.")
                yield Meaning("voucher", _("Voucher"), words, known=False)
        else:
            yield Meaning("gift_card", _("Gift card"), _("A gift card of ours."), known=True)
        return
    state = voucher_states()[voucher.state][0]
    words = _("Of batch %(batch)s: %(state)s.", batch=voucher.batch_code, state=state.lower())
    yield Meaning("voucher", _("Voucher"), words, known=True)


def _found(session: Session, code: str) -> ArticleRow | None:
    try:
        return article_of_code(session, code)
    except NoSuchArticle:
        return None


def _called(article: ArticleRow | None, decoded: Decoded) -> str:
    if article is not None:
        return f"{article.name} · {article.sku}"
    return _("unknown article %(code)s", code=decoded.sku or decoded.gtin)


def _value(decoded: Decoded, currency: str) -> str:
    match decoded.holds:
        case "weight":
            return _("%(weight)s kg", weight=number_text(decoded.value))
        case "price":
            return money_text(int(decoded.value.scaleb(2)), currency)
        case _:
            return _("%(count)s pieces", count=number_text(decoded.value))
