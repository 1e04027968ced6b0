"""What offers come to on a basket that is not yet paid, and holding what its quote promises of their budgets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.i18n import called, translations
from core.records import record
from loyalty.quotes.promises import NOTHING_PROMISED, Promise, promise_of
from rewards.applicator import Evaluation, apply_offers
from rewards.carts import Cart, Left, Occasion, Shopper
from rewards.carts import Presented as OfBatch
from rewards.explanations import NotApplied
from rewards.live_book import LiveBook
from rewards.offer_uses import Place, Use, budgets_left
from rewards.offers import Gift
from rewards.stocks.operations import gifts_left
from rewards.vouchers.redeeming import Presented, presented_vouchers
from sales.receipts import Discount, PostedLine, TillIdentity

NONE_LEFT = Left(
    uses=0,
    amount=0,
    member_day=0,
    member=0,
    store_day_uses=0,
    store_day_amount=0,
    store_week_uses=0,
    store_week_amount=0,
)


@record
class Buyer:
    """Who buys, as far as that is known: for offers, for vouchers, and for limits per member."""

    shopper: Shopper | None = None
    account_id: UUID | None = None
    person_id: UUID | None = None
    """Whom limits per member count; None for a card that was never in use, which has used nothing."""
    language: str = "en"
    has_card: bool = False


@dataclass(slots=True)
class OnBasket:
    """Live offers looking at one basket; `evaluate` may be called again when budgets have changed meanwhile."""

    live: LiveBook
    cart: Cart
    occasion: Occasion
    place: Place
    person_id: UUID | None
    now: datetime
    vouchers: Sequence[Presented] = ()
    left: Mapping[str, Left] = field(default_factory=dict)
    """What limits allowed when it was evaluated last."""
    evaluation: Evaluation | None = None
    promise: Promise = NOTHING_PROMISED
    missing_gifts: list[str] = field(default_factory=list)
    """Rewards that offers would give, but the store has no more of."""

    def evaluate(
        self,
        session: Session,
        *,
        quote_id: UUID | None = None,
        denied: Collection[str] = (),
    ) -> None:
        """
        Work out what the offers give now, with what is left of their budgets; `denied` ones have nothing left.

        Asks for what is left only when an offer with a limit could apply.
        """
        candidates = self.live.book.limited_candidates(self.cart, self.occasion)
        left = dict(
            budgets_left(
                session,
                offers=candidates,
                place=self.place,
                person_id=self.person_id,
                now=self.now,
                quote_id=quote_id,
            )
        )
        self.left = left | dict.fromkeys(denied, NONE_LEFT)
        self.evaluation = apply_offers(self.cart, self.live.book, self.occasion, self.left)
        self.promise = promise_of(self.evaluation)

    @property
    def uses(self) -> list[Use]:
        """What of offers is used, with their budgets."""
        return [
            Use(
                one.offer_code,
                one.offer_version,
                one.times,
                one.discount,
                self.live.offers[one.offer_code].limits,
            )
            for one in self.promise.applied.values()
        ]

    @property
    def with_budgets(self) -> list[str]:
        """The live offers of which quotes hold what they promise: without them nothing is to be held."""
        return [offer.code for offer in self.live.offers.values() if offer.limits.held]

    @property
    def holding(self) -> tuple[Place, list[Use]]:
        """What a quote must hold, and where: uses of offers that have a budget."""
        return self.place, [use for use in self.uses if use.limits.held]

    def not_applied(self, session: Session) -> list[NotApplied]:
        """
        Return why offers gave nothing; what nobody can have any more has nothing missing.

        What is left of budgets and gifts was asked for what could apply. Of the others it is asked here, for those
        of which the customer would be told to buy more.
        """
        if self.evaluation is None:
            return []
        told = list(self.evaluation.not_applied)
        left = self.left_of(session, [one.offer_code for one in told if one.missing is not None])
        if not left:
            return told
        return [
            (
                self.evaluation.why_not(one.offer_code, left[one.offer_code])
                if one.offer_code in left
                else None
            )
            or one
            for one in told
        ]

    def left_of(self, session: Session, codes: Collection[str]) -> dict[str, Left]:
        """Return what budgets and stock leave of those of the offers that were not asked for; asks nothing without."""
        offers = [
            self.live.offers[code] for code in codes if code in self.live.offers and code not in self.left
        ]
        limited = [offer for offer in offers if offer.limits.counted]
        left = dict(
            budgets_left(session, offers=limited, place=self.place, person_id=self.person_id, now=self.now)
        )
        gifts = {offer.code: offer.benefit for offer in offers if isinstance(offer.benefit, Gift)}
        if gifts:
            rewards = sorted({gift.reward for gift in gifts.values()})
            there = gifts_left(session, store_id=self.place.store_id, reward_codes=rewards)
            for code, gift in gifts.items():
                pieces = there.get(gift.reward)
                if pieces is not None:
                    left[code] = left.get(code, Left())._replace(times=pieces // max(1, gift.quantity))
        return left

    def without_missing_gifts(self, session: Session) -> None:
        """Evaluate again with no more gifts than lie in the store, and remember which were short."""
        while rewards := self.promise.gifts.rewards:
            codes = sorted({reward for _, reward, _ in rewards})
            there = dict(gifts_left(session, store_id=self.place.store_id, reward_codes=codes))
            possible: dict[str, Left] = {}
            for offer_code, reward, pieces in rewards:
                left = there.get(reward)
                if left is None:
                    continue
                each = pieces // self.promise.applied[offer_code].times
                if left < pieces:
                    self.missing_gifts.append(reward)
                    before = self.left.get(offer_code, Left())
                    possible[offer_code] = before._replace(times=left // each)
                there[reward] = left - min(pieces, left // each * each)
            if not possible:
                return
            self.left = {**self.left, **possible}
            self.evaluation = apply_offers(self.cart, self.live.book, self.occasion, self.left)
            self.promise = promise_of(self.evaluation)


def on_basket(
    session: Session,
    *,
    live: LiveBook,
    cart: Cart,
    till: TillIdentity,
    at: datetime,
    buyer: Buyer,
    voucher_codes: Sequence[str],
    now: datetime,
) -> OnBasket:
    """Return the live offers looking at a cart at `at`, with the vouchers that are presented looked up."""
    day = business_day(at, till.timezone)
    vouchers: list[Presented] = []
    if voucher_codes:
        vouchers = presented_vouchers(
            session, codes=voucher_codes, till=till, account_id=buyer.account_id, today=day, now=now
        )
    occasion = Occasion(
        at=at,
        timezone=till.timezone,
        store_code=till.store_code,
        currency=till.currency,
        shopper=buyer.shopper,
        presented=_by_batch(vouchers),
        language=buyer.language,
        has_card=buyer.has_card or buyer.person_id is not None,
    )
    place = Place(till.store_id, till.till_id, day)
    return OnBasket(live, cart, occasion, place, buyer.person_id, now, vouchers)


def _by_batch(vouchers: Sequence[Presented]) -> Mapping[str, OfBatch]:
    """Return the good ones by batch; of one batch those that are worth what the first is."""
    found: dict[str, OfBatch] = {}
    for voucher in vouchers:
        if not voucher.fit or voucher.batch_code is None:
            continue
        before = found.get(voucher.batch_code)
        if before is None:
            found[voucher.batch_code] = OfBatch(
                (voucher.voucher_code,),
                voucher.value_amount,
                voucher.minimum_amount,
                voucher.currency,
                voucher.batch_names,
            )
        elif (before.value_amount, before.minimum_amount) == (voucher.value_amount, voucher.minimum_amount):
            found[voucher.batch_code] = replace(before, codes=(*before.codes, voucher.voucher_code))
    return found


def discounted(lines: Sequence[PostedLine], evaluation: Evaluation) -> tuple[PostedLine, ...]:
    """Return lines at list prices with the discounts of an evaluation of them."""
    return tuple(
        replace(
            line,
            discount_amount=sum(one.amount for one in found),
            total_amount=net,
            discounts=tuple(Discount(one.offer_code, one.offer_version, one.amount) for one in found),
        )
        if found
        else line
        for line, net, found in zip(lines, evaluation.nets, evaluation.discounts, strict=True)
    )


def offers_document(session: Session, basket: OnBasket) -> dict[str, Any]:
    """Return what the contract tells of offers beside the lines."""
    not_applied = list(_unfit(basket))
    not_applied += [
        {
            "offer_code": one.offer_code,
            "name": _name_of(basket, one.offer_code),
            "reason": one.reason,
            "missing": one.missing,
        }
        for one in basket.not_applied(session)
    ]
    return {
        "gifts": [
            {"offer_code": offer_code, "reward_code": reward, "quantity": pieces}
            for offer_code, reward, pieces in basket.promise.gifts.rewards
        ],
        "vouchers": [
            {"offer_code": offer_code, "batch": batch}
            for offer_code, batch, count in basket.promise.gifts.vouchers
            for _ in range(count)
        ],
        "not_applied": not_applied[:20],
    }


def _name_of(basket: OnBasket, code: str) -> str:
    """Return what an offer, or a batch of vouchers that is presented, is called where the basket is asked for."""
    language = basket.occasion.language
    offer = basket.live.offers.get(code)
    if offer is not None:
        return offer.name(language)
    presented = basket.occasion.presented.get(code)
    return called(presented.names if presented else None, language, code)


def _unfit(basket: OnBasket) -> list[dict[str, Any]]:
    """Return the vouchers that are known but not good, as offers that did not apply."""
    if not basket.vouchers:
        return []
    words = voucher_words(basket.occasion.language)
    return [
        {
            "offer_code": voucher.batch_code,
            "name": voucher.batch_name(basket.occasion.language),
            "reason": words[voucher.reason] % {"code": voucher.voucher_code},
            "missing": None,
        }
        for voucher in basket.vouchers
        if voucher.batch_code is not None and voucher.reason is not None
    ]


def voucher_words(language: str) -> Mapping[str, str]:
    """Return why a voucher is not good, by the reason that is found for it."""
    gettext = translations(language).gettext
    return {
        "redeemed": gettext("The voucher %(code)s was used already."),
        "cancelled": gettext("The voucher %(code)s was cancelled."),
        "expired": gettext("The voucher %(code)s is over."),
        "reserved": gettext("The voucher %(code)s is held at another till."),
        "other_store": gettext("The voucher %(code)s is not taken in this store."),
        "other_member": gettext("The voucher %(code)s belongs to another member."),
        "currency": gettext("The voucher %(code)s is in another currency."),
    }


def offer_messages(basket: OnBasket) -> list[str]:
    """Return what a cashier should know of how offers were chosen."""
    notes = basket.evaluation.notes if basket.evaluation else ()
    names = basket.live.book.names
    if not basket.vouchers and not basket.missing_gifts and not notes:
        return []
    gettext = translations(basket.occasion.language).gettext
    said = [
        gettext("The voucher %(code)s is not known.") % {"code": voucher.voucher_code}
        for voucher in basket.vouchers
        if voucher.batch_code is None
    ]
    said += [
        gettext("The gift %(reward)s is not in stock any more.")
        % {"reward": called(names.rewards.get(reward), basket.occasion.language, reward)}
        for reward in dict.fromkeys(basket.missing_gifts)
    ]
    for note, subject in notes:
        if note == "greedy":
            said.append(
                gettext("So many offers of the group %(group)s meet that the best were chosen one by one.")
                % {"group": subject}
            )
        else:
            said.append(
                gettext("The offer %(offer)s applies more often than can be counted on one receipt.")
                % {"offer": _name_of(basket, subject)}
            )
    return said
