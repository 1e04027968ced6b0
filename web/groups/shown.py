"""The shopper groups that are served now, as every screen shows them: one name and one colour each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from markupsafe import Markup
from sqlalchemy.orm import Session

from basket_analysis.groups.lists import GroupView, RuleView, RunView, groups_of_run, served_run
from basket_analysis.groups.quality_lists import (
    RunQualityView,
    quality_of_runs,
    refused_since_served,
)
from basket_analysis.groups.reasons import why
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE
from basket_analysis.groups.words import sentences
from web.cells import group_name
from web.charts import palette
from web.words import date_text, language, ngettext, number_text, percent_text
from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class GroupsShown:
    """The served run and its groups; empty before the first night."""

    run: RunView | None
    groups: tuple[GroupView, ...]

    @property
    def run_id(self) -> UUID | None:
        """The served run."""
        return self.run.run_id if self.run else None

    def find(self, group_id: str | None) -> GroupView | None:
        """Return one of the groups."""
        return next((group for group in self.groups if group.group_id == group_id), None)

    def words(self, group_id: str | None) -> str | None:
        """Return a group's name."""
        group = self.find(group_id)
        return name_of(group) if group else None

    def mark(self, group_id: str | None, *, link: bool = False) -> Markup | str:
        """Return a group's name with its colour."""
        group = self.find(group_id)
        if group is None:
            return ""
        return group_name(name_of(group), colour_of(group), group.group_id if link else None)


def groups_now(session: Session) -> GroupsShown:
    """Return the groups of the served run."""
    run = served_run(session)
    return GroupsShown(run, tuple(groups_of_run(session, run_id=run.run_id)) if run else ())


def name_of(group: GroupView) -> str:
    """Return a group's name; members without a theme are named in the reader's language."""
    if group.kind == "none":
        return _("No distinct theme")
    if group.kind == "new":
        return _("Too little data yet")
    return group.name_in(language())


def kept_name(name: str, group_id: str) -> str:
    """Return the name of a group as an edition kept it; members without a theme are named in the reader's language."""
    return {NO_THEME: _("No distinct theme"), TOO_LITTLE: _("Too little data yet")}.get(group_id, name)


def why_of(session: Session, member_id: UUID) -> tuple[str, ...]:
    """Return why a member is in the group they are in, or in none, in sentences with counts."""
    return sentences(why(session, member_id=member_id), language())


def refusal_words(refused: RunQualityView) -> str:
    """Return what is to be said while the newest run is not the served one, and why."""
    reasons = ", ".join(dict.fromkeys(reason_words(reason) for reason in refused.reasons))
    return _(
        "The groups of the night of %(day)s were not good enough (%(reasons)s): those of a night before are still in use.",
        day=date_text(refused.business_day),
        reasons=reasons,
    )


@dataclass(frozen=True, slots=True)
class Warned:
    """What is to be known before anybody works with the groups: words, meaning and icon of the note."""

    words: str
    meaning: str
    icon: str
    refused_day: date | None = None
    """The day whose run is not served."""


def warning(session: Session) -> Warned | None:
    """Return what speaks against the groups of the newest night: that they are not served, or that they drift."""
    if refused := refused_since_served(session):
        return Warned(refusal_words(refused), "bad", "octagon-alert", refused.business_day)
    newest = next(iter(quality_of_runs(session, limit=1)), None)
    if newest is None or newest.verdict != "drifting":
        return None
    return Warned(drift_words(newest), "caution", "triangle-alert")


def drift_words(run: RunQualityView) -> str:
    """Return what is to be said of a night whose themes no longer fit well, and what becomes of them."""
    return _(
        "Since the themes were found, buying has changed (%(reasons)s). The groups stay in use, and the next night finds the themes anew: more members than usual may then change their group.",
        reasons=", ".join(dict.fromkeys(reason_words(reason) for reason in run.reasons)),
    )


_SHARES: Final = frozenset({"churn", "coverage", "drift_coverage", "explained_by_size"})


def reason_words(reason: Mapping[str, Any]) -> str:
    """Return a figure beyond its limit in words."""
    names = {
        "agreement": _("agreement with the groups in use"),
        "churn": _("share of households that would move"),
        "no_themes": _("number of themes"),
        "coverage": _("share of households in a group"),
        "rule_lift": _("how often a group's rules fire in later weeks"),
        "confirmed": _("agreement with groups from earlier weeks"),
        "explained_by_size": _("how much mere basket size explains"),
        "drift_lift": _("lift of the groups' rules in later weeks, less that with members shuffled"),
        "drift_coverage": _("share of households in a group"),
        "drift_profile": _("likeness of what the groups buy now"),
    }
    code, sign = reason["code"], reason.get("bound", "")

    def write(value: float | None) -> str:
        if value is None:
            return "\N{EN DASH}"
        return percent_text(value, 1) if code in _SHARES else number_text(round(value, 2), 2)

    return _(
        "%(figure)s %(value)s, limit %(limit)s",
        figure=names.get(code, code),
        # A space that does not break holds the sign to its figure.
        value=f"{sign}\N{NO-BREAK SPACE}{write(reason['value'])}".lstrip(),
        limit=write(reason["limit"]),
    )


def colour_of(group: GroupView) -> str:
    """Return the palette entry of a group; those without a theme are grey."""
    return palette(group.colour) if group.kind == "theme" else "rest"


def rule_words(rule: RuleView) -> str:
    """Return a rule's evidence in words."""
    times = number_text(round(rule.adjusted_lift, 1), 1)
    baskets = ngettext("%(num)s basket", "%(num)s baskets", rule.count)
    households = ngettext("%(num)s household", "%(num)s households", rule.households)
    return _(
        "Bought together %(times)s times more often than by chance (%(baskets)s, %(households)s)",
        times=times,
        baskets=baskets,
        households=households,
    )
