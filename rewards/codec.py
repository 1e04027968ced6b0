"""Offers as JSON: the document of format 1, read strictly and written in one canonical way. Pure."""

import re
from collections.abc import Callable
from datetime import time
from typing import Any

from rewards.benefit_documents import benefit_document, read_benefit
from rewards.condition_documents import condition_document, read_condition
from rewards.document_reading import (
    LARGEST_AMOUNT,
    Fields,
    OffersRefused,
    amount,
    below,
    by_name,
    choices,
    code,
    count,
    flag,
    items,
    moment,
    one_of,
    spoken,
    text,
    voucher_code,
    whole,
)
from rewards.offers import (
    ARTICLE,
    BEST,
    FIRST,
    MEMBERS,
    STAGES,
    VOUCHER,
    WHO,
    Audience,
    Condition,
    Hours,
    Limits,
    NoneOf,
    Offer,
    OfferDocument,
    OfferedReward,
    Validity,
    VoucherBatch,
    VoucherPresented,
)

__all__ = ["OffersRefused", "document_of", "offer_document", "read_document", "read_offer"]

FORMAT = 1
MOST_OFFERS = 100_000
LANGUAGE = re.compile(r"[a-z]{2,3}\Z")
MOST_CODES = 1_000_000
"""Of one batch: as many as an export may tell of."""
MIDNIGHT = "24:00"
"""The end of a day, as ISO 8601 writes it too; the next one's 00:00."""
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
LIMITS = (
    "per_receipt",
    "per_member_day",
    "per_member",
    "uses",
    "amount",
    "per_store_day_uses",
    "per_store_day_amount",
    "per_store_week_uses",
    "per_store_week_amount",
)
LISTS = ("tiers", "groups", "phases", "values", "member_codes")


def read_document(document: Any) -> OfferDocument:
    """Return what a file says; raises `OffersRefused`, for a code that stands there twice too."""
    fields = Fields(document, "")
    fields.need("format", _format)
    found = OfferDocument(
        choice=fields.take("choice", one_of(FIRST, BEST), None),
        vouchers=fields.take("vouchers", items(_batch, most=MOST_OFFERS), ()),
        rewards=fields.take("rewards", items(_reward, most=MOST_OFFERS), ()),
        offers=fields.take("offers", items(read_offer, most=MOST_OFFERS), ()),
    )
    fields.end()
    _once([batch.batch for batch in found.vouchers], lambda index: f"/vouchers/{index}/batch")
    _once([reward.code for reward in found.rewards], lambda index: f"/rewards/{index}/code")
    _once([offer.code for offer in found.offers], lambda index: f"/offers/{index}/code")
    places = [(at, place) for at, batch in enumerate(found.vouchers) for place in range(len(batch.codes))]
    _once(
        [each for batch in found.vouchers for each in batch.codes],
        lambda index: "/vouchers/{}/codes/{}".format(*places[index]),
    )
    return found


def document_of(document: OfferDocument) -> dict[str, Any]:
    """Return a whole document as JSON, in the order in which its parts are given."""
    written: dict[str, Any] = {"format": FORMAT}
    if document.choice:
        written["choice"] = document.choice
    written["vouchers"] = [_batch_document(batch) for batch in document.vouchers]
    written["rewards"] = [
        {
            "code": reward.code,
            "name": dict(sorted(reward.names.items())),
            "points": reward.points,
            "stock": dict(sorted(reward.stock.items())),
        }
        for reward in document.rewards
    ]
    written["offers"] = [offer_document(offer) for offer in document.offers]
    return written


def read_offer(document: Any, pointer: str = "") -> Offer:
    """Return one offer, its version 0; raises `OffersRefused` with pointers below `pointer`."""
    fields = Fields(document, pointer)
    offer = Offer(
        code=fields.need("code", code),
        names=fields.take("name", _names, {}),
        valid=fields.take("valid", _validity, Validity()),
        stores=fields.take("stores", choices(text), ()),
        audience=fields.take("audience", _audience, Audience()),
        stage=fields.take("stage", one_of(*STAGES), ARTICLE),
        priority=fields.take("priority", whole(-LARGEST_AMOUNT, LARGEST_AMOUNT), 100),
        exclusive_group=fields.take("exclusive_group", text, None),
        stackable=fields.take("stackable", flag, True),
        limits=fields.take("limits", _limits, Limits()),
        condition=fields.need("condition", read_condition),
        benefit=fields.need("benefit", read_benefit),
    )
    fields.end()
    if offer.stage == VOUCHER and not _asks_for_voucher(offer.condition):
        raise OffersRefused(below(pointer, "stage"), "needs a voucher condition")
    return offer


