"""What is odd about a receipt, in the reader's language: the books keep it in English, with codes and minor units."""

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache

from web.queue_words import sum_name
from web.words import date_text, moment_text, money_text
from web.words import gettext as said


def _(message: str) -> str:
    """Mark a message of the books for translation."""
    return message


MESSAGES = (
    _("the card number was never seen, or its check digit is wrong"),
    _("the receipt was closed after the card was blocked"),
    _("the card is that of the operator who rang it: no points"),
    _("the card was on more than %(count)s receipts in ten minutes"),
    _("the card was on more than %(count)s receipts of this store in a day"),
    _("no such quote was given in this store, or it is long forgotten"),
    _("another receipt was paid under that quote before"),
    _("it was closed after the quote had ended at %(moment)s"),
    _("%(code)s is no GTIN: its check digit is wrong"),
    _("nobody has heard of %(code)s"),
    _("a payment-card number stood in a text and was masked"),
    _("the currency is %(stated)s, the store's is %(usual)s"),
    _("the line says %(amount)s, its quantity, price and discount make %(expected)s"),
    _("points_amount says %(amount)s, the points spent are worth %(worth)s"),
    _("%(field)s says %(amount)s, the receipt makes %(expected)s"),
    _("it was closed later than it came"),
    _("the business date is far from %(day)s, when it was closed"),
    _("it came more than a day after it was closed"),
    _("the void does not say what is voided"),
    _("the original has not come yet"),
    _("the sale of the return has not come yet"),
    _("nothing of the original stands any more"),
    _("it does not say which line of the sale comes back"),
    _("more comes back than is still out"),
    _("there is no offer %(code)s"),
    _("no voucher of %(code)s that is good was presented"),
    _("%(code)s is not given in another currency than the store's"),
    _("%(code)s was not live"),
    _("%(code)s was used by this member as often as it may be"),
    _("%(code)s does not hold on this basket, then and there, for this customer"),
    _("the budget of %(code)s is used up"),
    _("a sale gives %(most)s vouchers at most: %(count)s of %(promised)s by %(code)s"),
    _("nobody issued the voucher %(code)s"),
    _("the voucher %(code)s was redeemed before"),
    _("the voucher %(code)s was redeemed already"),
    _("the voucher %(code)s was cancelled before"),
    _("the voucher %(code)s was over when it was paid with"),
    _("the voucher %(code)s was held at another till"),
    _("the voucher %(code)s is not taken in this store"),
    _("the voucher %(code)s belongs to another member"),
    _("the voucher %(code)s is in another currency"),
    _("the reservation of the voucher %(code)s was over when it was paid with"),
    _("points worth %(worth)s paid more than %(share)s %% of a bill of %(bill)s"),
    _("there is no redemption %(code)s"),
    _("the redemption %(code)s was spent already"),
    _("the redemption was released when it was paid with"),
    _("the redemption was expired when it was paid with"),
    _("no %(code)s is left in this store"),
    _("points were spent offline, but the card has no account"),
    _("the account had %(points)s points too few for what was spent offline"),
    _("the allowance does not hold: it has not the form of an allowance"),
    _("the allowance does not hold: we never signed it"),
    _("the allowance does not hold: we never signed it for this card"),
    _("the allowance does not hold: the key %(code)s that signed it was revoked"),
    _("the allowance was signed after the receipt was closed"),
    _("the allowance had ended at %(moment)s"),
    _("the allowance is for %(allowed)s points, not %(points)s"),
    _("of the %(allowed)s points allowed %(used)s were spent offline before, %(points)s more are too many"),
)
"""What the books say, with names for what differs from receipt to receipt."""

AMOUNTS = frozenset({"amount", "expected", "worth", "bill"})


def flag_detail(detail: str, *, currency: str, timezone: str) -> str:
    """
    Return `detail`, as the books keep it, in the reader's language; what they never say remains as it is.

    Amounts are in `currency`, moments on the clock of `timezone`.
    """
    found = message_of(detail)
    if found is None:
        return detail
    message, values = found
    shown = {name: _shown(name, value, currency, timezone) for name, value in values.items()}
    return said(message, **shown) if shown else said(message)


def message_of(detail: str) -> tuple[str, dict[str, str]] | None:
    """Return the message that the books wrote as `detail`, and what they put into it."""
    for message, pattern in _patterns():
        if match := pattern.fullmatch(detail):
            return message, match.groupdict()
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((message, re.compile(_pattern(message), re.DOTALL)) for message in MESSAGES)


def _pattern(message: str) -> str:
    parts = re.split(r"%\((\w+)\)s", message)
    fixed = [re.escape(part.replace("%%", "%")) for part in parts[::2]]
    named = [rf"(?P<{name}>[+-]?\d+)" if name in AMOUNTS else f"(?P<{name}>.+?)" for name in parts[1::2]]
    return "".join(one + two for one, two in zip(fixed, [*named, ""], strict=True))


def _shown(name: str, value: str, currency: str, timezone: str) -> str:
    if name in AMOUNTS:
        return money_text(int(value), currency)
    shows: dict[str, Callable[[], str]] = {
        "field": lambda: sum_name(value),
        "moment": lambda: moment_text(datetime.fromisoformat(value), timezone),
        "day": lambda: date_text(date.fromisoformat(value)),
    }
    try:
        return shows[name]() if name in shows else value
    except ValueError:
        return value
