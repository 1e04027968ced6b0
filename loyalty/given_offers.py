"""What offers give with a paid sale beside discounts and points, carried out: gifts, vouchers, and the use of budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import errors
from sqlalchemy.orm import Session

from core.i18n import show_date, show_money, show_number, translations
from core.money import Money
from core.records import record
from loyalty.paid_offers import NOT_VALID, PaidOffers, beyond_flags, stated_offers
from rewards.live_book import book_at_hand
from rewards.offer_queries import versions_of
from rewards.offer_uses import Place, Use, Using, let_go, send_uses, use_offers
from rewards.offers import batches_asked
from rewards.queries import reward_names
from rewards.stocks.operations import Cause, take_what_is_left
from rewards.vouchers.issue import IssuedVoucher, OfReceipt, issue_vouchers
from rewards.vouchers.redeeming import redeem_vouchers
from sales.receipts import Flag, PostedReceipt, TillIdentity

MOST_VOUCHERS: Final = 1000
"""So many vouchers one sale can give; more are an offer gone wrong."""


@record
class Buying:
    """The sale that is being booked: whose it is, and where and when."""

    posted: PostedReceipt
    till: TillIdentity
    receipt_id: UUID
    account_id: UUID | None
    person_id: UUID | None
    quote_id: UUID | None
    place: Place
    language: str
    now: datetime

    @property
    def using(self) -> Using:
        """As budgets see it."""
        return Using(
            self.posted.business_date,
            self.receipt_id,
            self.place,
            self.person_id,
            self.quote_id,
            self.posted.closed_at,
        )

    @property
    def of_receipt(self) -> OfReceipt:
        """As vouchers see it."""
        return OfReceipt(self.posted.business_date, self.receipt_id, self.now)


@dataclass(slots=True)
class Given:
    """What was given; `unsent` are the uses that can be written with the receipt, since no budget bears on them."""

    gifts: list[tuple[str, str, int]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    vouchers: list[IssuedVoucher] = field(default_factory=list)
    rests: list[tuple[str, int]] = field(default_factory=list)
    """Vouchers that were paid with and are good still, and for how much, in minor units."""
    flags: list[Flag] = field(default_factory=list)
    unsent: list[Use] = field(default_factory=list)
    used: bool = False
    """Whether uses are booked already, and what the till held is let go."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the rewards that are given or missing."""
    buying: Buying | None = None

    def document(self) -> dict[str, Any]:
        """Return the contract's part of the answer."""
        return {
            "gifts": [
                {"offer_code": offer, "reward_code": reward, "quantity": pieces}
                for offer, reward, pieces in self.gifts
            ],
            "vouchers_issued": [voucher.document() for voucher in self.vouchers],
        }


def give(session: Session, paid: PaidOffers, buying: Buying) -> Given:
    """
    Give what a sale gets, redeem the vouchers it was paid with, and use budgets.

    A gift of which not all pieces are there any more is said to be missing, and its offer is used as often as they are. What no quote
    promised and a budget cannot bear raises psycopg's SerializationFailure: looked at again it is not given.
    """
    given = Given(buying=buying, missing=list(paid.missing))
    uses = _take_gifts(session, paid, buying, given)
    _redeem(session, buying, given, uses)
    _issue(session, paid, buying, given)
    named = {*given.missing, *(reward for _, reward, _ in given.gifts)}
    given.names = reward_names(session, named, language=buying.language)
    if not paid.counted:
        given.unsent = uses
        return given
    given.used = True
    beyond = use_offers(session, using=buying.using, uses=uses, now=buying.now)
    if beyond & paid.evaluated:
        raise errors.SerializationFailure("a budget was used up meanwhile")
    given.flags += beyond_flags(stated_offers(buying.posted), sorted(beyond))
    return given


def _take_gifts(session: Session, paid: PaidOffers, buying: Buying, given: Given) -> list[Use]:
    """Take gifts from the stock, as many as are there; returns what is used after all."""
    lots: dict[str, int] = {}
    # In the order in which a void puts them back, so that neither waits for the other.
    for offer_code, reward, pieces in sorted(paid.gifts.rewards, key=lambda gift: gift[1]):
        cause = Cause(
            buying.now,
            buying.till.actor,
            business_date=buying.posted.business_date,
            receipt_id=buying.receipt_id,
            offer_code=offer_code,
        )
        each = pieces // paid.times[offer_code]
        taken = take_what_is_left(
            session,
            reward_code=reward,
            store_id=buying.till.store_id,
            cause=cause,
            pieces=pieces,
            each=each,
        )
        if taken < pieces:
            given.missing.append(reward)
            lots[offer_code] = taken // each
        if taken:
            given.gifts.append((offer_code, reward, taken))
    order = [offer_code for offer_code, _, _ in paid.gifts.rewards]
    given.gifts.sort(key=lambda gift: order.index(gift[0]))
    return [
        replace(use, uses=min(use.uses, lots[use.offer_code])) if use.offer_code in lots else use
        for use in paid.uses
        if lots.get(use.offer_code) != 0
    ]


