"""The year of baskets that the steps of a night look at, read once for several of them."""

from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from basket_analysis.mining.night_rules import WINDOW_WEEKS
from basket_analysis.reading import SoldLines, read_sold_lines, weeks_before
from core.jobs import Shift

_NAME: Final = "basket_analysis.year_sold"


def leave_year_sold(shift: Shift, sold: SoldLines) -> None:
    """Leave the year's baskets, as they were just read, to the steps that follow in this process."""
    shift.kept[_NAME] = sold


def year_sold(shift: Shift, session: Session, *, last: bool = False) -> SoldLines:
    """
    Return what was sold in the year that ends with the night's day: as a step before left it, or read now and left.

    After the `last` of several steps it is let go of, so that what comes then has the memory. Who is named by
    it may have objected to profiling or have become a company since: who writes of single members asks again.
    """
    sold = shift.kept.pop(_NAME, None)
    if sold is None:
        following = shift.business_day + timedelta(days=1)
        sold = read_sold_lines(
            session, first_day=weeks_before(following, WINDOW_WEEKS), following_day=following
        )
    assert isinstance(sold, SoldLines)
    if not last:
        leave_year_sold(shift, sold)
    return sold
