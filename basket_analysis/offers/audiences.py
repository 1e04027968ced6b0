"""Members as offers meet them: habits, groups, refusals, what came back, and what catalogs showed in vain."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.baskets import Int32s
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE
from basket_analysis.mining.basket_rule_lists import basket_rules
from basket_analysis.models import ShopperGroup
from basket_analysis.offers.choice import Audience, Chooser, GroupTaste, Habit
from basket_analysis.offers.popularity import Popularity
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_purchases import ItemPurchases
from basket_analysis.offers.relevance_reading import Bought
from basket_analysis.offers.sensitive_lists import read_sensitive
from contacts.queries import refusals_of
from contacts.reactions import Refusals
from core.driver import driver_of
from customers.memberships import group_of_members
from customers.models import Member

GROUP_DAYS = 56
"""What groups buy is counted over eight weeks."""

DRAWN = 20
"""The chain's share of an article counts as much as that of so many more members of a group."""

# A case of a return to be clarified or a simple change of mind: whatever came back is not what to offer next.
_BROUGHT_BACK = """
    select receipt.member_id, line.article_id
    from receipt
    join receipt_line as line using (business_date, receipt_id)
    where receipt.member_id = any(%(members)s) and receipt.type = 'return' and receipt.mode = 'live'
      and receipt.business_date >= %(since)s and line.business_date >= %(since)s
      and receipt.business_date < %(as_of)s and line.article_id is not null
"""

_CALLED = "select name, article_id from article where name = any(%(names)s)"


class Audiences:
    """Turns members into audiences; `meet` reads what some of them said, and `of` puts it together."""

    def __init__(self, bought: Bought, chooser: Chooser, groups: "Groups") -> None:
        self.chooser = chooser
        self._bought = bought
        self._groups = groups
        kept = bought.rankable("article").tolist()
        self._ids = [bought.articles[number].article_id for number in kept]
        self.ids = np.array(self._ids or [0], np.int64)
        """The articles by their numbers in purchases."""
        self._categories = [bought.articles[number].category or "" for number in kept]
        self._refusals: dict[UUID, Refusals] = {}
        self._called: dict[str, list[int]] = {}
        self._back: dict[UUID, set[int]] = {}
        self._ignored: Mapping[UUID, Mapping[int, int]] = {}

    def meet(
        self,
        session: Session,
        members: Collection[UUID],
        *,
        now: datetime,
        ignored: Mapping[UUID, Mapping[int, int]],
    ) -> None:
        """Read what `members` refuse at `now`, and what they brought back in the last year."""
        accounts = session.execute(
            select(Member.member_id, Member.account_id).where(Member.member_id.in_(members))
        )
        self._refusals = refusals_of(session, {row.member_id: row.account_id for row in accounts}, now=now)
        self._called = _articles_called(session, self._refusals.values())
        as_of = self._bought.as_of
        since = as_of.replace(year=as_of.year - 1, day=min(as_of.day, 28))
        back = defaultdict(set)
        values = {"members": list(members), "since": since, "as_of": as_of}
        for member, article in driver_of(session).execute(_BROUGHT_BACK, values).fetchall():
            back[member].add(article)
        self._back = dict(back)
        self._ignored = ignored

    def of(self, member: UUID, origin: Origin, number: int) -> Audience:
        """Return the audience of `member`, who has this `number` in `origin`."""
        first, last = np.searchsorted(
            origin.key, [number * max(origin.items, 1), (number + 1) * max(origin.items, 1)]
        )
        items = origin.pair_item[first:last].tolist()
        audience = Audience(
            habits=self._habits(origin, items, slice(first, last)),
            own_categories={self._categories[item] for item in items},
            taste=self._groups.taste_of(member),
            closed=self._back.get(member, ()),
            ignored=self._ignored.get(member, {}),
        )
        refused = self._refusals.get(member)
        if refused is None:
            return audience
        return replace(
            audience,
            closed=self._closed(refused) | set(audience.closed),
            closed_categories=refused.categories | refused.quieted_categories,
        )

    def _closed(self, refused: Refusals) -> set[int]:
        """Return which articles `refused` covers, those of its categories apart."""
        if refused.everything:
            return set(self._ids)
        twins = (article for name in refused.names for article in self._called.get(name, ()))
        return {*refused.articles, *refused.quieted_articles, *twins}

    def rank_by_rules(self, audience: Audience, *, new: bool, count: int) -> list[tuple[int, float]]:
        """Return the ranking for a member with few baskets, of which `count` are to be chosen."""
        return self.chooser.rank_by_rules(audience, self._groups.popular, new=new, count=count)

    def _habits(self, origin: Origin, items: list[int], rows: slice) -> dict[int, Habit]:
        """Return what was done with `items`, which stand at these `rows` of pairs."""
        ids = self._ids
        columns = (origin.pairs[name][rows].tolist() for name in ("baskets", "since", "gap", "recency_90"))
        return {
            ids[item]: Habit(int(baskets), since, None if gap != gap else gap, recency)  # noqa: PLR0124 - NaN
            for item, baskets, since, gap, recency in zip(items, *columns, strict=True)
        }