def _issue(session: Session, paid: PaidOffers, buying: Buying, given: Given) -> None:
    """Issue vouchers for next time, as many as a sale can give at most; where there would be more, that is flagged."""
    left = MOST_VOUCHERS
    for offer_code, batch, promised in paid.gifts.vouchers:
        count = min(promised, left)
        left -= count
        if count < promised:
            detail = f"a sale gives {MOST_VOUCHERS} vouchers at most: {count} of {promised} by {offer_code}"
            given.flags.append(Flag(NOT_VALID, detail))
        if count:
            given.vouchers += issue_vouchers(
                session,
                batch_code=batch,
                count=count,
                today=buying.posted.business_date,
                now=buying.now,
                actor=buying.till.actor,
                account_id=buying.account_id,
                receipt=buying.of_receipt,
                offer_code=offer_code,
            )


def _redeem(session: Session, buying: Buying, given: Given, uses: Sequence[Use]) -> None:
    if not buying.posted.voucher_codes:
        return
    redeemed = redeem_vouchers(
        session,
        codes=buying.posted.voucher_codes,
        used={code: stated.amount for code, stated in stated_offers(buying.posted).items()},
        asked=_asked(session, uses),
        till=buying.till,
        account_id=buying.account_id,
        receipt=buying.of_receipt,
        today=buying.place.day,
    )
    given.flags += [Flag(code, detail) for code, detail in redeemed.flags]
    given.vouchers += redeemed.issued
    given.rests += redeemed.rests


def _asked(session: Session, uses: Sequence[Use]) -> set[str]:
    """Return the batches that offers ask for which are used; reads only those that are not live any more."""
    live = book_at_hand(session).offers
    at_hand = {(offer.code, offer.version): offer for offer in live.values()}
    used = {(use.offer_code, use.offer_version) for use in uses}
    found = [at_hand[one] for one in used & at_hand.keys()]
    gone = used - at_hand.keys()
    if gone:
        versions = [one.offer for one in versions_of(session, {code for code, _ in gone})]
        found += [offer for offer in versions if (offer.code, offer.version) in gone]
    return set[str]().union(*map(batches_asked, found))


def send_given(session: Session, given: Given, *, till_id: int, now: datetime) -> None:
    """Write, in the trip that writes a receipt, what was left to be written with it; let go of what the till held."""
    if given.unsent and given.buying is not None:
        send_uses(session, using=given.buying.using, uses=given.unsent, now=now)
    elif not given.used and book_at_hand(session).holds:
        let_go(session, till_id=till_id)


def given_lines(given: Given, *, language: str, currency: str) -> list[str]:
    """Return the lines to print about gifts and vouchers, in the member's language."""
    gettext = translations(language).gettext
    lines = [
        gettext("Gift: %(reward)s (%(num)s)")
        % {"num": show_number(pieces, language), "reward": given.names.get(reward, reward)}
        for _, reward, pieces in given.gifts
    ]
    lines += missing_lines(given, language)
    for voucher in given.vouchers:
        if voucher.value_amount is None:
            lines.append(gettext("Voucher %(code)s") % {"code": voucher.voucher_code})
        else:
            value = show_money(Money(voucher.value_amount, currency), language)
            lines.append(
                gettext("Voucher for %(value)s: %(code)s") % {"value": value, "code": voucher.voucher_code}
            )
        if voucher.valid_until is not None:
            lines.append(gettext("valid until %(day)s") % {"day": show_date(voucher.valid_until, language)})
    lines += [
        gettext("%(value)s left on the voucher %(code)s")
        % {"code": code, "value": show_money(Money(rest, currency), language)}
        for code, rest in given.rests
    ]
    return lines


def missing_lines(given: Given, language: str) -> list[str]:
    """Return what to say of gifts that are not there any more."""
    said = translations(language).gettext("The gift %(reward)s is not in stock any more.")
    return [said % {"reward": given.names.get(reward, reward)} for reward in dict.fromkeys(given.missing)]
