"""What is odd about a receipt in the light of what the house knows: its card, its articles, its offers. Pure."""

from collections.abc import Collection, Iterator, Sequence

from loyalty.opening import Opening, Scanned
from sales.articlecodes import find_gtin
from sales.receipts import LIVE, SALE, Flag, PostedReceipt

MOST_IN_TEN_MINUTES = 3
MOST_IN_A_DAY = 6


def may_earn(posted: PostedReceipt, card: Scanned | None) -> bool:
    """Return whether the card on the receipt stood for its account when the receipt was closed."""
    if card is None or card.account_id is None:
        return False
    if card.state == "blocked":
        assert card.blocked_at is not None
        return posted.closed_at <= card.blocked_at
    return card.state != "expired"


def knowledge_flags(posted: PostedReceipt, opening: Opening, *, offers: Collection[str]) -> Iterator[Flag]:
    """Yield the flags about the card, the articles and the offers of `posted`; `offers` are the codes there are."""
    yield from _card_flags(posted, opening)
    yield from _line_flags(posted, opening.articles, offers)
    for code in posted.voucher_codes:
        yield Flag("unknown_offer", f"nobody issued the voucher {code}")


def _card_flags(posted: PostedReceipt, opening: Opening) -> Iterator[Flag]:
    if posted.card_number is None:
        return
    card = opening.card
    if card is None:
        yield Flag("unknown_card", "the card number was never seen, or its check digit is wrong")
    elif not may_earn(posted, card):
        yield Flag("blocked_card", "the receipt was closed after the card was blocked")
    elif posted.type == SALE and posted.mode == LIVE:
        if opening.seen_just_now >= MOST_IN_TEN_MINUTES:
            yield Flag(
                "suspicious", f"the card was on more than {MOST_IN_TEN_MINUTES} receipts in ten minutes"
            )
        elif opening.seen_today >= MOST_IN_A_DAY:
            yield Flag(
                "suspicious", f"the card was on more than {MOST_IN_A_DAY} receipts of this store in a day"
            )


def _line_flags(
    posted: PostedReceipt, articles: Sequence[int | None], offers: Collection[str]
) -> Iterator[Flag]:
    for line, article_id in zip(posted.lines, articles, strict=True):
        if line.gtin is not None and find_gtin(line.gtin) is None:
            yield Flag(
                "unknown_article", f"{line.gtin} is no GTIN: its check digit is wrong", line.line_number
            )
        elif article_id is None:
            named = " ".join(code for code in (line.sku, line.gtin) if code)
            yield Flag("unknown_article", f"nobody has heard of {named}", line.line_number)
        for code in sorted({discount.offer_code for discount in line.discounts} - set(offers)):
            yield Flag("unknown_offer", f"there is no offer {code}", line.line_number)
