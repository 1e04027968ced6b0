"""What offers have to do with a paid sale: whether those it states were valid, what is used, and what they give beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.orm import Session

from core.ids import find_uuid
from loyalty.offer_points import NOTHING_ADDED, OfferPoints
from loyalty.quotes.offers import OnBasket
from loyalty.quotes.promises import NO_GIFTS, NOTHING_PROMISED, Gifts, Promise, Promised, Shown
from loyalty.quotes.quote import Quote
from rewards.applicator import apply_offers
from rewards.book import OfferBook
from rewards.codes import typed
from rewards.offer_queries import VersionOfOffer, versions_of
from rewards.offer_uses import Use
from rewards.offers import DISCOUNTS, Offer
from rewards.vouchers.batches import batches
from rewards.vouchers.reservations import read_holds
from sales.receipts import LIVE, SALE, Flag, PostedReceipt

UNKNOWN, NOT_VALID = "unknown_offer", "offer_not_valid"


@dataclass(slots=True)
class PaidOffers:
    """
    What offers come to on a sale.

    `evaluated` are the codes whose uses no quote promised and no line states: they can still be taken back.
    """

    flags: list[Flag] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    evaluated: set[str] = field(default_factory=set)
    points: OfferPoints = NOTHING_ADDED
    gifts: Gifts = NO_GIFTS
    times: Mapping[str, int] = field(default_factory=dict)
    """How often each offer applies that gives gifts: so many lots they come in."""
    missing: Sequence[str] = ()
    """Rewards of which the store has fewer pieces than offers would give."""
    vouchers: Sequence[str] = ()
    """Codes that were shown for the quote and are paid with, though the receipt does not name them."""

    @property
    def counted(self) -> bool:
        """Whether something is used that has a budget, which must be looked at before the answer is known."""
        return any(use.limits.held for use in self.uses)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the lines of a receipt say that an offer took off, in all, and the first of them."""

    amount: int
    line_number: int
    version: int | None


@dataclass(frozen=True, slots=True)
class KnownCodes:
    """What there is of codes that are not live: versions of offers, by code, and batches of vouchers."""

    versions: Mapping[str, Sequence[VersionOfOffer]] = field(default_factory=dict)
    batches: frozenset[str] = frozenset()


NOTHING_KNOWN: Final = KnownCodes()


def stated_offers(posted: PostedReceipt) -> dict[str, Stated]:
    """Return what the lines of `posted` state, by the offer's code."""
    found: dict[str, Stated] = {}
    for line in posted.lines:
        for part in line.discounts:
            before = found.get(part.offer_code)
            if before is None:
                found[part.offer_code] = Stated(part.amount, line.line_number, part.offer_version)
            else:
                found[part.offer_code] = replace(before, amount=before.amount + part.amount)
    return found


def known_codes(
    session: Session, stated: Mapping[str, Stated], live: Mapping[str, Offer], quote: Quote | None
) -> KnownCodes:
    """Return what there is of stated codes that nothing at hand explains; asks nothing where all is."""
    promise = quote.promise if quote else NOTHING_PROMISED
    promised = {one.offer_code: one.offer_version for one in promise.applied.values()}
    asked = {
        code
        for code, one in stated.items()
        if code not in promise.batches
        and (code not in live or promised.get(code, one.version) not in {None, live[code].version})
    }
    if not asked:
        return NOTHING_KNOWN
    versions: dict[str, list[VersionOfOffer]] = {}
    for version in versions_of(session, asked):
        versions.setdefault(version.offer.code, []).append(version)
    return KnownCodes(versions, frozenset(batches(session, asked - set(versions))))


def unknown_flags(posted: PostedReceipt, stated: Mapping[str, Stated], known: KnownCodes) -> Iterator[Flag]:
    """Yield the flags of stated offers that there never were, one for each line and code."""
    missing = {code for code in stated if code not in known.versions and code not in known.batches}
    for line in posted.lines:
        for code in sorted({part.offer_code for part in line.discounts} & missing):
            yield Flag(UNKNOWN, f"there is no offer {code}", line.line_number)


