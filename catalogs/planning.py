"""What an edition is about: the group's articles ranked, and which categories its rules tie together."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from basket_analysis.groups.lists import GroupView, RuleView
from catalogs.filling import Good, Wanted, fill_pages, places_for, plan_places
from catalogs.issues import Issue, Offer
from catalogs.layouts import Theme
from catalogs.motifs import Use, find_motif
from catalogs.operations import EditionPlan, PlannedPage
from catalogs.selection import choose_offers

RANKED = 500
"""So many articles of the group's own per edition."""
FILLING = 2_000
"""So many more that everybody buys, for shops that have few of those."""
SPARE = 120
"""So many offers of a shop may stand in for what it has not."""


def plan_edition(
    group: GroupView,
    *,
    rules: Sequence[RuleView],
    buyers: Mapping[int, int],
    everybody: Mapping[int, int],
    of_group: int,
    members: int,
    categories: Mapping[int, str],
    theme: Theme | None = None,
    private: Collection[int] = (),
) -> EditionPlan:
    """
    Return the plan of a group's edition.

    Articles of the theme's own categories come first, then what else the group buys more than others
    do. Within each, by buyers in the group, weighted by how much more often the group buys it than
    everybody: what all the world buys says little about a group. That fills up at the end. `buyers` and `everybody` count members
    by article, `of_group` is how many of the group could have bought, `members` how many of all groups could. With a `theme`, its pages are planned too, without
    what tells about health or habits, nor the articles that are `private`.
    """
    own = set(group.items)
    ranking = sorted(
        buyers,
        key=lambda article: (
            categories.get(article) not in own,
            -buyers[article] * _leaning(buyers[article], of_group, everybody.get(article, 0), members),
            article,
        ),
    )
    open_to_all = {key: category for key, category in categories.items() if key not in private}
    return EditionPlan(
        group_id=group.group_id,
        group_name=group.name,
        categories=group.items if group.kind == "theme" else (),
        colour=group.colour,
        ranking=tuple(dict.fromkeys([*ranking[:RANKED], *_most_bought(everybody)])),
        beside=tied_categories(rules),
        pages=plan_pages(theme, ranking[:RANKED], open_to_all, own=own) if theme else (),
        size=theme.size if theme else "A4",
    )


def plan_pages(
    theme: Theme, ranking: Sequence[int], categories: Mapping[int, str], *, own: Collection[str]
) -> tuple[PlannedPage, ...]:
    """Return the themed pages of an edition with the articles that are wanted on them, from the strongest on."""
    goods = []
    for article in filter(categories.__contains__, ranking):
        motif = find_motif(category=categories.get(article))
        if motif.use is Use.EVERYWHERE:
            goods.append(Good(article, motif.key, categories.get(article) in own))
    return tuple(PlannedPage(page.layout, articles=page.articles) for page in plan_places(theme, goods))


def make_issue(
    plan: EditionPlan,
    *,
    theme: Theme,
    shop_name: str,
    shelf: Mapping[int, Offer],
    valid_from: date,
    valid_to: date,
    kinds: Mapping[int, str] | None = None,
) -> Issue:
    """
    Return an edition as the members of one shop see it: its planned pages with what `shelf` has.

    `shelf` holds neither what is out of stock nor what the reader refuses. `kinds` (motifs by article) let
    what is missing be replaced by its like. An edition without planned pages gets them from the shelf.
    """
    spare = choose_offers(plan.ranking, shelf, categories=plan.categories, count=SPARE)
    wanted = [
        Wanted(page.layout, page.articles, tuple(sorted(page.headline.items())), page.pinned)
        for page in plan.pages
        if page.layout in theme.data["layouts"]
    ] or [Wanted(page.layout, page.articles) for page in places_for(theme, spare, plan.categories)]
    pages = fill_pages(theme, wanted, shelf, spare, kinds=kinds or {})
    return Issue(
        colour=plan.colour,
        categories=plan.categories,
        shop=shop_name,
        valid_from=valid_from,
        valid_to=valid_to,
        offers=tuple(offer for page in pages for offer in page.offers),
        pages=pages,
    )


def kinds_of(categories: Mapping[int, str]) -> dict[int, str]:
    """Return the motifs of articles by their categories, for `make_issue`."""
    return {article: find_motif(category=category).key for article, category in categories.items()}


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
