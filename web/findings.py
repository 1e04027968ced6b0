"""Charts of the overview, each with what it shows said in its title."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.numbers import get_currency_precision
from flask import url_for

from core.clock import month_end
from loyalty.liability.estimate import Line
from loyalty.liability.figures import Outstanding, WeekOfPoints
from sales.figures import WeekOfSales
from web.charts import Axis, Chart, Series, bar_options, column_options, line_options
from web.groups.shown import GroupsShown, colour_of, name_of
from web.scope import Scope
from web.words import date_text, day_month, money_whole, month_text, number_text, percent_text
from web.words import gettext as _

STILL = 0.01
"""Changes below this share are called no change."""
_MOST_GROUPS = 8


@dataclass(frozen=True, slots=True)
class SalesTotals:
    """A period's sales, with the change against the period before (None when there is nothing to compare)."""

    amount: int
    amount_with_card: int
    baskets: int
    share_of_baskets: float | None
    change_with_card: float | None
    change_of_share: float | None
    weekly_with_card: tuple[int, ...]
    weekly_share: tuple[float, ...]


def sales_totals(weeks: Sequence[WeekOfSales], earlier: Sequence[WeekOfSales]) -> SalesTotals:
    """Return the totals of `weeks` against those of `earlier`."""
    with_card, before = (
        sum(week.amount_with_card for week in weeks),
        sum(week.amount_with_card for week in earlier),
    )
    share, share_before = _share(weeks), _share(earlier)
    comparable = len(earlier) == len(weeks)
    return SalesTotals(
        amount=sum(week.amount for week in weeks),
        amount_with_card=with_card,
        baskets=sum(week.baskets for week in weeks),
        share_of_baskets=share,
        change_with_card=(with_card - before) / before if before and comparable else None,
        change_of_share=share - share_before
        if comparable and share is not None and share_before is not None
        else None,
        weekly_with_card=tuple(week.amount_with_card for week in weeks),
        weekly_share=tuple(week.baskets_with_card / week.baskets for week in weeks if week.baskets),
    )


def sales_chart(weeks: Sequence[WeekOfSales], earlier: Sequence[WeekOfSales], chosen: Scope) -> Chart:
    """Return sales per week with and without card; the title compares with the period before."""
    totals = sales_totals(weeks, earlier)
    change = totals.change_with_card
    if change is None:
        share = totals.amount_with_card / totals.amount if totals.amount else 0
        title = _("%(share)s of sales are made with a card", share=percent_text(share))
    elif abs(change) < STILL:
        title = _("Sales with card are as they were in the weeks before")
    elif change > 0:
        title = _("Sales with card grew by %(share)s against the weeks before", share=percent_text(change))
    else:
        title = _("Sales with card fell by %(share)s against the weeks before", share=percent_text(-change))
    return Chart(
        key="sales",
        title=title,
        note=_("Per week from Monday, returns taken off"),
        options=column_options(
            [day_month(week.monday) for week in weeks],
            (
                Series(_("With card"), [week.amount_with_card for week in weeks], "0"),
                Series(_("Without card"), [week.amount - week.amount_with_card for week in weeks], "rest"),
            ),
            Axis("money", chosen.currency, 10 ** get_currency_precision(chosen.currency)),
        ),
        head=(_("Week of"), _("With card"), _("Without card"), _("Baskets")),
        rows=tuple(
            (
                date_text(week.monday),
                money_whole(week.amount_with_card, chosen.currency),
                money_whole(week.amount - week.amount_with_card, chosen.currency),
                number_text(week.baskets),
            )
            for week in weeks
        ),
        links=tuple(
            url_for("receipts.index", since=week.monday.isoformat(), until=_sunday(week.monday))
            for week in weeks
        ),
    )


def share_chart(weeks: Sequence[WeekOfSales]) -> Chart:
    """Return the share of baskets that are known by card, per week."""
    shares = [week.baskets_with_card / week.baskets if week.baskets else None for week in weeks]
    known = [share for share in shares if share is not None]
    share = _share(weeks) or 0
    change = known[-1] - known[0] if len(known) > 1 else 0
    words = {"share": percent_text(share), "points": number_text(round(abs(change) * 100, 1), 1)}
    if abs(change) < STILL:
        title = _("%(share)s of baskets are known by card, steadily", **words)
    elif change > 0:
        title = _("%(share)s of baskets are known by card, %(points)s points more than at the start", **words)
    else:
        title = _("%(share)s of baskets are known by card, %(points)s points less than at the start", **words)
    return Chart(
        key="share",
        title=title,
        note=_("Share of baskets per week"),
        options=line_options(
            [day_month(week.monday) for week in weeks],
            (Series(_("Known by card"), shares, "0", area=True),),
            Axis("percent"),
        ),
        head=(_("Week of"), _("Known by card"), _("Baskets with card"), _("Baskets")),
        rows=tuple(
            (
                date_text(week.monday),
                percent_text(share, 1),
                number_text(week.baskets_with_card),
                number_text(week.baskets),
            )
            for week, share in zip(weeks, shares, strict=True)
        ),
    )