def paid_offers(
    session: Session, posted: PostedReceipt, *, quote: Quote | None, basket: OnBasket | None
) -> PaidOffers:
    """
    Return what offers come to on a sale; `basket` is its basket under the live offers, not looked at yet.

    What a quote promised holds, if it is honoured and the basket is the quoted one. Otherwise points,
    gifts and vouchers are those of the receipt's own basket. Discounts are always as stated.
    """
    paid, stated = PaidOffers(), stated_offers(posted)
    live = basket.live.offers if basket else {}
    known = known_codes(session, stated, live, quote)
    missing = {code for code in stated if not _is_known(code, live, known, quote)}
    paid.flags += unknown_flags(posted, {code: stated[code] for code in missing}, NOTHING_KNOWN)
    if posted.type != SALE or posted.mode != LIVE:
        return paid
    honoured = quote is not None and quote.honours(posted.closed_at)
    promise = quote.promise if quote else NOTHING_PROMISED
    by_vouchers = {code for code in stated if _is_value(code, live, promise if honoured else None, basket)}
    everything, stated = stated, {code: one for code, one in stated.items() if code not in by_vouchers}
    if quote is not None and honoured and quote.is_of(posted):
        _take(paid, promise, stated, live)
        if basket is not None and (everything.keys() - missing) - promise.applied.keys() - promise.batches:
            # What is stated beside the promise is judged by the basket; nothing more is given for it.
            basket.evaluate(session, quote_id=quote.quote_id)
    elif basket is not None:
        _evaluate(session, paid, basket, stated, quote)
    for code in sorted(stated.keys() - missing):
        valid_by_quote = honoured and (code in promise.applied or code in promise.batches)
        _state(paid, code, stated[code], posted, basket, known, promise, valid_by_quote=valid_by_quote)
    for code in sorted(by_vouchers):
        if not (honoured and code in promise.batches) and not _took_value(code, basket):
            paid.flags.append(Flag(NOT_VALID, _no_voucher(code), everything[code].line_number))
    if promise.shown and quote is not None and not quote.used:
        paid.vouchers = _unnamed(session, paid, posted, promise, everything, basket)
    return paid


def _is_value(code: str, live: Mapping[str, Offer], promise: Promise | None, basket: OnBasket | None) -> bool:
    """
    Whether what is stated under a code is the value of vouchers.

    An offer may be called as the batch is that it gives: only those that take something off are stated themselves.
    """
    if (
        promise
        and code in promise.batches
        and not (code in promise.applied and promise.applied[code].discount)
    ):
        return True
    offer = live.get(code)
    if basket is None or (offer is not None and isinstance(offer.benefit, DISCOUNTS)):
        return False
    return any(one.batch_code == code and one.value_amount for one in basket.vouchers)


def _took_value(code: str, basket: OnBasket | None) -> bool:
    """Whether the vouchers that a receipt names take something off its own basket."""
    evaluation = basket.evaluation if basket else None
    return evaluation is not None and any(
        one.offer_code == code and one.offer_version is None for one in evaluation.applications
    )


def _no_voucher(code: str) -> str:
    return f"no voucher of {code} that is good was presented"


def past_offers(session: Session, posted: PostedReceipt) -> PaidOffers:
    """
    Return what offers come to on a receipt of a file: nothing, but what nobody ever heard of is flagged.

    What a past sale was given beside its discounts, it was given by whatever ran the tills then.
    """
    stated = stated_offers(posted)
    known = known_codes(session, stated, {}, None)
    return PaidOffers(flags=list(unknown_flags(posted, stated, known)))


def _is_known(code: str, live: Mapping[str, Offer], known: KnownCodes, quote: Quote | None) -> bool:
    promise = quote.promise if quote else NOTHING_PROMISED
    return (
        code in live
        or code in known.versions
        or code in known.batches
        or code in promise.applied
        or code in promise.batches
    )


def _take(
    paid: PaidOffers, promise: Promise, stated: Mapping[str, Stated], live: Mapping[str, Offer]
) -> None:
    """Take what was promised beside discounts; a discount counts where the receipt states it."""
    paid.points, paid.gifts = promise.points, promise.gifts
    paid.times = {one.offer_code: one.times for one in promise.applied.values()}
    paid.uses += [
        _use(one, 0, live)
        for one in promise.applied.values()
        if not one.discount and one.offer_code not in stated
    ]


def _unnamed(  # noqa: PLR0917
    session: Session,
    paid: PaidOffers,
    posted: PostedReceipt,
    promise: Promise,
    stated: Mapping[str, Stated],
    basket: OnBasket | None,
) -> Sequence[str]:
    """
    Return the codes of vouchers shown for a quote that the receipt is paid with and does not name.

    Where it names a voucher of a batch, or a redemption that holds one, it has named all of them.
    """
    given = stated.keys() | {use.offer_code for use in paid.uses}
    named = {voucher.batch_code for voucher in basket.vouchers} if basket else set()
    told = set(map(typed, posted.voucher_codes))
    wanted = [
        one
        for one in promise.shown
        if one.batch not in named
        and told.isdisjoint(one.codes)
        and (one.batch in stated or not given.isdisjoint(one.opened))
    ]
    if not wanted:
        return ()
    redeemed = [found for text in posted.redemption_ids if (found := find_uuid(text))]
    if redeemed:
        held = {hold.batch_code for hold in read_holds(session, redeemed).values()}
        wanted = [one for one in wanted if one.batch not in held]
    return tuple(code for one in wanted for code in one.codes[: _needed(one, stated.get(one.batch))])