def _articles_called(session: Session, refusals: Iterable[Refusals]) -> dict[str, list[int]]:
    """Return which articles are called as `refusals` name them: of two that read the same, neither is offered."""
    names = sorted({name for refused in refusals for name in refused.names})
    called: dict[str, list[int]] = defaultdict(list)
    if names:
        for name, article in driver_of(session).execute(_CALLED, {"names": names}).fetchall():
            called[name].append(article)
    return called


class Groups:
    """What each group of a run bought lately, counted among the members that are learnt from."""

    def __init__(
        self,
        bought: Bought,
        sample: ItemPurchases,
        sampled: Int32s,
        group_of: Mapping[UUID, str],
        about: Mapping[str, Any],
    ) -> None:
        self._group_of = group_of
        names = sorted(set(group_of.values()) - {NO_THEME, TOO_LITTLE})
        place = {name: number for number, name in enumerate(names)}
        codes = np.array(
            [place.get(group_of.get(bought.members[number], ""), -1) for number in sampled], np.int32
        )
        late = sample.day >= sample.as_of - GROUP_DAYS
        items = max(sample.items, 1)
        pairs = np.unique(sample.member[late].astype(np.int64) * items + sample.item[late])
        item = pairs % items
        kept = bought.rankable("article")
        ids = np.array([bought.articles[number].article_id for number in kept] or [0], np.int64)
        everybody = np.bincount(item, minlength=items)
        self.members = len(np.unique(pairs // items))
        sold = np.flatnonzero(everybody[: sample.items])
        self.popular = Popularity(
            dict(zip(ids[sold].tolist(), everybody[sold].tolist(), strict=True)),
            members=self.members,
            category_of={kinds.article_id: kinds.category for kinds in bought.articles},
        )
        self._tastes: dict[str, GroupTaste] = {}
        of_pair = codes[pairs // items] if len(codes) else np.empty(0, np.int32)
        for name, number in place.items():
            mine = of_pair == number
            size = len(np.unique(pairs[mine] // items))
            counted = np.bincount(item[mine], minlength=items)
            share = everybody / max(self.members, 1)
            times = (counted + DRAWN * share) / np.maximum((size + DRAWN) * share, 1e-9)
            told = np.flatnonzero(counted > 0)
            self._tastes[name] = GroupTaste(
                dict(zip(ids[told].tolist(), counted[told].tolist(), strict=True)),
                dict(zip(ids[told].tolist(), times[told].tolist(), strict=True)),
                tuple(about.get(name, ())),
            )

    def taste_of(self, member: UUID) -> GroupTaste:
        """Return what the group of `member` buys; of members without a theme, nothing."""
        return self._tastes.get(self._group_of.get(member, ""), _NO_TASTE)


_NO_TASTE = GroupTaste()


def read_audiences(
    session: Session, bought: Bought, *, run_id: UUID, sample: ItemPurchases, sampled: Int32s
) -> Audiences:
    """Return what turns members into audiences, by the rules and groups of the run `run_id`."""
    words = read_sensitive(session)
    sensitive = {
        kinds.article_id
        for kinds in bought.articles
        if words.covers(kinds.department, kinds.category, kinds.type)
    }
    category_of = {kinds.article_id: kinds.category for kinds in bought.articles}
    groups = session.execute(
        select(ShopperGroup.group_id, ShopperGroup.items).where(
            ShopperGroup.run_id == run_id, ShopperGroup.kind == "theme"
        )
    )
    about = {
        row.group_id: [name for name in row.items if not words.covers(None, name, None)] for row in groups
    }
    return Audiences(
        bought,
        Chooser(basket_rules(session, run_id=run_id), category_of, sensitive),
        Groups(bought, sample, sampled, group_of_members(session, run_id=run_id), about),
    )
