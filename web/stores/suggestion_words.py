"""Assortment suggestions in words: what is suggested, what its money means, and everything that speaks for it."""

from collections.abc import Iterator, Sequence

from basket_analysis.assortment.suggestion_lists import SubstituteView, SuggestionView
from web.groups.shown import GroupsShown
from web.words import gettext as _
from web.words import money_estimate, ngettext, number_text, percent_text

_SHORT = 2
"""Reasons that fit into a cell."""

_HARDLY = 0.01


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


def meaning_of_money(row: SuggestionView) -> str:
    """Return what the money per week is: gained by following the suggestion, or lost without the article."""
    match row.kind:
        case "list" | "place_together":
            return _("more revenue")
        case "delist":
            return _("would be lost")
        case _:
            return _("lost without it")


def money_sentence(row: SuggestionView) -> str:
    """Return what a suggestion is worth a week, as a sentence with its interval."""
    values = {"amount": money_estimate(row.value_per_week, row.currency), "between": between(row)}
    match row.kind:
        case "list" | "place_together":
            return _("About %(amount)s more revenue a week (%(between)s)", **values)
        case "delist":
            return _("Frees its place; about %(amount)s a week would be lost (%(between)s)", **values)
        case _:
            return _("Without it about %(amount)s a week would be lost (%(between)s)", **values)


def between(row: SuggestionView) -> str:
    """Return the interval of the money per week."""
    return _(
        "%(low)s to %(high)s",
        low=money_estimate(row.low, row.currency),
        high=money_estimate(row.high, row.currency),
    )


def short_reason(row: SuggestionView, groups: GroupsShown) -> str:
    """Return what speaks most for a suggestion, beside the numbers that stand in other columns."""
    found = list(_stated(row))
    served = groups.words(row.group_id)
    if served and len(found) < _SHORT:
        found.append(_("Serves the group %(group)s", group=served))
    return " · ".join(found[:_SHORT]) or _people(row)


def reasons(row: SuggestionView, groups: GroupsShown) -> list[str]:
    """Return everything that speaks for a suggestion, from its evidence."""
    found = [_people(row), *_stated(row)]
    served = groups.words(row.group_id)
    if served:
        found.append(_("Serves the group %(group)s", group=served))
    found += [*_groups(row, groups), _margin(row)]
    weeks = _number(row, "weeks")
    if weeks:
        found.append(
            ngettext(
                "Counted over %(num)s week of baskets", "Counted over %(num)s weeks of baskets", round(weeks)
            )
        )
    return found


def _groups(row: SuggestionView, groups: GroupsShown) -> Iterator[str]:
    """Yield the groups that the store has more of than the chain, and how many of their households buy it."""
    for group_id, people, times in row.evidence.get("groups") or []:
        if name := groups.words(group_id):
            yield _(
                "%(group)s, of which this store has %(times)s times the chain's share: %(people)s buy it",
                group=name,
                times=number_text(times, 1),
                people=ngettext("%(num)s household", "%(num)s households", people),
            )


def _margin(row: SuggestionView) -> str:
    margin = row.evidence.get("margin_per_week")
    if isinstance(margin, int):
        return _(
            "%(amount)s a week of the article's own revenue is margin",
            amount=money_estimate(margin, row.currency),
        )
    return _("Revenue, not margin: what the article costs is not known")


def _people(row: SuggestionView) -> str:
    people = ngettext("%(num)s household", "%(num)s households", row.households)
    baskets = ngettext("%(num)s basket", "%(num)s baskets", row.baskets)
    match row.kind:
        case "list":
            return _("%(people)s buy it in other stores, in %(baskets)s", people=people, baskets=baskets)
        case "delist":
            return _(
                "%(people)s buy it in the whole chain, here in %(baskets)s", people=people, baskets=baskets
            )
        case "place_together":
            return _("%(people)s take both in similar stores, in %(baskets)s", people=people, baskets=baskets)
        case _:
            return _("%(people)s buy it here, in %(baskets)s", people=people, baskets=baskets)


def where_they_buy(row: SuggestionView) -> str:
    """Return where the households of a suggestion buy, for beneath their number."""
    match row.kind:
        case "list":
            return _("in other stores")
        case "delist":
            return _("in the whole chain")
        case "place_together":
            return _("in similar stores")
        case _:
            return _("in this store")


