"""What else is live around an offer: on the same goods, in the same exclusive group, at the same time, in the same store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from sales.models import Article
from web.offers.condition_words import is_everything
from web.offers.goods import Goods, goods_of
from web.offers.names import Json, Teller
from web.offers.samples import matches
from web.offers.words import headline, offer_name

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


def conflicts(session: Session, document: Json, live: Sequence[Json], say: Teller) -> list[Conflict]:
    """Return the `live` offers on the same goods, at a common time and in a common store; those that exclude first."""
    near = [one for one in live if _same_time(document, one) and _same_store(document, one)]
    goods = _goods(session, document) if near else Goods(())
    found = [
        Conflict(one["code"], offer_name(say, one), headline(say, one), *_meeting(say, document, one))
        for one in near
        if goods.meet(one)
    ]
    found.sort(key=lambda one: ("caution", "accent", "").index(one.meaning))
    return found


def _goods(session: Session, document: Json) -> Goods:
    about = goods_of(document)
    if any(is_everything(chosen) for chosen in about):
        return Goods(None)
    rows = session.execute(
        select(Article.sku, Article.gtin, Article.category, Article.type, Article.department, Article.brand)
        .where(or_(*(matches(chosen) for chosen in about)))
        .order_by(Article.sku)
        .limit(MOST_LOOKED_AT)
    )
    return Goods((*row, True) for row in rows)


def below_cost(session: Session, document: Json) -> tuple[int, int]:
    """Return how many articles that the offer is about would be sold below cost by it, and of how many cost is known."""
    benefit = document["benefit"]
    price = _price_after(benefit)
    if price is None:
        return 0, 0
    chosen = benefit["select"] if benefit.get("select") is not None else goods_of(document)[0]
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
