"""What tills hear: the schemas of the answers, for the OpenAPI document. Later versions may add fields."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from pos_api.problems import PROBLEMS, TYPES

SIGNED = (
    "HMAC-SHA256 over the rest of the answer as compact JSON with its names in order, as it is sent; the key is "
    "the SHA-256 of the whole till key that `key_id` names."
)


class Answer(Schema):
    """An object that every version answers with at least these members."""

    class Meta:
        """Additions are allowed: a till passes over what it does not know."""

        unknown = EXCLUDE


def count(description: str | None = None) -> fields.Integer:
    """Return the field of a number of points that is never negative."""
    told = {"description": description} if description else {}
    return fields.Integer(required=True, metadata={"minimum": 0, **told})


def anything(description: str) -> fields.List[Any]:
    """Return the field of a list of objects."""
    return fields.List(fields.Dict(), required=True, metadata={"description": description})


class FlagAnswer(Answer):
    """Something odd about a receipt that is accepted all the same."""

    code = fields.String(required=True)
    line_number = fields.Integer(allow_none=True, metadata={"description": "The line, when it is about one."})
    detail = fields.String(required=True)


class ExpiringAnswer(Answer):
    """Points that will be lost at the end of a day."""

    points = count()
    on = fields.Date(required=True)


class TierAnswer(Answer):
    """Where the member stands among the tiers, and what is missing for the next."""

    code = fields.String(required=True)
    next = fields.String(required=True, allow_none=True)
    missing = fields.Integer(required=True, allow_none=True)


class ReceiptPointsAnswer(Answer):
    """What the receipt did to the account, and how it stands now; zeros and nulls without an account."""

    earned = count()
    spent = count()
    reversed = count()
    returned = count()
    pending_until = fields.Date(required=True, allow_none=True)
    balance = fields.Integer(required=True, metadata={"description": "available + pending"})
    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    expiring = fields.List(fields.Nested(ExpiringAnswer), required=True)


class DifferenceAnswer(Answer):
    """One thing that was quoted and paid differently; null where it was only in one of the two."""

    field = fields.String(
        required=True,
        metadata={
            "enum": [
                "card_number",
                "currency",
                "points_amount",
                "payable_amount",
                "points_earned",
                "quantity",
                "unit_price",
                "discount_amount",
                "total_amount",
            ]
        },
    )
    line_number = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null for the whole."}
    )
    quoted = fields.Raw(required=True, allow_none=True, metadata={"type": ["integer", "string", "null"]})
    paid = fields.Raw(required=True, allow_none=True, metadata={"type": ["integer", "string", "null"]})


class NextOfferAnswer(Answer):
    """One article to offer next; what the customer says to it goes to `/reactions` with its `decision_id`."""

    decision_id = fields.UUID(required=True)
    sku = fields.String(required=True)
    headline = fields.String(required=True)
    reason = fields.String(required=True, metadata={"description": "In the customer's language."})
    offer_code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The live offer that makes it cheaper, if one does."},
    )


class ReceiptAnswer(Answer):
    """The answer to a receipt, stored with it."""

    receipt_id = fields.UUID(required=True)
    replayed = fields.Boolean(
        required=True, metadata={"description": "Whether the same receipt was known already."}
    )
    flags = fields.List(fields.Nested(FlagAnswer), required=True)
    points = fields.Nested(ReceiptPointsAnswer, required=True)
    tier = fields.Nested(TierAnswer, required=True, allow_none=True)
    vouchers_issued = anything(
        "Vouchers for next time: `voucher_code`, `batch`, `value_amount`, `valid_until`."
    )
    gifts = anything("Gifts to hand over: `offer_code`, `reward_code`, `quantity`.")
    differences = fields.List(
        fields.Nested(DifferenceAnswer),
        required=True,
        metadata={"description": "Where the receipt departs from its quote."},
    )
    next_offers = fields.List(
        fields.Nested(NextOfferAnswer), required=True, metadata={"description": "At most one offer."}
    )
    messages = fields.List(fields.String(), required=True)
    print = fields.List(
        fields.String(), required=True, metadata={"description": "Lines to print, in the member's language."}
    )


class CardMemberAnswer(Answer):
    """Whom to greet."""

    greeting = fields.String(required=True)
    tier = fields.String(required=True, allow_none=True)
    birthday = fields.Boolean(required=True)


class CardPointsAnswer(Answer):
    """How the account stands; zeros without one."""

    balance = fields.Integer(required=True, metadata={"description": "available + pending"})
    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    reserved = count()
    spendable_now = count()
    spendable_value = count()
    expiring = fields.List(fields.Nested(ExpiringAnswer), required=True)


class CardAnswer(Answer):
    """A card and its holder's account."""

    card_number = fields.String(required=True)
    state = fields.String(
        required=True, metadata={"enum": ["stock", "issued", "active", "blocked", "replaced", "expired"]}
    )
    member = fields.Nested(CardMemberAnswer, required=True, allow_none=True)
    tier = fields.Nested(TierAnswer, required=True, allow_none=True)
    points = fields.Nested(CardPointsAnswer, required=True)
    vouchers = anything(
        "Vouchers that the member can use here: voucher_code, batch, name, value_amount, minimum_amount, valid_until, symbology."
    )
    rewards = anything("Rewards that the points would buy.")
    messages = fields.List(fields.String(), required=True)