def _stated(row: SuggestionView) -> Iterator[str]:
    match row.kind:
        case "list":
            yield from _for_listing(row)
        case "place_together":
            yield from _for_placing(row)
        case _:
            yield from _for_what_is_sold(row)


def _for_listing(row: SuggestionView) -> Iterator[str]:
    if (stores := _number(row, "stores")) is not None:
        yield ngettext("Sold in %(num)s similar store", "Sold in %(num)s similar stores", round(stores))
    if own := _number(row, "own_households"):
        yield ngettext(
            "%(num)s household of this store buys it elsewhere",
            "%(num)s households of this store buy it elsewhere",
            round(own),
        )
    if sellers := _number(row, "chain_stores"):
        yield ngettext(
            "Sold in %(num)s store of the chain", "Sold in %(num)s stores of the chain", round(sellers)
        )
    if penetration := _number(row, "penetration"):
        yield _("%(share)s of the households that shop there buy it", share=percent_text(penetration))
    if (rate := _number(row, "per_thousand_baskets")) is not None:
        yield _("There it takes %(amount)s in a thousand baskets", amount=money_estimate(rate, row.currency))
    if transfer := _number(row, "transfer"):
        yield _("About %(share)s of it would come from similar articles here", share=percent_text(transfer))


def _for_placing(row: SuggestionView) -> Iterator[str]:
    here, elsewhere = _number(row, "share_here"), _number(row, "share_similar")
    if here is not None and elsewhere is not None:
        yield _(
            "%(other)s is in %(here)s of the baskets with %(article)s here, in similar stores in %(elsewhere)s",
            other=row.other or "",
            article=row.article,
            here=percent_text(here, 1),
            elsewhere=percent_text(elsewhere, 1),
        )
    if lift := _number(row, "adjusted_lift"):
        yield _(
            "The chain's baskets hold both %(times)s times as often as by chance", times=number_text(lift, 1)
        )


def _transfer(row: SuggestionView) -> Iterator[str]:
    transfer = _number(row, "transfer")
    if row.other and transfer is not None:
        yield _(
            "%(article)s and others of its kind would catch about %(share)s",
            article=row.other,
            share=percent_text(transfer),
        )
    elif transfer is not None and transfer < _HARDLY:
        yield _("Hardly anything of its kind would catch it")
    elif transfer is not None:
        yield _("Others of its kind would catch about %(share)s", share=percent_text(transfer))


def _for_what_is_sold(row: SuggestionView) -> Iterator[str]:
    revenue, halo = _number(row, "revenue_per_week"), _number(row, "halo_per_week")
    if revenue is not None:
        yield _("Takes %(amount)s a week here", amount=money_estimate(revenue, row.currency))
    told = [*_transfer(row)]
    if halo:
        rest = _(
            "%(amount)s a week of the rest of its baskets hangs on it",
            amount=money_estimate(halo, row.currency),
        )
        # What most of the money is made of is said first: a cell has room for two reasons.
        told.insert(0 if halo > (revenue or 0) else len(told), rest)
    yield from told
    if loyal := _number(row, "exclusive_households"):
        yield ngettext(
            "%(num)s household buys nothing else of its kind",
            "%(num)s households buy nothing else of its kind",
            round(loyal),
        )
    if best := _number(row, "best_buyers"):
        yield ngettext(
            "%(num)s of the store's best buyers takes it and would miss %(amount)s a week of it",
            "%(num)s of the store's best buyers take it and would miss %(amount)s a week of it",
            round(best),
            amount=money_estimate(_number(row, "best_value_per_week") or 0, row.currency),
        )


def substitutes(
    row: SuggestionView, found: Sequence[SubstituteView]
) -> list[tuple[SubstituteView, str, str]]:
    """Return each substitute with what it would catch, and how many households buy both at different times."""
    return [
        (
            one,
            _("%(amount)s a week", amount=money_estimate(one.catches, row.currency)),
            ngettext(
                "%(num)s household takes both, at different times",
                "%(num)s households take both, at different times",
                one.households,
            ),
        )
        for one in found
    ]


def _number(row: SuggestionView, name: str) -> float | None:
    value = row.evidence.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
