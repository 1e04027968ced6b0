"""
What each shopper group buys and how it shops, against everybody with a card.

Whether a category is over-bought is judged among baskets of like size, as rules are: a group with large
baskets buys more of everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable, Int32s, Int64s
from basket_analysis.distinct import distinct
from basket_analysis.mining.strata import STRATA

FEWEST_SHOWN: Final = 10
"""Nothing that fewer people stand behind is kept."""

MOST_CATEGORIES: Final = 12
MOST_STORES: Final = 12
_LEAST_BASKETS: Final = 20
_OVER: Final = 1.2
_UNDER: Final = 0.8
_CLEAR: Final = 3.0
"""Standard deviations from which on a difference is told."""

EVERYBODY: Final = "all"
"""The profile of all groups together."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """
    Baskets of known members as parallel arrays.

    `member` indexes the members, `store` the stores, `day` counts days, `value` is in minor units of
    the store's currency, `articles` how many different ones a basket holds.
    """

    member: Int32s
    store: Int32s
    day: Int32s
    value: Int64s
    articles: Int32s


def profile_groups(
    table: BasketTable,
    visits: Visits,
    group_of: Int32s,
    groups: Sequence[str],
    *,
    stores: Sequence[int],
    currencies: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """
    Return the figures of each of `groups`, and of everybody under `all`.

    `group_of` is the index of each member's group, -1 for members without; `stores` are the stores'
    ids and `currencies` their currencies. Groups of fewer than ten members have their size only,
    and where fewer than ten members bought, nothing is told of how they shop. No number of people is told from
    which one to nine could be computed: `members` of a category is None then, and a store is left out.

    Per group: members, baskets, `per_basket` (currency: mean value), `articles` (mean per basket), `gap`
    (days between visits of the member in the middle), `per_month` (visits), `over` and `under` (categories: item, baskets, expected,
    ratio, members, share, chain_share), `stores` (store_id, baskets, members,
    and which share of the group's and of all members shops there).
    """
    many = len(groups)
    sizes = np.bincount(group_of[group_of >= 0], minlength=many)
    categories = _categories(table, group_of, sizes)
    habits = _habits(visits, group_of, sizes, currencies)
    homes = _homes(visits, group_of, sizes, stores)
    found: dict[str, dict[str, Any]] = {}
    for number, group in enumerate(groups):
        enough = sizes[number] >= FEWEST_SHOWN
        details = {**habits[number], **categories[number], "stores": homes[number]} if enough else {}
        found[group] = {"members": int(sizes[number]), **details}
    found[EVERYBODY] = {"members": int(sizes.sum()), **habits[many]}
    return found


def _categories(table: BasketTable, group_of: Int32s, members: Int64s) -> list[dict[str, Any]]:
    """Return the over- and under-bought categories of each group of so many members, the clearest first."""
    many, kinds = len(members), len(table.items)
    owner = np.append(group_of, np.int32(-1))[table.owners]
    known = owner >= 0
    lines = np.repeat(np.arange(len(table)), np.diff(table.offsets))
    kept = known[lines]
    line_of, codes = lines[kept], table.codes[kept].astype(np.int64)
    in_group = np.bincount(owner[known] * STRATA + table.strata[known], minlength=many * STRATA)
    sizes = in_group.reshape(many, STRATA).astype(float)
    held = np.bincount(table.strata[line_of] * kinds + codes, minlength=STRATA * kinds).reshape(STRATA, kinds)
    observed = np.bincount(owner[line_of] * kinds + codes, minlength=many * kinds).reshape(many, kinds)
    of_stratum = np.maximum(sizes.sum(axis=0), 1.0)
    chance = held / of_stratum[:, None]
    expected = sizes @ chance
    variance = (sizes * (1 - sizes / of_stratum)) @ (chance * (1 - chance))
    z = (observed - expected) / np.sqrt(variance + 1)
    people = _people(table.owners[line_of], codes, kinds, group_of, many)
    baskets = np.maximum(sizes.sum(axis=1), 1.0)
    chain_share = held.sum(axis=0) / max(float(sizes.sum()), 1.0)
    ratio = observed / np.maximum(expected, 1e-9)
    clear = (people >= FEWEST_SHOWN) & (np.maximum(observed, expected) >= _LEAST_BASKETS)
    over = [_first(z[number], clear[number] & (ratio[number] >= _OVER), 1) for number in range(many)]
    under = [_first(z[number], clear[number] & (ratio[number] <= _UNDER), -1) for number in range(many)]
    listed = np.zeros(people.shape, np.bool_)
    for number in range(many):
        listed[number, [*over[number], *under[number]]] = True
    told = tellable(people, listed, members)

    def row(number: int, code: int) -> dict[str, Any]:
        return {
            "item": table.items[code],
            "baskets": int(observed[number, code]),
            "expected": round(float(expected[number, code]), 1),
            "ratio": round(float(ratio[number, code]), 3),
            "members": int(people[number, code]) if told[number, code] else None,
            "share": round(float(observed[number, code] / baskets[number]), 5),
            "chain_share": round(float(chain_share[code]), 5),
        }

    return [
        {
            "over": [row(number, code) for code in over[number]],
            "under": [row(number, code) for code in under[number]],
        }
        for number in range(many)
    ]


def _first(z: Floats, possible: NDArray[np.bool_], sign: int) -> list[int]:
    """Return the codes that differ clearly in the direction of `sign`, the clearest first."""
    codes = np.flatnonzero(possible & (sign * z >= _CLEAR))
    first: list[int] = codes[np.argsort(-sign * z[codes], kind="stable")][:MOST_CATEGORIES].tolist()
    return first


def tellable(people: Int64s, listed: NDArray[np.bool_], members: Int64s) -> NDArray[np.bool_]:
    """
    Return of which `listed` numbers of `people` (a row per group) the number may be told.

    How many members each group has, and how many people there are of each column, is known otherwise. So of a group,
    and of all groups of a column that are kept back, neither those who are told of nor the rest may be one to nine.
    Of a column the smallest are kept back first.
    """
    rest = members[:, None] - people
    told: NDArray[np.bool_] = listed & _enough(people) & (people > 0) & _enough(rest)
    for column in np.flatnonzero(told.any(axis=0)):
        for smallest in np.argsort(people[:, column], kind="stable"):
            hidden = ~told[:, column]
            if _enough(people[hidden, column].sum()) and _enough(rest[hidden, column].sum()):
                break
            told[smallest, column] = False
    return told


def _enough(people: Any) -> Any:
    """Return whether a number of people, or each of many, is none or at least ten."""
    return (people == 0) | (people >= FEWEST_SHOWN)


def _people(owners: Int32s, codes: Int64s, kinds: int, group_of: Int32s, many: int) -> NDArray[np.int64]:
    """Return how many different members of each group bought each category."""
    pairs = distinct(owners.astype(np.int64) * max(kinds, 1) + codes)
    places = group_of[pairs // max(kinds, 1)].astype(np.int64) * kinds + pairs % max(kinds, 1)
    return np.bincount(places, minlength=many * kinds).reshape(many, kinds)


def _habits(
    visits: Visits, group_of: Int32s, members: Int64s, currencies: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the habits of each group, and of everybody in the last place; none where fewer than ten bought."""
    many = len(members)
    group = group_of[visits.member]
    gaps = _gaps(visits.member, visits.day, len(group_of))
    span = int(np.ptp(visits.day)) + 1 if len(visits.day) else 1
    currency = np.array([sorted(set(currencies)).index(one) for one in currencies] or [0], np.int32)
    found: list[dict[str, Any]] = []
    for number in range(many + 1):
        mine = group == number if number < many else group >= 0
        people = group_of == number if number < many else group_of >= 0
        own_gaps = gaps[people & np.isfinite(gaps)]
        spent: dict[str, float] = {}
        for place, name in enumerate(sorted(set(currencies))):
            values = visits.value[mine & (currency[visits.store] == place)]
            if (
                len(values)
                and len(distinct(visits.member[mine & (currency[visits.store] == place)])) >= FEWEST_SHOWN
            ):
                spent[name] = round(float(values.mean()), 1)
        baskets = int(mine.sum())
        buyers = _shoppers(visits.member[mine], int(members[number] if number < many else members.sum()))
        habits = {
            "baskets": baskets,
            "per_basket": spent,
            "articles": round(float(visits.articles[mine].mean()), 2) if baskets else None,
            "gap": round(float(np.median(own_gaps)), 1) if len(own_gaps) >= FEWEST_SHOWN else None,
            "per_month": round(baskets / buyers / span * 30.44, 2) if buyers else None,
        }
        found.append(habits if buyers >= FEWEST_SHOWN else {})
    return found


def _shoppers(member: Int32s, members: int) -> int:
    """Return how many of `members` shopped; all of them where those who did not are so few that it would tell them."""
    shoppers = len(distinct(member))
    return members if shoppers >= FEWEST_SHOWN > members - shoppers else shoppers


def _gaps(member: Int32s, day: Int32s, members: int) -> Floats:
    """Return each member's mean number of days between visits, NaN with fewer than two days of them."""
    low, high = np.full(members, np.inf), np.full(members, -np.inf)
    np.minimum.at(low, member, day)
    np.maximum.at(high, member, day)
    span = int(day.max(initial=0)) + 1
    days = np.bincount(distinct(member.astype(np.int64) * span + day) // span, minlength=members)
    gaps: Floats = np.full(members, np.nan)
    several = days > 1
    gaps[several] = (high - low)[several] / (days[several] - 1)
    return gaps


def _homes(
    visits: Visits, group_of: Int32s, members: Int64s, stores: Sequence[int]
) -> list[list[dict[str, Any]]]:
    """Return the stores in which each group is clearly more at home than everybody, the clearest first."""
    many, shops = len(members), max(1, len(stores))
    group = group_of[visits.member]
    known = group >= 0
    counts = np.bincount(group[known] * shops + visits.store[known], minlength=many * shops).reshape(
        many, shops
    )
    pairs = distinct(visits.member[known].astype(np.int64) * shops + visits.store[known])
    places = group_of[pairs // shops].astype(np.int64) * shops + pairs % shops
    people = np.bincount(places, minlength=many * shops).reshape(many, shops)
    # A member goes to the same store again and again, so members are compared, not their baskets.
    everybody = people.sum(axis=0) / max(_shoppers(visits.member[known], int(members.sum())), 1)
    own = np.array([max(_shoppers(visits.member[group == one], int(members[one])), 1) for one in range(many)])
    chance = own[:, None] * everybody
    z = (people - chance) / np.sqrt(chance * (1 - np.minimum(everybody, 1)) + 1)
    chosen = [
        np.argsort(-z[one], kind="stable")[: int((z[one] >= 2).sum())][:MOST_STORES] for one in range(many)
    ]
    listed = np.zeros(people.shape, np.bool_)
    for one in range(many):
        listed[one, chosen[one]] = True
    # The share says how many as well as their number does, so the whole row goes.
    told = tellable(people, listed, members)
    return [
        [
            {
                "store_id": int(stores[place]),
                "baskets": int(counts[one, place]),
                "share": round(float(people[one, place] / own[one]), 5),
                "chain_share": round(float(everybody[place]), 5),
                "members": int(people[one, place]),
            }
            for place in chosen[one].tolist()
            if told[one, place]
        ]
        for one in range(many)
    ]
