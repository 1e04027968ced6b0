"""What a quote promised of offers, as it is kept with the quote: a receipt that names it gets it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from core.records import record
from loyalty.offer_points import NOTHING_ADDED, OfferPoints, read_offer_points
from rewards.applicator import Evaluation


@record
class Promised:
    """All applications of one version of an offer; `discount` in minor units."""

    offer_code: str
    offer_version: int
    times: int
    discount: int


@record
class Gifts:
    """Pieces of a reward, and vouchers of a batch, by the offer that gives them: (offer, what, how many)."""

    rewards: Sequence[tuple[str, str, int]] = ()
    vouchers: Sequence[tuple[str, str, int]] = ()


NO_GIFTS: Final = Gifts()


@record
class Shown:
    """Codes of vouchers of one batch that were presented with a basket, and what became of them there."""

    batch: str
    codes: Sequence[str]
    value: int | None
    """What each of them takes off, in minor units; without it they only open offers."""
    opened: Sequence[str] = ()
    """The offers that applied and ask for the batch."""


@record
class Promise:
    """What offers come to on a basket, discounts on lines aside."""

    applied: Mapping[str, Promised] = field(default_factory=dict)
    """By the offer's code; the value of vouchers is no offer's."""
    batches: frozenset[str] = frozenset()
    """Batches whose vouchers took off their value."""
    points: OfferPoints = NOTHING_ADDED
    gifts: Gifts = NO_GIFTS
    shown: Sequence[Shown] = ()
    """The vouchers that had to do with it: they are redeemed with the receipt, whether or not that names them."""

    def document(self) -> dict[str, Any] | None:
        """Return it as JSON; None where no offer applied."""
        if not self.applied and not self.batches:
            return None
        return {
            "applied": [
                [one.offer_code, one.offer_version, one.times, one.discount] for one in self.applied.values()
            ],
            "batches": sorted(self.batches),
            "points": self.points.document(),
            "gifts": [list(gift) for gift in self.gifts.rewards],
            "vouchers": [list(voucher) for voucher in self.gifts.vouchers],
            "shown": [[one.batch, list(one.codes), one.value, list(one.opened)] for one in self.shown],
        }


NOTHING_PROMISED: Final = Promise()


def promise_of(evaluation: Evaluation) -> Promise:
    """Return what an evaluation comes to."""
    offers = [one for one in evaluation.applications if one.offer_version is not None]
    return Promise(
        applied={
            one.offer_code: Promised(one.offer_code, one.offer_version or 0, one.times, one.amount)
            for one in offers
        },
        batches=frozenset(one.offer_code for one in evaluation.applications if one.offer_version is None),
        points=OfferPoints(sum(one.points for one in offers), evaluation.multiplied),
        gifts=Gifts(
            tuple((one.offer_code, reward, pieces) for one in offers for reward, pieces in one.gifts),
            tuple((one.offer_code, batch, count) for one in offers for batch, count in one.vouchers),
        ),
        shown=tuple(_shown(evaluation)),
    )


def _shown(evaluation: Evaluation) -> Iterator[Shown]:
    """Yield the presented vouchers that took off their value or opened an offer."""
    paying = {one.offer_code: one.codes for one in evaluation.applications if one.offer_version is None}
    opened = evaluation.opened
    for batch in sorted({*paying, *opened}):
        presented = evaluation.occasion.presented[batch]
        codes = paying.get(batch) or sorted(presented.codes)
        yield Shown(batch, tuple(codes), presented.value_amount, opened.get(batch, ()))


def read_promise(document: Mapping[str, Any] | None) -> Promise:
    """Return what `Promise.document` wrote."""
    if document is None:
        return NOTHING_PROMISED
    return Promise(
        applied={row[0]: Promised(*row) for row in document["applied"]},
        batches=frozenset(document["batches"]),
        points=read_offer_points(document["points"]),
        gifts=Gifts(
            tuple((offer, reward, pieces) for offer, reward, pieces in document["gifts"]),
            tuple((offer, batch, count) for offer, batch, count in document["vouchers"]),
        ),
        shown=tuple(Shown(*row) for row in document.get("shown", ())),
    )
