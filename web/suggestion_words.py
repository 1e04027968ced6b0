"""Assortment suggestions in words: what is suggested, and everything that speaks for it."""

from collections.abc import Mapping
from typing import Any

from basket_analysis.suggestion_lists import SuggestionView
from web.groups_shown import GroupsShown
from web.words import gettext as _
from web.words import money_whole, ngettext, number_text, percent_text

_SHORT = 2
"""Reasons that fit into a cell."""


def articles(row: SuggestionView) -> str:
    """Return the article, or the two that belong together."""
    return f"{row.article} + {row.other}" if row.other and row.kind == "place_together" else row.article


def title(row: SuggestionView) -> str:
    """Return the suggestion as one sentence."""
    names = {"article": row.article, "other": row.other or ""}
    match row.kind:
        case "list":
            return _("List %(article)s", **names)
        case "delist":
            return _("Delist %(article)s", **names)
        case "place_together":
            return _("Place %(article)s and %(other)s together", **names)
        case _:
            return _("Keep %(article)s", **names)


def between(row: SuggestionView) -> str:
    """Return the interval of the money per week."""
    return _(
        "%(low)s to %(high)s",
        low=money_whole(row.low, row.currency),
        high=money_whole(row.high, row.currency),
    )


def short_reason(row: SuggestionView, groups: GroupsShown) -> str:
    """Return what speaks most for a suggestion, beside the numbers that stand in other columns."""
    found = _stated(row, row.evidence)
    served = groups.words(row.group_id)
    if served and len(found) < _SHORT:
        found.append(_("Serves the group %(group)s", group=served))
    return "; ".join(found[:_SHORT]) or _people(row)


def reasons(row: SuggestionView, groups: GroupsShown) -> list[str]:
    """Return what speaks for a suggestion, the strongest first, from its evidence."""
    evidence = row.evidence
    found = [_people(row), *_stated(row, evidence)]
    served = groups.words(row.group_id)
    if served:
        found.append(_("Serves the group %(group)s", group=served))
    return [words for words in found if words]


def _people(row: SuggestionView) -> str:
    people = ngettext("%(num)s household", "%(num)s households", row.households)
    baskets = ngettext("%(num)s basket", "%(num)s baskets", row.baskets)
    match row.kind:
        case "list":
            return _("%(people)s buy it in similar stores, in %(baskets)s", people=people, baskets=baskets)
        case "place_together":
            return _("%(people)s take both, in %(baskets)s", people=people, baskets=baskets)
        case _:
            return _("%(people)s buy it here, in %(baskets)s", people=people, baskets=baskets)


def _stated(row: SuggestionView, evidence: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    if (stores := _number(evidence, "similar_stores", "stores")) is not None:
        found.append(
            ngettext("Sold in %(num)s similar store", "Sold in %(num)s similar stores", round(stores))
        )
    if (lift := _number(evidence, "adjusted_lift")) is not None:
        found.append(
            _(
                "Bought together %(times)s times more often than by chance",
                times=number_text(round(lift, 1), 1),
            )
        )
    substitute = evidence.get("substitute")
    transfer = _number(evidence, "transfer")
    if isinstance(substitute, str) and transfer is not None:
        found.append(
            _(
                "%(article)s would catch about %(share)s of what it sells",
                article=substitute,
                share=percent_text(transfer),
            )
        )
    elif transfer is not None:
        found.append(
            _(
                "Other articles of its kind would catch about %(share)s of what it sells",
                share=percent_text(transfer),
            )
        )
    if (halo := _number(evidence, "halo")) is not None:
        found.append(
            _("The rest of its baskets is worth %(amount)s a week", amount=money_whole(halo, row.currency))
        )
    if (loyal := _number(evidence, "exclusive_households", "exclusive_buyers")) is not None:
        found.append(
            ngettext(
                "%(num)s household buys nothing else of its kind",
                "%(num)s households buy nothing else of its kind",
                round(loyal),
            )
        )
    return found


def _number(evidence: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = evidence.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None
