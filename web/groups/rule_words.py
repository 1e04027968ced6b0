"""Rules in plain words: what is bought together, how much more often than by chance, and how sure that is."""

from collections.abc import Mapping

from markupsafe import Markup

from basket_analysis.mining.rule_lists import RuleFacts
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
    def instead(self) -> bool:
        """Whether its items are bought instead of each other."""
        return self.rule.adjusted_lift < 1

    @property
    def sign(self) -> str:
        """What stands between the two sides: an arrow, or one that points both ways where they replace each other."""
        return "\N{LEFT RIGHT ARROW}" if self.instead else "\N{RIGHTWARDS ARROW}"

    @property
    def title(self) -> str:
        """The rule in one line."""
        return f"{self.antecedent} {self.sign} {self.consequent}"

    @property
    def numbers(self) -> str | None:
        """The articles' numbers, since several may have one name."""
        return (
            f" {self.sign} ".join(" + ".join(side) for side in (self.rule.antecedent, self.rule.consequent))
            if self.rule.level == "article"
            else None
        )

    @property
    def figure(self) -> Markup:
        """The rule in one line, with a drawn arrow."""
        return Markup('<span class="rule-line">{} {} {}</span>').format(
            self.antecedent,
            Markup('<span class="faint">{}</span>').format(self.sign)
            if self.instead
            else icon("arrow-right"),
            self.consequent,
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
    words = (
        number_text(round(adjusted_lift, 2), 2) if adjusted_lift < 1 else number_text(round(adjusted_lift, 1))
    )
    return f"{words}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}"


def finding(shown: RuleShown) -> str:
    """Return what a rule says, as one sentence."""
    rule, words = shown.rule, {"first": shown.antecedent, "then": shown.consequent}
    if shown.instead:
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
    found = _of_substitutes(rule) if shown.instead else [_of_all_its_items(rule)]
    found += [
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


def _of_substitutes(rule: RuleFacts) -> list[str]:
    """Return who buys both of two things that replace each other, and how seldom in one basket."""
    households = ngettext(
        "%(num)s household takes both, at different times",
        "%(num)s households take both, at different times",
        rule.households or 0,
    )
    return [
        f"{households}.",
        _(
            "Both at once: %(baskets)s; by chance it would be %(expected)s among baskets of the same size.",
            baskets=ngettext("%(num)s basket", "%(num)s baskets", rule.count),
            expected=number_text(round(rule.expected or 0)),
        ),
    ]


def _of_all_its_items(rule: RuleFacts) -> str:
    """Return how many baskets hold all that a rule names, of how many households where that is known."""
    baskets = ngettext("%(num)s basket", "%(num)s baskets", rule.count)
    expected = number_text(round(rule.expected or 0))
    if not rule.households:
        return _(
            "%(baskets)s hold all of it; by chance it would be %(expected)s among baskets of the same size.",
            baskets=baskets,
            expected=expected,
        )
    return _(
        "%(baskets)s of %(households)s hold all of it; by chance it would be %(expected)s among baskets of the same size.",
        baskets=baskets,
        households=ngettext("%(num)s household", "%(num)s households", rule.households),
        expected=expected,
    )


def certainty(rule: RuleFacts) -> str:
    """Return how likely a rule is a chance finding, in words."""
    if rule.q < _SURE:
        return _("Of 10,000 such rules fewer than one would be a chance finding.")
    return _(
        "Of 100 such rules about %(share)s would be chance findings.",
        share=number_text(round(rule.q * 100, 2)),
    )
