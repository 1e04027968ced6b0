"""Whether an offer is there for somebody at a moment: audience, weekdays and hours. Pure."""

import calendar
from datetime import date, datetime, time

from core.clock import zone
from rewards.carts import Occasion, Shopper
from rewards.offers import COMPANIES, EVERYONE, Audience, Hours, Validity


def may_have(audience: Audience, shopper: Shopper | None, today: date) -> bool:
    """Return whether `shopper`, None without a card, belongs to an audience on a store-local day."""
    if shopper is None:
        return audience.who == EVERYONE and not is_personal(audience)
    if shopper.staff and not audience.staff:
        return False
    if shopper.company and not audience.companies and audience.who != COMPANIES:
        return False
    if audience.who == COMPANIES and not shopper.company:
        return False
    return (
        (not audience.tiers or shopper.tier in audience.tiers)
        and (not audience.groups or not set(shopper.groups).isdisjoint(audience.groups))
        and (not audience.phases or shopper.phase in audience.phases)
        and (not audience.values or shopper.value in audience.values)
        and (not audience.member_codes or shopper.member_code in audience.member_codes)
        and (not audience.first_purchase or shopper.first_purchase)
        and (
            audience.birthday_within_days is None
            or (
                shopper.birth_date is not None
                and days_to_birthday(shopper.birth_date, today) <= audience.birthday_within_days
            )
        )
    )


def is_personal(audience: Audience) -> bool:
    """Return whether an audience asks for more than a card."""
    return bool(
        audience.tiers
        or audience.groups
        or audience.phases
        or audience.values
        or audience.member_codes
        or audience.birthday_within_days is not None
        or audience.first_purchase
    )


def birthday_in(born: date, year: int) -> date:
    """Return the birthday in `year`; who was born on 29 February has it on 28 February in common years."""
    if born.month == 2 and born.day == 29 and not calendar.isleap(year):
        return date(year, 2, 28)
    return born.replace(year=year)


def days_to_birthday(born: date, today: date) -> int:
    """Return how many days lie between `today` and the nearest birthday, whether before or after."""
    years = [year for year in (today.year - 1, today.year, today.year + 1) if 1 <= year <= 9999]
    return min(abs((birthday_in(born, year) - today).days) for year in years)


def runs_at(valid: Validity, local: datetime) -> bool:
    """
    Return whether weekdays and hours allow `local`, a moment in store time.

    Both are judged at that very moment: an hour after midnight belongs to the new weekday, also where the hours began before.
    """
    if valid.weekdays and local.isoweekday() not in valid.weekdays:
        return False
    clock = local.time()
    return not valid.hours or any(_within(hours, clock) for hours in valid.hours)


def _within(hours: Hours, clock: time) -> bool:
    if hours.start < hours.end:
        return hours.start <= clock < hours.end
    return clock >= hours.start or clock < hours.end


def is_over(valid: Validity, at: datetime) -> bool:
    """Return whether `at` lies outside the period from (inclusive) to (exclusive)."""
    return (valid.start is not None and at < valid.start) or (valid.end is not None and at >= valid.end)


def local_moment(occasion: Occasion) -> datetime:
    """Return the moment of an occasion on the store's clock."""
    return occasion.at.astimezone(zone(occasion.timezone))
