"""What past baskets are played with: articles, stores, and people as far as they are known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import zone
from core.driver import driver_of
from loyalty.programme.rules import Programme
from rewards.carts import Occasion, Shopper
from rewards.offers import Offer
from rewards.rehearsals.play import LineCost, Setting, Worth
from rewards.selections import Article
from rewards.units import Lines
from sales.articlecodes import find_gtin
from sales.models import Store
from sales.past_baskets import HUNDREDTHS, THOUSANDTHS, Goods, PastBasket, all_goods

LineCodes = Mapping[tuple[UUID, int], tuple[str | None, str | None]]
"""SKU and GTIN, as a till gave them, by receipt and line number."""
MOST_PEOPLE: Final = 200_000
"""So many members are kept at hand; beyond that they are read anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """A store as baskets need it."""

    store_code: str
    timezone: str
    currency: str


_PEOPLE = """
    select member.member_id::text, member.member_code, member.birth_date,
           coalesce(member.company_name, member.company_id, member.vat_id) is not null, membership.group_id,
           tier.tier_code, standing.phase, standing.value_class
    from member
    left join group_membership as membership
      on membership.member_id = member.member_id and membership.run_id = (select run_id from served_run)
      and member.profiling_objected_at is null
    left join member_standing as standing
      on standing.member_id = member.member_id and standing.run_id = (select run_id from served_run)
      and member.profiling_objected_at is null
    left join tier_standing as tier on tier.account_id = member.account_id
    where member.member_id = any(%s::uuid[])
"""

_FIRST = """
    select account_id::text, min(closed_at) from receipt
    where account_id is not null and type = 'sale' and mode = 'live' and business_date < %s
    group by account_id
"""

_STAFF = """
    select card.member_id::text, staff_card.registered_at, staff_card.ended_at
    from staff_card join card using (card_number)
    where card.member_id is not null
"""