def offer_document(offer: Offer) -> dict[str, Any]:
    """
    Return an offer as JSON: every key, sorted lists, numbers without trailing zeros.

    Reading it gives the same offer, and offers that mean the same are written alike. The version is not part of it.
    """
    audience, valid = offer.audience, offer.valid
    return {
        "code": offer.code,
        "name": dict(sorted(offer.names.items())),
        "valid": {
            "from": valid.start.isoformat() if valid.start else None,
            "to": valid.end.isoformat() if valid.end else None,
            "weekdays": list(valid.weekdays),
            "hours": [{"from": f"{each.start:%H:%M}", "to": f"{each.end:%H:%M}"} for each in valid.hours],
        },
        "stores": list(offer.stores),
        "audience": {
            "who": audience.who,
            **{name: list(getattr(audience, name)) for name in LISTS},
            "birthday_within_days": audience.birthday_within_days,
            "first_purchase": audience.first_purchase,
            "staff": audience.staff,
            "companies": audience.companies,
        },
        "stage": offer.stage,
        "priority": offer.priority,
        "exclusive_group": offer.exclusive_group,
        "stackable": offer.stackable,
        "limits": {name: getattr(offer.limits, name) for name in LIMITS},
        "condition": condition_document(offer.condition),
        "benefit": benefit_document(offer.benefit),
    }


def _format(value: Any, pointer: str) -> int:
    if value != FORMAT or isinstance(value, bool | float):
        raise OffersRefused(pointer, f"must be {FORMAT}")
    return FORMAT


def _once(codes: list[str], place: Callable[[int], str]) -> None:
    seen: set[str] = set()
    for index, each in enumerate(codes):
        if each in seen:
            raise OffersRefused(place(index), f"{each} stands in the document twice")
        seen.add(each)


def _names(value: Any, pointer: str) -> dict[str, str]:
    names = by_name(spoken)(value, pointer)
    for language in names:
        if not LANGUAGE.match(language):
            raise OffersRefused(below(pointer, language), "is no language code")
    return names


def _clock(value: Any, pointer: str) -> time:
    if not isinstance(value, str) or not CLOCK.match(value):
        raise OffersRefused(pointer, "must be a time of day, such as 22:00")
    return time.fromisoformat(value)


def _until(value: Any, pointer: str) -> time:
    return time(0) if value == MIDNIGHT else _clock(value, pointer)


def _hours(value: Any, pointer: str) -> Hours:
    fields = Fields(value, pointer)
    found = Hours(start=fields.need("from", _clock), end=fields.need("to", _until))
    fields.end()
    return found


def _validity(value: Any, pointer: str) -> Validity:
    fields = Fields(value, pointer)
    hours = fields.take("hours", items(_hours, most=100), ())
    found = Validity(
        start=fields.take("from", moment, None),
        end=fields.take("to", moment, None),
        weekdays=fields.take("weekdays", choices(whole(1, 7)), ()),
        hours=tuple(sorted(set(hours), key=lambda each: (each.start, each.end))),
    )
    fields.end()
    if found.start and found.end and found.end <= found.start:
        raise OffersRefused(below(pointer, "to"), "must be after from")
    return found


def _audience(value: Any, pointer: str) -> Audience:
    fields = Fields(value, pointer)
    lists: dict[str, tuple[str, ...]] = {name: fields.take(name, choices(text), ()) for name in LISTS}
    found = Audience(
        who=fields.take("who", one_of(*WHO), MEMBERS),
        birthday_within_days=fields.take("birthday_within_days", whole(0, 366), None),
        first_purchase=fields.take("first_purchase", flag, False),
        staff=fields.take("staff", flag, False),
        companies=fields.take("companies", flag, False),
        **lists,
    )
    fields.end()
    return found


def _limits(value: Any, pointer: str) -> Limits:
    fields = Fields(value, pointer)
    found = Limits(
        **{name: fields.take(name, amount if name.endswith("amount") else count, None) for name in LIMITS}
    )
    fields.end()
    return found


def _asks_for_voucher(condition: Condition) -> bool:
    """Whether a voucher can open it; one that must not be presented does not count."""
    if isinstance(condition, NoneOf):
        return False
    return isinstance(condition, VoucherPresented) or any(
        _asks_for_voucher(part) for part in getattr(condition, "of", ()) if not hasattr(part, "quantity")
    )


def _batch(value: Any, pointer: str) -> VoucherBatch:
    fields = Fields(value, pointer)
    found = VoucherBatch(
        batch=fields.need("batch", code),
        value_amount=fields.take("value_amount", amount, None),
        currency=fields.take("currency", _currency, None),
        minimum_amount=fields.take("minimum_amount", amount, None),
        valid_days=fields.take("valid_days", whole(0, 36_500), None),
        codes=fields.take("codes", items(voucher_code, most=MOST_CODES), ()),
    )
    fields.end()
    return found


def _batch_document(batch: VoucherBatch) -> dict[str, Any]:
    return {
        "batch": batch.batch,
        "value_amount": batch.value_amount,
        "currency": batch.currency,
        "minimum_amount": batch.minimum_amount,
        "valid_days": batch.valid_days,
        "codes": list(batch.codes),
    }


def _currency(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise OffersRefused(pointer, "must be a currency of ISO 4217")
    return value


def _reward(value: Any, pointer: str) -> OfferedReward:
    fields = Fields(value, pointer)
    found = OfferedReward(
        code=fields.need("code", code),
        names=fields.take("name", _names, {}),
        points=fields.take("points", whole(0, 10**9), 0),
        stock=fields.take("stock", by_name(count), {}),
    )
    fields.end()
    return found
