"""The value of presented vouchers: taken off all lines at the very end, by what is left of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.i18n import called
from core.money import split_largest_remainder
from rewards.carts import Occasion, Presented
from rewards.standing_basket import Basket
from rewards.units import DISCOUNTED, Run, share_over_units

AFTER_ALL = 10**18
"""The rank of what comes after all offers."""


@dataclass(slots=True)
class Redeemed:
    """What the codes of one batch took off, by place of the line."""

    batch: str
    names: Mapping[str, str]
    codes: tuple[str, ...] = ()
    per_line: dict[int, int] = field(default_factory=dict)

    def name(self, language: str) -> str:
        """Return what the batch is called in `language`, else in English, else its code."""
        return called(self.names, language, self.batch)


def take_values(basket: Basket, occasion: Occasion, before: int) -> list[Redeemed]:
    """Take off what presented codes are worth, batch by batch; `before` is the net before the stage of vouchers."""
    found = []
    basket.history.append((AFTER_ALL, basket.runs))
    basket.runs = basket.runs.copy()
    for batch, presented in sorted(occasion.presented.items()):
        if refusal(presented, occasion, before) is not None:
            continue
        redeemed = Redeemed(batch, presented.names)
        for code in sorted(presented.codes):
            if not _take(basket, presented.value_amount or 0, redeemed):
                break
            redeemed.codes += (code,)
        if redeemed.codes:
            found.append(redeemed)
    return found


def refusal(presented: Presented, occasion: Occasion, before: int) -> str | None:
    """Return why codes take nothing off whatever is left: "worthless", "currency" or "minimum"; None when they may."""
    if not presented.value_amount:
        return "worthless"
    if presented.currency is not None and presented.currency != occasion.currency:
        return "currency"
    return "minimum" if before < (presented.minimum_amount or 0) else None


def _take(basket: Basket, value: int, redeemed: Redeemed) -> bool:
    lefts = [basket.net[place] for place in basket.priced]
    value = min(value, sum(lefts))
    if value <= 0:
        return False
    for place, share in zip(basket.priced, split_largest_remainder(value, lefts), strict=True):
        if share:
            _take_off_line(basket, place, share)
            redeemed.per_line[place] = redeemed.per_line.get(place, 0) + share
    return True


def _take_off_line(basket: Basket, place: int, share: int) -> None:
    runs = basket.units(place)
    shares = share_over_units(share, [(count, left) for count, left, _flags, _times in runs])
    made: list[Run] = []
    for (_count, left, flags, times), parts in zip(runs, shares, strict=True):
        made.extend((many, left - off, flags | (DISCOUNTED if off else 0), times) for many, off in parts)
    basket.runs[place] = made
    basket.net[place] -= share
