"""The rule browser: every rule of the served run, filtered and sorted, and one with all its measures."""

from math import log2

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from basket_analysis.mining.rule_lists import (
    RuleFacts,
    RuleKinds,
    article_names,
    list_rules,
    read_rule,
    related_rules,
    rule_kinds,
)
from core.errors import NotFound
from core.keyset import Ask, Page
from web.export import respond
from web.figures import bar
from web.groups import rule_words
from web.groups.rule_words import RuleShown
from web.groups.shown import GroupsShown, groups_now
from web.state import transaction
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import NOTHING, number_text
from web.words import gettext as _

blueprint = Blueprint("rules", __name__, url_prefix="/rules")
_COUNTS = (50, 100, 200, 500, 1_000, 5_000)
_HOUSEHOLDS = (50, 100, 200, 500, 1_000)
_TIMES = (1.5, 2, 3, 5)
_LONGEST_BAR = 256.0
"""Times above chance: articles of one brand that come in flavours reach two hundred."""
NO_RULES = RuleKinds((), has_longer=False, has_substitutes=False, items=frozenset())


class NoRulesYet(NotFound):
    """No run is served."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the rules of the served run."""
    with transaction() as session:
        groups = groups_now(session)
        kinds = rule_kinds(session, run_id=groups.run_id) if groups.run_id else NO_RULES
        table = Table(
            name="rules",
            find=_("Article, category or brand"),
            # The surest first: of what replaces each other that is what is farthest below chance.
            default_sort="z" if request.args.get("tie") == "instead" else "-z",
            columns=_columns(groups),
            filters=_filters(groups, kinds),
            fetch=lambda ask: _page(session, groups, ask),
            href=lambda shown: url_for("rules.show", rule_number=shown.rule.rule_number),
            empty=Empty(
                _("No rules yet"),
                _(
                    "The night finds them in the baskets of a year: what is bought together more often than by chance."
                ),
                "shapes",
                command="regulars night --date YYYY-MM-DD",
            ),
        )
        return respond("screens/rules.html", table, run=groups.run, kinds=kinds)


@blueprint.get("/<int:rule_number>")
def show(rule_number: int) -> ResponseReturnValue:
    """Show one rule of the served run with all its measures."""
    with transaction() as session:
        groups = groups_now(session)
        if groups.run_id is None:
            raise NoRulesYet("No night has found rules yet")
        rule = read_rule(session, run_id=groups.run_id, rule_number=rule_number)
        related = related_rules(session, rule, run_id=groups.run_id)
        names = article_names(session, [rule, *related])
    shown = RuleShown(rule, names)
    return render_template(
        "screens/rule.html",
        shown=shown,
        rule=rule,
        level=rule_words.level_name(rule.level),
        finding=rule_words.finding(shown),
        reasons=rule_words.reasons(shown),
        related=[(RuleShown(one, names), rule_words.times(one.adjusted_lift)) for one in related],
        group=groups.mark(rule.group_id, link=True),
        run=groups.run,
    )


def _page(session: Session, groups: GroupsShown, ask: Ask) -> Page[RuleShown]:
    if groups.run_id is None:
        return Page((), None, None, 0)
    page = list_rules(session, ask, run_id=groups.run_id)
    names = article_names(session, page.rows)
    return Page(
        tuple(RuleShown(rule, names) for rule in page.rows), page.following, page.previous, page.total
    )


