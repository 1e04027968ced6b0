"""What offers can name, and what it is called: stores, articles, voucher batches, gifts, shopper groups and tiers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.models import PHASES, VALUE_CLASSES
from customers.standing_counts import said_of_one_line
from loyalty.tiers.models import TierScheme
from rewards.models import Reward
from rewards.vouchers.models import VoucherBatch
from sales.models import Article, Store
from web.groups.shown import groups_now, name_of
from web.offers.names import Json, Names


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """A store that an offer may be limited to."""

    code: str
    name: str
    currency: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the builder can offer to choose from; pairs of code and name."""

    stores: tuple[StoreChoice, ...]
    rewards: tuple[tuple[str, str], ...]
    batches: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    tiers: tuple[tuple[str, str], ...]
    phases: Mapping[str, int | None]
    """How many members are of each phase in the served run; empty before the first night, None where it is not said."""
    values: Mapping[str, int | None]

    def currency(self, codes: Iterable[str]) -> str:
        """Return the currency of the first of some stores, of all when none is named."""
        wanted = set(codes)
        return next((one.currency for one in self.stores if not wanted or one.code in wanted), "EUR")

    def timezone(self, codes: Iterable[str]) -> str:
        """Return the time zone of the first of some stores, of all when none is named."""
        wanted = set(codes)
        return next((one.timezone for one in self.stores if not wanted or one.code in wanted), "UTC")

    def find(self, words: str, most: int = 12) -> list[StoreChoice]:
        """Return the stores whose name or code has the words in it."""
        wanted = words.strip().casefold()
        return [one for one in self.stores if wanted in one.name.casefold() or wanted in one.code.casefold()][
            :most
        ]

    def currencies(self, codes: Iterable[str]) -> list[str]:
        """Return the currencies of some stores, of all when none is named."""
        wanted = set(codes)
        return sorted({one.currency for one in self.stores if not wanted or one.code in wanted})


def choices(session: Session, language: str) -> Choices:
    """Return what can be chosen now."""
    stores = session.execute(
        select(Store.store_code, Store.name, Store.currency, Store.timezone).order_by(Store.store_code)
    )
    rewards = session.execute(
        select(Reward.reward_code, Reward.name).where(Reward.active).order_by(Reward.reward_code)
    )
    batches = session.execute(
        select(VoucherBatch.batch_code, VoucherBatch.name).order_by(VoucherBatch.batch_code)
    )
    groups = groups_now(session)
    standings = groups.run.parameters.get("standings", {}) if groups.run else {}
    return Choices(
        stores=tuple(StoreChoice(*row) for row in stores),
        rewards=tuple((code, _named(code, name, language)) for code, name in rewards),
        batches=tuple((code, _named(code, name, language)) for code, name in batches),
        groups=tuple((one.group_id, name_of(one)) for one in groups.groups if one.kind == "theme"),
        tiers=_tiers(session, language),
        phases=said_of_one_line(standings["phases"], PHASES) if standings else {},
        values=said_of_one_line(standings["value_classes"], VALUE_CLASSES) if standings else {},
    )


def names_of(
    session: Session, documents: Iterable[Json], language: str, found: Choices | None = None
) -> Names:
    """Return what the codes in some offers are called; currency and time zone are those of the first offer's stores."""
    wanted = list(documents)
    known = found or choices(session, language)
    stores = list(wanted[0].get("stores") or ()) if wanted else []
    skus = {code for one in wanted for code in _codes(one, "skus")}
    gtins = {code for one in wanted for code in _codes(one, "gtins")}
    return Names(
        skus=_articles(session, "sku", skus),
        gtins=_articles(session, "gtin", gtins),
        stores={one.code: one.name for one in known.stores},
        rewards=dict(known.rewards),
        batches=dict(known.batches),
        groups=dict(known.groups),
        tiers=dict(known.tiers),
        currency=known.currency(stores),
        timezone=known.timezone(stores),
    )


def selections(offer: Json) -> Iterator[Json]:
    """Yield every selection of goods in an offer, those that are taken out of another too."""
    waiting: list[Any] = [offer.get("condition"), offer.get("benefit")]
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        waiting += part.get("of") or ()
        chosen = part.get("select")
        while chosen:
            yield chosen
            chosen = chosen.get("except")


def _codes(offer: Json, key: str) -> Iterator[str]:
    for chosen in selections(offer):
        yield from chosen.get(key) or ()


def _articles(session: Session, key: str, codes: set[str]) -> dict[str, str]:
    if not codes:
        return {}
    column = getattr(Article, key)
    return {row[0]: row[1] for row in session.execute(select(column, Article.name).where(column.in_(codes)))}


def _named(code: str, names: dict[str, str] | None, language: str) -> str:
    return (names or {}).get(language) or (names or {}).get("en") or next(iter((names or {}).values()), code)


def _tiers(session: Session, language: str) -> tuple[tuple[str, str], ...]:
    """Return the tiers of the newest approved scheme."""
    rules = session.scalar(
        select(TierScheme.rules)
        .where(TierScheme.state == "approved")
        .order_by(TierScheme.valid_from.desc(), TierScheme.version.desc())
        .limit(1)
    )
    tiers = (rules or {}).get("tiers") or ()
    return tuple((one["code"], _named(one["code"], one.get("name"), language)) for one in tiers)
