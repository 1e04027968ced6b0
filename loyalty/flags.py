"""What is odd about a receipt in the light of what the house knows: its card, its articles, its quote. Pure."""

from collections.abc import Iterator, Sequence

from loyalty.opening import Opening, Scanned
from loyalty.watching import velocity_flag
from sales.articlecodes import find_gtin
from sales.receipts import LIVE, SALE, Flag, PostedReceipt


def may_earn(posted: PostedReceipt, card: Scanned | None) -> bool:
    """Return whether the card on the receipt stood for its account when the receipt was closed."""
    if card is None or card.account_id is None:
        return False
    if card.state in {"blocked", "expired"}:
        return card.blocked_at is not None and posted.closed_at <= card.blocked_at
    return True


def knowledge_flags(posted: PostedReceipt, opening: Opening) -> Iterator[Flag]:
    """Yield the flags about the card, the articles and the quote of `posted`."""
    yield from _card_flags(posted, opening)
    yield from _line_flags(posted, opening.articles)
    yield from _quote_flags(posted, opening)


def _card_flags(posted: PostedReceipt, opening: Opening) -> Iterator[Flag]:
    if posted.card_number is None:
        return
    card = opening.card
    if card is None:
        yield Flag("unknown_card", "the card number was never seen, or its check digit is wrong")
    elif not may_earn(posted, card):
        yield Flag("blocked_card", "the receipt was closed after the card was blocked")
    elif posted.type == SALE and posted.mode == LIVE:
        if opening.seen.own_card:
            yield Flag("suspicious", "the card is that of the operator who rang it: no points")
        if flag := velocity_flag(posted, opening.seen):
            yield flag


def _quote_flags(posted: PostedReceipt, opening: Opening) -> Iterator[Flag]:
    if posted.quote_id is None or posted.type != SALE:
        return
    if opening.quote is None:
        yield Flag("quote_expired", "no such quote was given in this store, or it is long forgotten")
    elif opening.quote.used:
        yield Flag("quote_expired", "another receipt was paid under that quote before")
    elif not opening.quote.honours(posted.closed_at):
        until = opening.quote.valid_until.isoformat(timespec="seconds")
        yield Flag("quote_expired", f"it was closed after the quote had ended at {until}")


def _line_flags(posted: PostedReceipt, articles: Sequence[int | None]) -> Iterator[Flag]:
    for line, article_id in zip(posted.lines, articles, strict=True):
        if line.gtin is not None and find_gtin(line.gtin) is None:
            yield Flag(
                "unknown_article", f"{line.gtin} is no GTIN: its check digit is wrong", line.line_number
            )
        elif article_id is None:
            named = " ".join(code for code in (line.sku, line.gtin) if code)
            yield Flag("unknown_article", f"nobody has heard of {named}", line.line_number)