class PlaceAnswer(Answer):
    """One place of the body that breaks a rule."""

    pointer = fields.String(required=True, metadata={"description": "JSON pointer (RFC 6901)."})
    detail = fields.String(required=True)


class ProblemAnswer(Answer):
    """A problem document (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "description": "A URI whose last segment is the code.",
            "format": "uri",
            "enum": [TYPES + code for code in PROBLEMS],
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(PlaceAnswer))


class BatchResultAnswer(Answer):
    """What became of one receipt of a batch: `receipt` when it is booked, otherwise `problem`."""

    index = fields.Integer(required=True, metadata={"description": "Its place in the batch, from 0."})
    status = fields.Integer(
        required=True, metadata={"description": "What it alone would have been answered."}
    )
    receipt = fields.Nested(ReceiptAnswer)
    problem = fields.Nested(ProblemAnswer)


class BatchAnswer(Answer):
    """One result for every receipt, in the order of the batch."""

    results = fields.List(fields.Nested(BatchResultAnswer), required=True)


class RedemptionAnswer(Answer):
    """Points held for a purchase or a reward: reserved, then posted, released or expired."""

    redemption_id = fields.UUID(required=True)
    state = fields.String(required=True, metadata={"enum": ["reserved", "posted", "released", "expired"]})
    expires_at = fields.DateTime(required=True)
    points = count()
    value_amount = fields.Integer(
        required=True, metadata={"description": "What the points, or the voucher, are worth."}
    )
    pickup_code = fields.String(
        metadata={"description": "Of a reward: what the customer names who picks it up at the counter."}
    )


class ReferralAnswer(Answer):
    """What became of the code of who brought a new member."""

    state = fields.String(required=True, metadata={"enum": ["waiting", "refused"]})
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "By what a new member was known already, or that there is no referral.",
            "enum": ["off", "card", "phone", "email", "household", None],
        },
    )


class MemberAnswer(Answer):
    """A new member and the card that is now theirs."""

    member_code = fields.String(required=True)
    card = fields.Nested(CardAnswer, required=True)
    referral = fields.Nested(
        ReferralAnswer, metadata={"description": "There when the request had a `referral_code`."}
    )


class ReturnedLineAnswer(Answer):
    """What comes back of a line, capped at what is still out."""

    original_line_number = fields.Integer(required=True)
    quantity = fields.String(required=True)
    refund_amount = fields.Integer(required=True)
    points_reversed = count()
    points_returned = count()


class BrokenOfferAnswer(Answer):
    """An offer that takes less off what is kept than it did on the sale."""

    offer_code = fields.String(required=True)
    offer_version = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True, metadata={"description": "What it is called."})
    amount = fields.Integer(
        required=True, metadata={"description": "By how much it lowers the refund; below zero: raises it."}
    )


class RefundAnswer(Answer):
    """The money to hand back."""

    refund_amount = fields.Integer(required=True)


class ReturnedPointsAnswer(Answer):
    """What the return would do to the account."""

    reversed = count()
    returned = count()
    balance_after = fields.Integer(required=True)


class ReturnQuoteAnswer(Answer):
    """What a return would do."""

    lines = fields.List(fields.Nested(ReturnedLineAnswer), required=True)
    totals = fields.Nested(RefundAnswer, required=True)
    points = fields.Nested(ReturnedPointsAnswer, required=True)
    flags = fields.List(fields.Nested(FlagAnswer), required=True)
    paid_amount = fields.Integer(
        metadata={
            "description": "Where offers were given on the sale: what was paid for what comes back, before points."
        }
    )
    broken_offers = fields.List(
        fields.Nested(BrokenOfferAnswer),
        metadata={"description": "Where offers were given: why the refund is not what was paid."},
    )


class QuotedLineAnswer(Answer):
    """What a line comes to, before points."""

    line_number = fields.Integer(required=True)
    gross_amount = fields.Integer(required=True)
    discount_amount = fields.Integer(required=True, metadata={"minimum": 0})
    net_amount = fields.Integer(required=True)
    discounts = anything(
        "By which version of which offer, and why; the value of a voucher is its batch's, without a version."
    )


class QuotedTotalsAnswer(Answer):
    """What the basket comes to: payable = gross - discount - points."""

    gross_amount = fields.Integer(required=True)
    discount_amount = fields.Integer(required=True, metadata={"minimum": 0})
    points_amount = fields.Integer(required=True, metadata={"minimum": 0})
    payable_amount = fields.Integer(required=True)


class QuotedPointsAnswer(Answer):
    """What the basket would do to the account; zeros without one."""

    to_earn = count()
    to_spend = count("How many of `points_to_spend` can be: reserve so many.")
    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    spendable_now = count("At most, on this basket.")
    spendable_value = count()


class QuoteAnswer(Answer):
    """What a basket would cost and earn if it were paid now."""

    quote_id = fields.UUID(required=True)
    valid_until = fields.DateTime(required=True)
    lines = fields.List(fields.Nested(QuotedLineAnswer), required=True)
    totals = fields.Nested(QuotedTotalsAnswer, required=True)
    points = fields.Nested(QuotedPointsAnswer, required=True)
    gifts = anything("Gifts that would be handed over: `offer_code`, `reward_code`, `quantity`.")
    vouchers = anything("Vouchers for next time that would be issued: `offer_code` and `batch`.")
    not_applied = anything(
        "Offers that this basket touches and that give nothing: what each is called (`name`), the reason, and what is `missing`."
    )
    next_offers = fields.List(
        fields.Nested(NextOfferAnswer), required=True, metadata={"description": "What to offer next."}
    )
    member = fields.Nested(CardMemberAnswer, required=True, allow_none=True)
    messages = fields.List(fields.String(), required=True)


class SnapshotCardAnswer(Answer):
    """A card as a till knows it that is offline; no name, nor anything else of its holder."""

    card_number = fields.String(required=True)
    state = fields.String(
        required=True, metadata={"enum": ["issued", "active", "blocked", "replaced", "expired"]}
    )
    spendable_now = count()
    allowance = fields.String(
        metadata={
            "description": "Of `spendable_now` points, for `offline_redemptions`; there when it is not 0."
        }
    )


class SnapshotProgrammeAnswer(Answer):
    """What a sale will earn, and what points are worth, in the store's currency."""

    version = fields.Integer(required=True)
    currency = fields.String(required=True)
    earned_points = count()
    earned_per_amount = count()
    earned_net_of_tax = fields.Boolean(required=True)
    earned_on_points = fields.Boolean(required=True)
    pending_days = count()
    point_value = count()
    points_as = fields.String(required=True, metadata={"enum": ["discount", "tender"]})
    points_minimum = count()
    points_step = count()
    points_share_percent = count()


