"""What an edition is about: the group's articles ranked, and which categories its rules tie together."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from basket_analysis.group_lists import GroupView, RuleView
from catalogs.operations import EditionPlan

RANKED = 500
"""So many articles of the group's own per edition."""
FILLING = 2_000
"""So many more that everybody buys, for shops that have few of those."""


def plan_edition(
    group: GroupView,
    *,
    rules: Sequence[RuleView],
    buyers: Mapping[int, int],
    everybody: Mapping[int, int],
    members: int,
    categories: Mapping[int, str],
) -> EditionPlan:
    """
    Return the plan of a group's edition.

    Articles of the theme's own categories come first, then what else the group buys more than others
    do. Within each, by buyers in the group, weighted by how much more often the group buys it than
    everybody: what all the world buys says little about a group. That fills up at the end. `buyers` and `everybody` count members
    by article, `members` is how many there are in all.
    """
    theme = set(group.items)
    ranking = sorted(
        buyers,
        key=lambda article: (
            categories.get(article) not in theme,
            -buyers[article] * _leaning(buyers[article], group.members, everybody.get(article, 0), members),
            article,
        ),
    )
    return EditionPlan(
        group_id=group.group_id,
        group_name=group.name,
        categories=group.items if group.kind == "theme" else (),
        colour=group.colour,
        ranking=tuple(dict.fromkeys([*ranking[:RANKED], *_most_bought(everybody)])),
        beside=tied_categories(rules),
    )


def _most_bought(everybody: Mapping[int, int]) -> list[int]:
    return sorted(everybody, key=lambda article: (-everybody[article], article))[:FILLING]


def _leaning(buyers: int, of_group: int, everybody: int, of_all: int) -> float:
    """Return how much more often the group buys an article than everybody does, between 0.5 and 2."""
    if not (of_group and everybody and of_all):
        return 1.0
    return min(2.0, max(0.5, (buyers / of_group) / (everybody / of_all)))


def tied_categories(rules: Collection[RuleView]) -> dict[str, tuple[str, ...]]:
    """Return for every category those that a rule between the two ties it to, the surest first."""
    ties: dict[str, list[str]] = defaultdict(list)
    for rule in sorted(rules, key=lambda rule: -rule.z):
        if len(rule.antecedent) == 1 and len(rule.consequent) == 1:
            one, other = rule.antecedent[0], rule.consequent[0]
            for category, partner in ((one, other), (other, one)):
                if partner not in ties[category]:
                    ties[category].append(partner)
    return {category: tuple(partners) for category, partners in ties.items()}