@dataclass(slots=True)
class Scene:
    """
    Turns past baskets into settings.

    Tier, shopper group, phase and value class are today's; birthday and first purchase are as of the basket; articles are as they are
    known today. Vouchers are not presented: those of the past are spent.
    """

    goods: Mapping[int, Goods]
    places: Mapping[int, Place]
    staff: Mapping[str, Sequence[tuple[datetime, datetime | None]]]
    first_sales: Mapping[str, datetime]
    one_for_all: bool
    """No offer names stores, so that to offers all stores are one: what is learnt in one need not be learnt in each."""
    codes: LineCodes = field(default_factory=dict)
    """The codes of lines whose articles nobody knew then, of the day that is played."""
    _people: dict[str, tuple[Shopper, str | None]] = field(default_factory=dict)
    _by_sku: dict[str, Goods] = field(default_factory=dict)
    _by_gtin: dict[str, Goods] = field(default_factory=dict)

    @classmethod
    def read(
        cls, session: Session, *, offers: Iterable[Offer], stores: Collection[int], until: date
    ) -> "Scene":
        """Read what does not depend on the baskets."""
        asked = tuple(offers)
        first = any(offer.audience.first_purchase for offer in asked)
        driver = driver_of(session)
        staff: dict[str, list[tuple[datetime, datetime | None]]] = {}
        for member_id, since, ended in driver.execute(_STAFF).fetchall():
            staff.setdefault(member_id, []).append((since, ended))
        rows = session.execute(
            select(Store.store_id, Store.store_code, Store.timezone, Store.currency).where(
                Store.store_id.in_(stores)
            )
        )
        scene = cls(
            goods=all_goods(session),
            places={row.store_id: Place(row.store_code, row.timezone, row.currency) for row in rows},
            staff=staff,
            one_for_all=not any(offer.stores for offer in asked),
            first_sales=dict(driver.execute(_FIRST, (until,)).fetchall()) if first else {},
        )
        scene._by_sku = {one.sku: one for one in scene.goods.values()}
        scene._by_gtin = {one.gtin: one for one in scene.goods.values() if one.gtin}
        return scene

    def meet(self, session: Session, baskets: Iterable[PastBasket]) -> None:
        """Read the members of these baskets whom nobody has asked for yet."""
        wanted = {basket.member_id for basket in baskets if basket.member_id is not None}
        if len(self._people) > MOST_PEOPLE:
            self._people.clear()
        lacking = [one for one in wanted if one not in self._people]
        if lacking:
            for member_id, code, birth_date, company, group, tier, phase, value in driver_of(session).execute(
                _PEOPLE, (lacking,)
            ):
                groups = (group,) if group else ()
                shopper = Shopper(code, tier, groups, phase, value, birth_date, company=company)
                self._people[member_id] = shopper, group

    def setting(self, basket: PastBasket) -> Setting:
        """Return a basket ready to be played."""
        place = self.places[basket.store_id]
        known = self._people.get(basket.member_id) if basket.member_id is not None else None
        shopper, group = known or (None, None)
        if shopper is not None:
            shopper = self._at_that_time(shopper, basket)
        store_code = "" if self.one_for_all else place.store_code
        occasion = Occasion(
            basket.closed_at,
            place.timezone,
            store_code,
            place.currency,
            shopper,
            has_card=basket.account_id is not None,
        )
        return Setting(
            basket=basket,
            # The first of the units are pieces; what is below it names no unit, and is of pieces too.
            lines=Lines.of_thousandths(
                basket.numbers, basket.quantities, basket.prices, [unit > 0 for unit in basket.units]
            ),
            occasion=occasion,
            day=basket.closed_at.astimezone(zone(place.timezone)).date(),
            account=basket.account_id,
            person=basket.member_id or basket.account_id,
            group=group,
        )

    def _at_that_time(self, shopper: Shopper, basket: PastBasket) -> Shopper:
        """Return a shopper as of the basket: whether it was the account's first, and whether they were staff."""
        bindings = self.staff.get(basket.member_id or "", ())
        staff = any(
            since <= basket.closed_at and (ended is None or basket.closed_at < ended)
            for since, ended in bindings
        )
        first = self.first_sales.get(basket.account_id or "") == basket.closed_at
        return replace(shopper, staff=staff, first_purchase=first) if staff or first else shopper

    def article_at(self, basket: PastBasket, place: int) -> Article:
        """Return what offers look at of a line: the article of then, or that its codes lead to by now."""
        article = basket.articles[place]
        found = self.goods.get(article) if article is not None else None
        sku = gtin = None
        if found is None:
            sku, gtin = self.codes.get((basket.receipt_id, basket.numbers[place]), (None, None))
            found = self._by_sku.get(sku) if sku else None
        if found is None and gtin:
            found = self._by_gtin.get(find_gtin(gtin) or "")
        if found is None:
            return (sku, gtin, None, None, None, None, False)
        return (found.sku, found.gtin, found.category, found.type, found.department, found.brand, True)

    def costs(self, setting: Setting) -> list[LineCost] | None:
        """Return what the lines of a basket cost the chain, None where that is not known of all of them."""
        found = []
        basket = setting.basket
        for article, quantity, rate in zip(basket.articles, basket.quantities, basket.rates, strict=True):
            one = self.goods.get(article) if article is not None else None
            if one is None or one.cost is None:
                return None
            percent = int(one.tax_rate * HUNDREDTHS) if rate is None else rate
            found.append(LineCost(one.article_id, _rounded(one.cost * quantity), percent))
        return found


def _rounded(thousandths: int) -> int:
    return (2 * thousandths + THOUSANDTHS) // (2 * THOUSANDTHS)


def worth_of(session: Session, programme: Programme, currency: str) -> Worth:
    """Return what points, rewards and vouchers are worth today: a reward what its points are, a voucher its value."""
    rewards = driver_of(session).execute("select reward_code, points from reward").fetchall()
    batches = driver_of(session).execute(
        "select batch_code, value_amount from voucher_batch where value_amount is not null and currency = %s",
        (currency,),
    )

    def earned(parts: Iterable[tuple[int, Decimal]]) -> int:
        return programme.points_for(int(sum(net * times for net, times in parts)), currency)

    return Worth(
        earned=earned,
        point=programme.value_of(1, currency),
        rewards={code: programme.value_of(points, currency) for code, points in rewards},
        vouchers=dict(batches.fetchall()),
    )
