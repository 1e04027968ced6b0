"""What else is live around an offer: on the same goods, in the same exclusive group, at the same time, in the same store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from rewards.codec import offer_document
from rewards.offer_queries import live_offers
from sales.models import Article
from web.offer_condition_words import SELECT_KEYS, is_everything
from web.offer_names import Json, Teller
from web.offer_samples import matches
from web.offer_words import headline, offer_name

MOST_LOOKED_AT: Final = 2_000
"""Articles of an offer that are compared with the other offers."""
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A live offer that meets this one, and what happens where they meet."""

    offer_code: str
    name: str
    words: str
    meets: str
    meaning: str


def conflicts(session: Session, document: Json, say: Teller) -> list[Conflict]:
    """Return the live offers on the same goods, at a common time and in a common store; those that exclude first."""
    goods = _goods(session, document)
    near = [offer_document(one) for one in live_offers(session) if one.code != document["code"]]
    found = [
        Conflict(one["code"], offer_name(say, one), headline(say, one), *_meeting(say, document, one))
        for one in near
        if _same_time(document, one) and _same_store(document, one) and goods.meet(one)
    ]
    found.sort(key=lambda one: ("caution", "accent", "").index(one.meaning))
    return found


@dataclass(frozen=True, slots=True)
class _Goods:
    """The articles that an offer is about; None where it is about all of them."""

    articles: tuple[tuple[str | None, ...], ...] | None

    def meet(self, other: Json) -> bool:
        """Return whether another offer is about one of them."""
        about = _about(other)
        if self.articles is None or any(is_everything(chosen) for chosen in about):
            return True
        return any(_matches(chosen, article) for chosen in about for article in self.articles)


def _goods(session: Session, document: Json) -> _Goods:
    about = _about(document)
    if any(is_everything(chosen) for chosen in about):
        return _Goods(None)
    columns = (Article.category, Article.type, Article.department, Article.brand, Article.sku, Article.gtin)
    rows = session.execute(
        select(*columns)
        .where(or_(*(matches(chosen) for chosen in about)))
        .order_by(Article.sku)
        .limit(MOST_LOOKED_AT)
    )
    return _Goods(tuple(tuple(row) for row in rows))


def _matches(chosen: Json | None, article: tuple[str | None, ...]) -> bool:
    """Return whether a selection means an article: one of the values of every key given, and not what is taken out."""
    if is_everything(chosen):
        return True
    assert chosen is not None
    fits = all(
        not chosen.get(key) or value in chosen[key] for key, value in zip(SELECT_KEYS, article, strict=True)
    )
    return fits and (is_everything(chosen.get("except")) or not _matches(chosen["except"], article))


def below_cost(session: Session, document: Json) -> tuple[int, int]:
    """Return how many articles that the offer is about would be sold below cost by it, and of how many cost is known."""
    benefit = document["benefit"]
    price = _price_after(benefit)
    if price is None:
        return 0, 0
    chosen = benefit["select"] if benefit.get("select") is not None else _about(document)[0]
    known = and_(matches(chosen), Article.cost.is_not(None), Article.price > 0)
    row = session.execute(
        select(func.count().filter(price < Article.cost), func.count()).select_from(Article).where(known)
    ).one()
    return int(row[0]), int(row[1])


def _price_after(benefit: Json) -> Any:
    """Return what an article costs after a benefit that works on single pieces; None of others."""
    match benefit["kind"]:
        case "percent":
            return Article.price * (100 - Decimal(str(benefit["off"]))) / 100
        case "amount" if benefit.get("per") == "unit":
            return Article.price - benefit["off"]
        case "fixed_price" if benefit.get("per") == "unit":
            return func.least(Article.price, benefit["price"])
    return None


def _meeting(say: Teller, one: Json, other: Json) -> tuple[str, str]:
    """Return what happens where two offers meet, and how much that matters."""
    mine, theirs = one.get("exclusive_group"), other.get("exclusive_group")
    if mine and mine == theirs and one["stage"] == other["stage"]:
        return say.gettext("Same exclusive group: a piece gets only one of the two."), "caution"
    first, second = sorted((one, other), key=_turn)
    if not second.get("stackable", True):
        blocked = say.gettext("This offer gives nothing on goods that one already made cheaper.")
        blocks = say.gettext("That one gives nothing on goods this offer already made cheaper.")
        return (blocked if second is one else blocks), "caution"
    if not first.get("stackable", True):
        closes = say.gettext("This offer closes the goods it takes: that one adds nothing there.")
        closed = say.gettext("That one closes the goods it takes: this offer adds nothing there.")
        return (closes if first is one else closed), "caution"
    if first is one:
        return say.gettext("Both are given; this offer goes first."), "accent"
    return say.gettext("Both are given; that one goes first, and this offer works on what is left."), "accent"


def _turn(offer: Json) -> tuple[int, int, str]:
    stages = ("article", "basket", "points", "voucher")
    return stages.index(offer.get("stage") or "article"), -int(offer.get("priority", 100)), str(offer["code"])


def _same_time(one: Json, other: Json) -> bool:
    (first, last), (start, end) = _period(one), _period(other)
    return first < end and start < last


def _period(offer: Json) -> tuple[datetime, datetime]:
    valid = offer.get("valid") or {}
    start = datetime.fromisoformat(valid["from"]) if valid.get("from") else _EARLIEST
    end = datetime.fromisoformat(valid["to"]) if valid.get("to") else _LATEST
    return start, end


def _same_store(one: Json, other: Json) -> bool:
    mine, theirs = set(one.get("stores") or ()), set(other.get("stores") or ())
    return not mine or not theirs or bool(mine & theirs)


def _about(offer: Json) -> list[Json]:
    """Return the goods that an offer looks for or gives something on; everything where it names none."""
    found: list[Json] = []
    waiting: list[Json] = [offer["condition"]]
    while waiting:
        part = waiting.pop()
        match part["kind"]:
            case "items" | "value":
                found.append(part.get("select") or {})
            case "each":
                found += [one.get("select") or {} for one in part["of"]]
            case "all" | "any":
                waiting += part["of"]
    if offer["benefit"].get("select") is not None:
        found.append(offer["benefit"]["select"])
    return found or [{}]
