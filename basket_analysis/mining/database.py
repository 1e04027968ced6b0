"""Mining the sales of the database: counts brought up to date, or made anew, and the rules that they show."""

import time
from datetime import date, datetime, timedelta
from typing import Any

from basket_analysis.groups.theme_rules import keep_rules
from basket_analysis.mining.night_rules import EVIDENCE, THEME_LEVEL, pair_rules, read_and_count, rule_rows
from core.database import Sessions


def mine_database(
    sessions: Sessions, *, business_day: date, now: datetime, full: bool = False
) -> dict[str, Any]:
    """
    Count what is new in the year that ends with `business_day`, or all of it when `full`, and find its rules.

    The counts are kept; rules, groups and what is served are the night's business and stay as they are. Returns
    the record of the work with the rules, the surest of each level first.
    """
    began = time.monotonic()
    with sessions.begin() as session:
        sold, counts = read_and_count(session, business_day=business_day, now=now, full=full)
    counted = time.monotonic()
    rules: list[dict[str, Any]] = []
    for level, window in counts.windows.items():
        kept = keep_rules(window.table, EVIDENCE[level]) if level == THEME_LEVEL else pair_rules(window)
        rules += sorted(rule_rows(window.table, kept, None, level), key=lambda row: -row["z"])
    return {
        "first_day": sold.first_day,
        "business_day": sold.following_day - timedelta(days=1),
        "baskets": {level: len(window.table) for level, window in counts.windows.items()},
        "days_counted": counts.days_counted,
        "days_left": counts.days_left,
        "recounted": dict(counts.recounted),
        "found": {level: sum(row["level"] == level for row in rules) for level in counts.windows},
        "seconds": {
            "read_and_count": round(counted - began, 3),
            "rules": round(time.monotonic() - counted, 3),
        },
        "rules": [{name: value for name, value in row.items() if name != "group_id"} for row in rules],
    }