def _needed(shown: Shown, stated: Stated | None) -> int:
    """Return how many vouchers a stated value takes; one opens an offer however often that applies."""
    if stated is None or not shown.value:
        return 1
    return max(1, -(-stated.amount // shown.value))


def _evaluate(
    session: Session, paid: PaidOffers, basket: OnBasket, stated: Mapping[str, Stated], quote: Quote | None
) -> None:
    """Take what the offers give beside discounts for the receipt's own basket, as budgets are now."""
    basket.evaluate(session, quote_id=quote.quote_id if quote else None)
    basket.without_missing_gifts(session)
    paid.points, paid.gifts, paid.missing = basket.promise.points, basket.promise.gifts, basket.missing_gifts
    paid.times = {one.offer_code: one.times for one in basket.promise.applied.values()}
    given = [
        one for one in basket.promise.applied.values() if not one.discount and one.offer_code not in stated
    ]
    paid.evaluated = {one.offer_code for one in given}
    uses = [_use(one, 0, basket.live.offers) for one in given]
    # Applications are counted as quoted; where nothing was quoted, a use is a use.
    paid.uses += uses if quote else [replace(use, uses=1) for use in uses]


def _use(promised: Promised, amount: int, live: Mapping[str, Offer]) -> Use:
    offer = live.get(promised.offer_code)
    use = Use(promised.offer_code, promised.offer_version, promised.times, amount)
    return replace(use, limits=offer.limits) if offer else use


def _state(  # noqa: PLR0917
    paid: PaidOffers,
    code: str,
    stated: Stated,
    posted: PostedReceipt,
    basket: OnBasket | None,
    known: KnownCodes,
    promise: Promise,
    *,
    valid_by_quote: bool,
) -> None:
    """Take a stated discount as it is, and flag it where the offer was not valid."""
    live = basket.live.offers if basket else {}
    promised = promise.applied.get(code)
    if promised is not None and valid_by_quote:
        # The budget is that of the version that was promised, be it stopped or replaced since.
        stated = replace(stated, version=promised.offer_version)
        found = _of_version(code, promised.offer_version, live, known)
    else:
        found = _version(code, stated, posted, live, known)
    if not valid_by_quote:
        reason = _why_not(code, found, basket, known)
        if reason is not None:
            paid.flags.append(Flag(NOT_VALID, reason, stated.line_number))
    if found is None and promised is None:
        return  # the value of a voucher, which is no offer's use
    version = promised.offer_version if promised else found.version if found else 0
    limits = found.limits if found else live[code].limits if code in live else None
    use = Use(code, version, promised.times if promised else 1, stated.amount)
    paid.uses.append(replace(use, limits=limits) if limits else use)


def _of_version(code: str, version: int, live: Mapping[str, Offer], known: KnownCodes) -> Offer | None:
    if code in live and live[code].version == version:
        return live[code]
    versions = known.versions.get(code, ())
    return next((one.offer for one in versions if one.offer.version == version), None)


def _version(
    code: str,
    stated: Stated,
    posted: PostedReceipt,
    live: Mapping[str, Offer],
    known: KnownCodes,
) -> Offer | None:
    """Return the version that a receipt means: the one it states, if it was live then, else the one that is or was."""
    versions = known.versions.get(code, ())
    then = [one.offer for one in versions if one.was_live(posted.closed_at)]
    for offer in then:
        if offer.version == stated.version:
            return offer
    if code in live:
        return live[code]
    if then:
        return then[-1]
    return versions[-1].offer if versions else None


def _why_not(code: str, offer: Offer | None, basket: OnBasket | None, known: KnownCodes) -> str | None:
    """Return why a stated offer was not valid; None when it was, be it as one of many or by itself."""
    if basket is None:
        return f"{code} is not given in another currency than the store's"
    applied = {one.offer_code for one in basket.evaluation.applications} if basket.evaluation else set()
    if code in applied and (offer is None or basket.live.offers.get(code) == offer):
        return None
    if offer is None:
        return _no_voucher(code)
    if not _was_live(code, offer, basket, known):
        return f"{code} was not live"
    left = basket.left.get(code)
    if left is not None and 0 in {left.member, left.member_day}:
        return f"{code} was used by this member as often as it may be"
    alone = apply_offers(basket.cart, OfferBook((offer,)), basket.occasion)
    holds = any(one.offer_code == code for one in alone.applications)
    return None if holds else f"{code} does not hold on this basket, then and there, for this customer"


def _was_live(code: str, offer: Offer, basket: OnBasket, known: KnownCodes) -> bool:
    """Whether the version is live now, or was when the sale was closed."""
    return basket.live.offers.get(code) == offer or any(
        one.offer == offer and one.was_live(basket.occasion.at) for one in known.versions.get(code, ())
    )


def beyond_flags(stated: Mapping[str, Stated], beyond: Sequence[str]) -> Iterator[Flag]:
    """Yield the flags of offers whose budget was used up when the receipt came, without a quote that held it."""
    for code in beyond:
        place = stated.get(code)
        yield Flag(NOT_VALID, f"the budget of {code} is used up", place.line_number if place else None)