def points_chart(weeks: Sequence[WeekOfPoints]) -> Chart:
    """Return points issued, spent and expired per week."""
    issued, spent = sum(week.issued for week in weeks), sum(week.spent for week in weeks)
    if issued and spent:
        title = _("Members spent %(share)s of the points they got", share=percent_text(spent / issued))
    elif issued:
        title = _("%(points)s points were issued, none spent yet", points=number_text(issued))
    else:
        title = _("No points were issued in this period")
    lines = [
        Series(_("Issued"), [week.issued for week in weeks], "0"),
        Series(_("Spent"), [week.spent for week in weeks], "1"),
        Series(_("Expired"), [week.expired for week in weeks], "9", dashed=True),
    ]
    return Chart(
        key="points",
        title=title,
        note=_("Points per week"),
        options=line_options(
            [day_month(week.monday) for week in weeks],
            # What never happened in the period would lie on the axis, its label on another's.
            [one for one in lines if any(one.values)] or lines[:1],
            Axis(),
        ),
        head=(_("Week of"), _("Issued"), _("Spent"), _("Expired")),
        rows=tuple(
            (
                date_text(week.monday),
                number_text(week.issued),
                number_text(week.spent),
                number_text(week.expired),
            )
            for week in weeks
        ),
    )


def expiry_chart(owed: Outstanding, today: date) -> Chart:
    """Return the points that expire per month."""
    soon = sum(points for month, points in owed.by_month if month <= today + timedelta(days=60))
    labels = [month_text(month) for month, _points in owed.by_month]
    if soon:
        title = _("%(points)s points expire within two months", points=number_text(soon))
    else:
        title = _("No points expire before %(month)s", month=labels[0])
    return Chart(
        key="expiry",
        title=title,
        note=_("Outstanding points by the month in which they would expire"),
        options=column_options(
            labels, (Series(_("Points"), [points for _month_, points in owed.by_month], "1"),), Axis()
        ),
        head=(_("Month"), _("Points")),
        rows=tuple(
            (label, number_text(points)) for label, (_m, points) in zip(labels, owed.by_month, strict=True)
        ),
    )


def liability_chart(months: Sequence[Line], currency: str, day: date) -> Chart:
    """Return what is owed by the month in which it ends; the title says how much will be asked for, and how soon."""
    value, expected = sum(one.value_amount for one in months), sum(one.expected_amount for one in months)
    soon = sum(
        one.value_amount for one in months if one.month and one.month <= month_end(day, 2) and one.points > 0
    )
    words = {
        "expected": money_whole(expected, currency),
        "value": money_whole(value, currency),
        "soon": money_whole(soon, currency),
    }
    if soon:
        title = _("Of %(value)s owed %(soon)s end within three months", **words)
    elif expected == value:
        title = _("%(value)s are owed, and nothing ends within three months", **words)
    else:
        title = _("Of %(value)s owed %(expected)s will be asked for", **words)
    labels = [month_text(one.month) if one.month else _("never") for one in months]
    return Chart(
        key="liability",
        title=title,
        note=_("Value of outstanding points by the month in which they end"),
        options=column_options(
            labels,
            [
                one
                for one in (
                    Series(_("Expected to be spent"), [month.expected_amount for month in months], "0"),
                    Series(
                        _("Expected to end unspent"),
                        [month.value_amount - month.expected_amount for month in months],
                        "rest",
                    ),
                )
                if any(one.values)
            ],
            Axis("money", currency, 10 ** get_currency_precision(currency)),
        ),
        head=(_("Last month"), _("Points"), _("Value"), _("Expected to be spent")),
        rows=tuple(
            (
                label,
                number_text(one.points),
                money_whole(one.value_amount, currency),
                money_whole(one.expected_amount, currency),
            )
            for label, one in zip(labels, months, strict=True)
        ),
    )


def groups_chart(groups: GroupsShown) -> Chart | None:
    """Return the largest groups; None before there are any."""
    themed = sorted((one for one in groups.groups if one.kind == "theme"), key=lambda one: -one.members)[
        :_MOST_GROUPS
    ]
    if not themed:
        return None
    return Chart(
        key="groups",
        title=_(
            "%(group)s is the largest group with %(members)s members",
            group=name_of(themed[0]),
            members=number_text(themed[0].members),
        ),
        note=_("The largest shopper groups"),
        options=bar_options(
            [name_of(one) for one in themed],
            [one.members for one in themed],
            [colour_of(one) for one in themed],
            Axis(),
        ),
        head=(_("Group"), _("Members")),
        rows=tuple((name_of(one), number_text(one.members)) for one in themed),
        links=tuple(url_for("groups.show", group_id=one.group_id) for one in themed),
    )


def _share(weeks: Sequence[WeekOfSales]) -> float | None:
    baskets = sum(week.baskets for week in weeks)
    return sum(week.baskets_with_card for week in weeks) / baskets if baskets else None


def _sunday(monday: date) -> str:
    return (monday + timedelta(days=6)).isoformat()
