"""Which offers can be had in a store on a day."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.clock import zone
from web.offers.lists import OfferVersionView, live_versions


def offers_on(session: Session, *, store_code: str | None, day: date, timezone: str) -> int:
    """Return how many offers can be had on a day, in one store or anywhere."""
    return sum(
        runs_on(one, day, timezone)
        for one in live_versions(session)
        if store_code is None or is_in(one, store_code)
    )


def is_in(one: OfferVersionView, store_code: str) -> bool:
    """Return whether an offer is for a store."""
    stores = one.document.get("stores") or ()
    return not stores or store_code in stores


def runs_on(one: OfferVersionView, day: date, timezone: str) -> bool:
    """Return whether there is an hour of a store's day in which an offer can be had."""
    start = datetime.combine(day, datetime.min.time(), zone(timezone))
    if (one.end and one.end <= start) or (one.start and one.start >= start + timedelta(days=1)):
        return False
    weekdays = (one.document.get("valid") or {}).get("weekdays")
    return not weekdays or day.isoweekday() in weekdays