class SnapshotOffersAnswer(Answer):
    """The live offers of the store: how exclusive groups choose, and each offer in the format of offers, with its version."""

    choice = fields.String(required=True, metadata={"enum": ["first", "best"]})
    offers = anything("Offers, as `regulars offers export` writes them, and their `version`.")


class SnapshotPayloadAnswer(Answer):
    """What is signed: all cards when `whole`, otherwise those that changed since the edition `since`."""

    whole = fields.Boolean(required=True)
    since = fields.String(required=True, allow_none=True)
    store_code = fields.String(required=True)
    till_code = fields.String(required=True)
    programme = fields.Nested(SnapshotProgrammeAnswer, required=True)
    offers = fields.Nested(SnapshotOffersAnswer)
    cards = fields.List(fields.Nested(SnapshotCardAnswer), required=True)


class SnapshotAnswer(Answer):
    """Data to work from while offline, until `valid_until`."""

    generated_at = fields.DateTime(required=True)
    valid_until = fields.DateTime(required=True)
    key_id = fields.String(required=True, metadata={"description": "The middle part of the till key."})
    payload = fields.Nested(SnapshotPayloadAnswer, required=True)
    signature = fields.String(required=True, metadata={"pattern": "^[0-9a-f]{64}$", "description": SIGNED})
