"""Rules in plain words: what is bought together, how much more often than by chance, and how sure that is."""

from collections.abc import Mapping

from markupsafe import Markup

from basket_analysis.rule_lists import RuleFacts
from web.cells import icon
from web.words import gettext as _
from web.words import ngettext, number_text, percent_text, readable

_SURE = 1e-4
"""From this share of chance findings on, more digits say nothing to a person."""


class RuleShown:
    """A rule with its items as a reader knows them: articles by name, everything else as the chain calls it."""

    def __init__(self, rule: RuleFacts, names: Mapping[str, str]) -> None:
        """Show `rule`; `names` are those of articles by number."""
        self.rule = rule
        self._names = names if rule.level == "article" else {}

    def name(self, item: str) -> str:
        """Return what an item is called."""
        return self._names.get(item) or readable(item)

    @property
    def antecedent(self) -> str:
        """What the rule begins with."""
        return " + ".join(map(self.name, self.rule.antecedent))

    @property
    def consequent(self) -> str:
        """What follows."""
        return " + ".join(map(self.name, self.rule.consequent))

    @property
    def title(self) -> str:
        """The rule in one line."""
        return f"{self.antecedent} \N{RIGHTWARDS ARROW} {self.consequent}"

    @property
    def numbers(self) -> str | None:
        """The articles' numbers, since several may have one name."""
        return (
            " \N{RIGHTWARDS ARROW} ".join(
                " + ".join(side) for side in (self.rule.antecedent, self.rule.consequent)
            )
            if self.rule.level == "article"
            else None
        )

    @property
    def figure(self) -> Markup:
        """The rule in one line, with a drawn arrow."""
        return Markup('<span class="rule-line">{} {} {}</span>').format(
            self.antecedent, icon("arrow-right"), self.consequent
        )


def level_name(level: str) -> str:
    """Return what a level is called."""
    return {
        "article": _("Articles"),
        "type": _("Kinds"),
        "category": _("Categories"),
        "brand": _("Brands"),
    }.get(level, level)


def times(adjusted_lift: float) -> str:
    """Return how often against chance, with a multiplication sign."""
    return f"{number_text(round(adjusted_lift, 2 if adjusted_lift < 1 else 1))}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}"


def finding(shown: RuleShown) -> str:
    """Return what a rule says, as one sentence."""
    rule, words = shown.rule, {"first": shown.antecedent, "then": shown.consequent}
    if rule.adjusted_lift < 1:
        return _(
            "Baskets with %(first)s hold %(then)s %(times)s times as often as chance would have it: rather one or the other.",
            times=number_text(round(rule.adjusted_lift, 2)),
            **words,
        )
    return _(
        "Baskets with %(first)s hold %(then)s %(times)s times more often than chance would have it.",
        times=number_text(round(rule.adjusted_lift, 1)),
        **words,
    )


def reasons(shown: RuleShown) -> list[str]:
    """Return the evidence of a rule in sentences with counts."""
    rule = shown.rule
    found = [
        _(
            "%(baskets)s of %(households)s hold all of it; by chance it would be %(expected)s among baskets of the same size.",
            baskets=ngettext("%(num)s basket", "%(num)s baskets", rule.count),
            households=ngettext("%(num)s household", "%(num)s households", rule.households),
            expected=number_text(round(rule.expected or 0)),
        )
        if rule.households
        else _(
            "%(baskets)s hold all of it; by chance it would be %(expected)s among baskets of the same size.",
            baskets=ngettext("%(num)s basket", "%(num)s baskets", rule.count),
            expected=number_text(round(rule.expected or 0)),
        ),
        _(
            "Of %(some)s baskets with %(first)s, %(share)s hold %(then)s; of all baskets, %(all)s do.",
            some=number_text(rule.antecedent_count),
            first=shown.antecedent,
            then=shown.consequent,
            share=percent_text(rule.confidence, 1),
            all=percent_text(rule.share_of_all, 1),
        ),
        certainty(rule),
    ]
    if len(rule.antecedent) > 1:
        found.append(_("Each part of it adds something: with any of them left out, less follows."))
    return found


def certainty(rule: RuleFacts) -> str:
    """Return how likely a rule is a chance finding, in words."""
    if rule.q < _SURE:
        return _("Of 10,000 such rules fewer than one would be a chance finding.")
    return _(
        "Of 100 such rules about %(share)s would be chance findings.",
        share=number_text(round(rule.q * 100, 2)),
    )