def _filters(groups: GroupsShown, kinds: RuleKinds) -> tuple[Filter, ...]:
    at_least = _("at least %(number)s")

    def steps(key: str, label: str, numbers: tuple[float, ...]) -> Filter:
        return Filter(
            key=key,
            label=label,
            choices=tuple(Choice(f"{one:g}", at_least % {"number": number_text(one)}) for one in numbers),
        )

    found = [
        Filter(
            key="level",
            label=_("Level"),
            choices=tuple(
                Choice(level, f"{rule_words.level_name(level)} ({number_text(count)})")
                for level, count in kinds.levels
            ),
        ),
        Filter(
            key="group",
            label=_("Group"),
            choices=(
                *(
                    Choice(one.group_id, groups.words(one.group_id) or "")
                    for one in groups.groups
                    if one.kind == "theme"
                ),
                Choice("between", _("in no group, or between two")),
            ),
        ),
        steps("count", _("Baskets"), _COUNTS),
        steps("households", _("Households"), _HOUSEHOLDS),
        steps("times", _("Times chance"), _TIMES),
    ]
    if kinds.has_substitutes:
        choices = (
            Choice("together", _("bought together")),
            Choice("instead", _("bought instead of each other")),
        )
        found.append(Filter(key="tie", label=_("Tie"), choices=choices))
    if kinds.has_longer:
        choices = (Choice("pair", _("two items")), Choice("longer", _("three and more")))
        found.append(Filter(key="length", label=_("Length"), choices=choices))
    if request.args.get("q"):
        choices = (Choice("if", _("before the arrow")), Choice("then", _("after the arrow")))
        found.append(Filter(key="side", label=_("Words stand"), choices=choices))
    return tuple(found)


def _columns(groups: GroupsShown) -> tuple[Column[RuleShown], ...]:
    return (
        Column(
            key="rule",
            title=_("Rather one or the other")
            if request.args.get("tie") == "instead"
            else _("If this is bought, then also"),
            value=lambda shown: shown.title,
            figure=lambda shown: shown.figure,
            second=lambda shown: shown.numbers,
        ),
        Column(
            key="level",
            title=_("Level"),
            value=lambda shown: rule_words.level_name(shown.rule.level),
            lesser=True,
        ),
        Column(
            key="adjusted_lift",
            title=_("Times chance"),
            value=lambda shown: shown.rule.adjusted_lift,
            kind="number",
            figure=_bar_of_times,
            sort=True,
        ),
        _number("count", _("Baskets with both")),
        _number("households", _("Households")),
        Column(
            key="confidence",
            title=_("How often it follows"),
            value=lambda shown: shown.rule.confidence,
            kind="percent",
            digits=1,
            sort=True,
        ),
        Column(
            key="group",
            title=_("Group"),
            value=lambda shown: groups.words(shown.rule.group_id),
            figure=lambda shown: groups.mark(shown.rule.group_id) or NOTHING,
        ),
        *_exact(),
    )


def _exact() -> tuple[Column[RuleShown], ...]:
    """Return the columns for those who want every figure, and for files."""
    return (
        Column(key="antecedent", title=_("If"), value=lambda shown: shown.antecedent, shown=False),
        Column(key="consequent", title=_("Then"), value=lambda shown: shown.consequent, shown=False),
        _number("support", _("Support"), shown=False, digits=5),
        _number("lift", _("Lift"), shown=False, digits=3),
        _number("leverage", _("Leverage"), shown=False, digits=5),
        _number("conviction", _("Conviction"), shown=False, digits=3),
        _number("improvement", _("Improvement"), shown=False, digits=4),
        _number("z", _("Surety (z)"), shown=False, digits=1),
        _number("q", _("Chance findings (q)"), shown=False, digits=6),
        Column(
            key="antecedent_count",
            title=_("Baskets with the first"),
            value=lambda shown: shown.rule.antecedent_count,
            kind="number",
            shown=False,
        ),
        Column(
            key="consequent_count",
            title=_("Baskets with the second"),
            value=lambda shown: shown.rule.consequent_count,
            kind="number",
            shown=False,
        ),
    )


def _number(key: str, title: str, *, shown: bool = True, digits: int | None = None) -> Column[RuleShown]:
    return Column(
        key=key,
        title=title,
        value=lambda one: getattr(one.rule, key),
        kind="number",
        sort=True,
        shown=shown,
        digits=digits,
    )


def _bar_of_times(shown: RuleShown) -> Markup:
    """Return the bar on a scale of doublings, and the figure: twice as often is as far from 1 as half as often."""
    rule: RuleFacts = shown.rule
    words = rule_words.times(rule.adjusted_lift)
    length = abs(log2(rule.adjusted_lift)) if rule.adjusted_lift > 0 else 0
    colour = "rest" if rule.adjusted_lift < 1 else ""
    drawn = bar(length, log2(_LONGEST_BAR), label=words, width=64, series=colour)
    return drawn + Markup('<span class="bar-words">{}</span>').format(words)
