"""The work queue in words: what happened, what was booked, and what a person can do about it."""

from dataclasses import dataclass

from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one kind of entry means to whoever deals with it."""

    happened: str
    booked: str
    advice: str


def explanation(code: str) -> Explanation:
    """Return the explanation of a flag; of a kind that nobody has described, in general words."""
    described = _about_cards(code) or _about_goods(code) or _about_time(code) or _about_points(code)
    return described or Explanation(
        _("Something about this receipt is out of the ordinary."),
        _("It was booked as the till stated it."),
        _("Look at the receipt. Accept it if it is right, or dismiss the entry and say why."),
    )


def _about_cards(code: str) -> Explanation | None:
    return {
        "unknown_card": Explanation(
            _("The till read a card number that was never issued, or whose check digit is wrong."),
            _("The sale is stored, without points: nobody knows whose it is."),
            _(
                "Find out the right card and link it: the points are booked late, by the rules of the day of the sale, and returns made since are counted. If there is none, accept the receipt as it is."
            ),
        ),
        "blocked_card": Explanation(
            _("The receipt was closed after the card on it had been blocked."),
            _("The sale is stored, without points."),
            _(
                "If the customer has a new card, link that one. If somebody used a lost card, dismiss the entry and say what was done."
            ),
        ),
        "suspicious": Explanation(
            _("The card was used more often than customers shop, or it is the operator's own."),
            _(
                "A card that is used too often earns all the same; the operator's own earns nothing on what they ring up."
            ),
            _(
                "Compare the receipts of the card on this day. A person decides; the card is not blocked by itself."
            ),
        ),
        "masked": Explanation(
            _("A payment-card number stood in a text of the receipt."),
            _("It was masked before anything was stored. Points are not touched by it."),
            _("Tell whoever looks after the till: payment-card numbers do not belong on receipts."),
        ),
    }.get(code)


def _about_goods(code: str) -> Explanation | None:
    return {
        "unknown_article": Explanation(
            _("A line names an article that is not in the article list."),
            _(
                "The line is stored as the till stated it and earns points. It is not yet analysed as an article."
            ),
            _(
                "Import the article. Lines that were sold as unknown then find it, and their entries close themselves."
            ),
        ),
        "unknown_offer": Explanation(
            _("The till names an offer or a voucher that does not exist."),
            _("The price that was paid stands. No offer was counted as used."),
            _("Check which prices and offers this till has loaded."),
        ),
        "offer_not_valid": Explanation(
            _("The till gave an offer that was not valid for this receipt."),
            _("The price that was paid stands."),
            _("Check which prices and offers this till has loaded."),
        ),
        "totals_mismatch": Explanation(
            _("The amounts on the receipt do not add up, or it is in another currency than the store's."),
            _(
                "Points are counted from the lines as stated. A receipt in another currency than the store's earns nothing."
            ),
            _("Compare the receipt with the paper. If one till does this again and again, it needs repair."),
        ),
    }.get(code)


def _about_time(code: str) -> Explanation | None:
    return {
        "clock_skew": Explanation(
            _(
                "The till's clock is wrong: the receipt was closed in the future, or on another day than it says."
            ),
            _("Points are booked by the business date that the till states."),
            _("Set the till's clock. The receipt itself needs nothing."),
        ),
        "late": Explanation(
            _("The receipt came more than a day after it was closed."),
            _("Points are booked by the rules of its business date, as if it had come in time."),
            _("If it happens often, look at the till's connection."),
        ),
        "quote_expired": Explanation(
            _("The customer paid by a quote that was not valid any more."),
            _("What was paid stands, and points are counted from it."),
            _("Nothing, unless it happens often at one till."),
        ),
        "original_missing": Explanation(
            _("A return or void names a receipt that has not come, or a void names none."),
            _("Nothing is booked yet. It waits, and is booked when the receipt comes."),
            _(
                "Wait for tills that were offline. If the original never comes, dismiss the entry and say why."
            ),
        ),
    }.get(code)


def _about_points(code: str) -> Explanation | None:
    return {
        "over_redeemed": Explanation(
            _("More points were spent than the account held, or a redemption was not valid."),
            _("The sale stands. The account may be below zero; its next points make up for it."),
            _("Look at the member's points. Correct them if the mistake was ours."),
        ),
        "over_returned": Explanation(
            _("More was brought back than was sold, or it had been voided before."),
            _("Only what was still out counts; the excess has no effect on points."),
            _("Ask the store why more came back. Money that was handed out too much is the store's matter."),
        ),
    }.get(code)


def field_name(pointer: str) -> str:
    """Return what a field of a receipt's body is called, by its JSON pointer."""
    parts = pointer.strip("/").split("/")
    name = _field(parts[-1])
    if parts[0] == "lines" and len(parts) > 2:
        return _("Line %(number)s: %(field)s", number=parts[1], field=name)
    if parts[0] == "original" and len(parts) > 1:
        return _("Original: %(field)s", field=name)
    if parts[0] == "tenders" and len(parts) > 2:
        return _("Tender %(number)s: %(field)s", number=int(parts[1]) + 1, field=name)
    return name


def sum_name(name: str) -> str:
    """Return what a sum that a till states is called."""
    return _("Tenders") if name == "tenders" else _field(name)


def _field(name: str) -> str:
    return {
        "type": _("Type"),
        "mode": _("Mode"),
        "offline": _("Offline"),
        "business_date": _("Day"),
        "receipt_number": _("Receipt"),
        "closed_at": _("Closed"),
        "operator_code": _("Operator"),
        "card_number": _("Card"),
        "currency": _("Currency"),
        "name": _("Name"),
        "quantity": _("Quantity"),
        "unit": _("Unit"),
        "unit_price": _("Price"),
        "discount_amount": _("Discount"),
        "total_amount": _("Total"),
        "tax_rate": _("Tax rate"),
        "gross_amount": _("Gross"),
        "points_amount": _("Paid with points"),
        "rounding_amount": _("Rounding"),
        "payable_amount": _("Paid"),
        "amount": _("Amount"),
        "store_code": _("Store"),
        "till_code": _("Till"),
        "line_number": _("Line"),
        "original_line_number": _("Line of the original"),
        "reason": _("Reason"),
    }.get(name, name)
