"""Whether a live offer is there for this shopper at this moment. Pure."""

from collections.abc import Iterable
from datetime import date, datetime

from rewards.carts import Occasion
from rewards.eligibility import local_moment, may_have, runs_at
from rewards.offers import Offer
from rewards.ready_offers import LiveOffer


class Doorkeeper:
    """Who and when, on one occasion: whether an offer is there for this shopper at this moment."""

    __slots__ = ("at", "local", "occasion", "verdicts")

    def __init__(self, occasion: Occasion) -> None:
        self.occasion = occasion
        self.at = occasion.at.timestamp()
        self.local: datetime | None = None
        self.verdicts: dict[int, bool] = {}

    def among(self, offers: Iterable[LiveOffer]) -> list[LiveOffer]:
        """Return which of `offers` run now and are for this shopper, in their order."""
        at, verdicts = self.at, self.verdicts
        found = []
        for live in offers:
            if live.start <= at < live.end:
                verdict = verdicts.get(live.audience)
                if (self.welcomes(live) if verdict is None else verdict) and (
                    not live.timed or self.in_hours(live)
                ):
                    found.append(live)
        return found

    def welcomes(self, live: LiveOffer) -> bool:
        """Return what `may_have` says, worked out once for offers for the same people."""
        verdict = self.verdicts.get(live.audience)
        if verdict is None:
            verdict = self.verdicts[live.audience] = self.may_have(live.offer)
        return verdict

    def may_have(self, offer: Offer) -> bool:
        """Return whether the shopper belongs to the audience, and is known where limits count per person."""
        shopper = self.occasion.shopper
        if shopper is None and offer.limits.per_person and not self.occasion.has_card:
            return False
        # Finding the day costs more than everything else here; only birthdays ask for it.
        asked = offer.audience.birthday_within_days is not None
        return may_have(offer.audience, shopper, self._now().date() if asked else date.min)

    def in_hours(self, live: LiveOffer) -> bool:
        """Return whether weekday and hour are right."""
        return runs_at(live.offer.valid, self._now())

    def _now(self) -> datetime:
        if self.local is None:
            self.local = local_moment(self.occasion)
        return self.local
