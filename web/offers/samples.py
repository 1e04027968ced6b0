"""A basket to try an offer on: made to fit it, taken from a receipt, or put together by hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import Session

from rewards.carts import CartLine
from sales.article_lists import last_prices
from sales.figures import latest_business_date
from sales.models import Article, Receipt, ReceiptLine, Store
from web.offers.condition_words import SELECT_KEYS
from web.offers.fields import Given
from web.offers.names import Json

MOST_LINES: Final = 30
_LONGEST: Final = 12
_LARGEST: Final = 10**9
_PRICES_KEPT: Final = timedelta(weeks=8)
_BACK: Final = timedelta(weeks=8)
_LATELY: Final = timedelta(days=14)
_LOOKED_AT: Final = 40
_COLUMNS: Final[dict[str, Any]] = {
    "skus": Article.sku,
    "gtins": Article.gtin,
    "categories": Article.category,
    "types": Article.type,
    "departments": Article.department,
    "brands": Article.brand,
}


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of the basket; the price is for one piece or kilogram, in minor units."""

    article: Article
    quantity: Decimal
    price: int

    def cart_line(self, number: int) -> CartLine:
        """Return the line as offers look at it."""
        one = self.article
        return CartLine(
            number, self.quantity, one.unit, self.price, one.sku, one.gtin, one.category, one.type,
            one.department, one.brand,
        )  # fmt: skip


Sample = tuple[SampleLine, ...]


def read_sample(session: Session, given: Given) -> Sample:
    """Return the basket that was entered; lines that cannot be read are left out."""
    numbers = sorted(
        {name.split(".")[1] for name in given if name.startswith("basket.") and name.count(".") == 2}
    )
    entered = [_entered(given, number) for number in numbers[:MOST_LINES] if number.isdigit()]
    wanted = [one for one in entered if one is not None]
    articles = {
        one.sku: one
        for one in session.scalars(select(Article).where(Article.sku.in_([sku for sku, _, _ in wanted])))
    }
    prices = _prices(session, list(articles.values()))
    return tuple(
        SampleLine(articles[sku], quantity, price if price is not None else prices.get(sku, 0))
        for sku, quantity, price in wanted
        if sku in articles
    )


def sample_fields(sample: Sample) -> Given:
    """Return the fields that show a basket."""
    given: Given = {}
    for number, line in enumerate(sample):
        given[f"basket.{number}.sku"] = [line.article.sku]
        given[f"basket.{number}.quantity"] = [format(line.quantity.normalize(), "f")]
        given[f"basket.{number}.price"] = [str(line.price)]
    return given


def fitting(session: Session, document: Json) -> Sample:
    """Return a basket of real articles that ought to get the offer, with one more article beside it."""
    lines: list[SampleLine] = []
    for chosen, quantity, amount in _needs(document):
        lines += _bought(session, chosen, quantity, amount)
    taken = {line.article.sku for line in lines}
    lines += [
        line for line in _sold(session, None) or _listed(session, None) if line.article.sku not in taken
    ][:1]
    return _joined(lines)[:MOST_LINES]


def made_for(document: Json, sample: Sample) -> str:
    """Return a mark of a basket that was made for an offer: of what that asks for, and of the basket."""
    asked = [document["condition"], document["benefit"].get("select")]
    return f"{_digest(asked)}.{_digest(sample_fields(sample))}"


def is_made_for_another(mark: str, document: Json, sample: Sample) -> bool:
    """Whether a basket is, by the mark that it came with, one that nobody has changed, for an offer that asks for something else."""
    asked, _point, basket = mark.partition(".")
    now_asked, _point, now_basket = made_for(document, sample).partition(".")
    return basket == now_basket and asked != now_asked


def _digest(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def recent(session: Session, document: Json, *, store_id: int | None, skip: int) -> Sample:
    """Return a real basket of the last weeks with something in it that the offer is about; another one per `skip`."""
    newest = latest_business_date(session, store_id=store_id)
    if newest is None:
        return ()
    wanted = next((chosen for chosen, _, _ in _needs(document)), None)
    line = select(ReceiptLine.line_number).join(Article, Article.article_id == ReceiptLine.article_id)
    statement = (
        select(Receipt.business_date, Receipt.receipt_id)
        .where(
            Receipt.business_date > newest - _BACK,
            Receipt.business_date <= newest,
            Receipt.type == "sale",
            Receipt.mode == "live",
            line.where(
                ReceiptLine.business_date == Receipt.business_date,
                ReceiptLine.receipt_id == Receipt.receipt_id,
                # Implied, but only with bounds of its own are the other months left out.
                ReceiptLine.business_date > newest - _BACK,
                ReceiptLine.business_date <= newest,
                matches(wanted),
            ).exists(),
        )
        .order_by(Receipt.business_date.desc(), Receipt.receipt_id.desc())
    )
    if store_id is not None:
        statement = statement.where(Receipt.store_id == store_id)
    found = session.execute(statement.offset(skip).limit(1)).first()
    if found is None:
        return ()
    rows = session.execute(
        select(Article, ReceiptLine.quantity, ReceiptLine.unit_price)
        .join(Article, Article.article_id == ReceiptLine.article_id)
        .where(
            ReceiptLine.business_date == found.business_date,
            ReceiptLine.receipt_id == found.receipt_id,
            ReceiptLine.unit_price > 0,
        )
        .order_by(ReceiptLine.line_number)
        .limit(MOST_LINES)
    )
    return tuple(SampleLine(*row) for row in rows)


def matches(chosen: Json | None) -> ColumnElement[bool]:
    """Return the condition on articles that a selection means."""
    parts: list[ColumnElement[bool]] = [
        _COLUMNS[key].in_(list((chosen or {})[key])) for key in SELECT_KEYS if (chosen or {}).get(key)
    ]
    if left_out := (chosen or {}).get("except"):
        parts.append(not_(matches(left_out)))
    return and_(Article.sku.is_not(None), *parts)


def store_of(session: Session, codes: list[str], preferred: int | None) -> Store | None:
    """Return the store that a basket is tried in: the reader's if the offer holds there, else the offer's first."""
    statement = select(Store).order_by((Store.store_id == (preferred or 0)).desc(), Store.store_code)
    return session.scalars(statement.where(Store.store_code.in_(codes)) if codes else statement).first()


def _entered(given: Given, number: str) -> tuple[str, Decimal, int | None] | None:
    sku, text, price = (
        (given.get(f"basket.{number}.{name}") or [""])[0].strip() for name in ("sku", "quantity", "price")
    )
    try:
        quantity = round(Decimal(text.replace(",", ".")[:_LONGEST]), 3)
    except (InvalidOperation, ValueError):
        return None
    if not sku or not quantity.is_finite() or not 0 < quantity <= 10_000:
        return None
    known = price.isascii() and price.isdigit() and len(price) < _LONGEST and int(price) < _LARGEST
    return sku, quantity, int(price) if known else None


def _needs(document: Json) -> Iterator[tuple[Json | None, Decimal, int | None]]:
    """Yield what has to be bought: of which goods how many pieces, or for how much."""
    waiting: list[Json] = [document["condition"]]
    while waiting:
        part = waiting.pop(0)
        match part["kind"]:
            case "items":
                yield part.get("select"), Decimal(str(part["quantity"])), None
            case "each":
                for one in part["of"]:
                    yield one.get("select"), Decimal(str(one["quantity"])), None
            case "value":
                yield part.get("select"), Decimal(1), part["amount"]
            case "all":
                waiting += part["of"]
            case "any":
                waiting += part["of"][:1]
    if (chosen := document["benefit"].get("select")) is not None:
        yield chosen, Decimal(1), None


def _bought(session: Session, chosen: Json | None, quantity: Decimal, amount: int | None) -> list[SampleLine]:
    """Return lines that fulfil a need: two different articles where that is possible."""
    lines = _sold(session, chosen) or _listed(session, chosen)
    if not lines:
        return []
    first = lines[0]
    if amount is not None:
        pieces = (Decimal(amount) / max(first.price, 1)).to_integral_value(ROUND_CEILING)
        return [replace(first, quantity=min(max(pieces, Decimal(1)), Decimal(1000)))]
    if quantity < 2 or len(lines) == 1:
        return [replace(first, quantity=max(quantity, Decimal(1)) if quantity == int(quantity) else quantity)]
    return [replace(first, quantity=quantity - 1), lines[1]]


def _sold(session: Session, chosen: Json | None) -> list[SampleLine]:
    """Return two of the articles that were sold last, at the price of then or of the list."""
    newest = latest_business_date(session)
    if newest is None:
        return []
    rows = session.execute(
        select(Article, ReceiptLine.unit_price)
        .join(Article, Article.article_id == ReceiptLine.article_id)
        .where(
            ReceiptLine.business_date > newest - _LATELY,
            ReceiptLine.business_date <= newest,
            ReceiptLine.unit_price > 0,
            matches(chosen),
        )
        .limit(_LOOKED_AT)
    )
    found: dict[str, SampleLine] = {}
    for article, price in rows:
        found.setdefault(article.sku, SampleLine(article, Decimal(1), article.price or price))
    return [found[sku] for sku in sorted(found)][:2]


def _listed(session: Session, chosen: Json | None) -> list[SampleLine]:
    """Return two of the articles of the list, those with a price first."""
    articles = session.scalars(
        select(Article).where(matches(chosen)).order_by(Article.price.is_(None), Article.sku).limit(2)
    ).all()
    return [SampleLine(one, Decimal(1), one.price or 0) for one in articles]


def _prices(session: Session, articles: list[Article]) -> dict[str, int]:
    newest = latest_business_date(session)
    unpriced = [one.article_id for one in articles if one.price is None]
    paid = last_prices(session, unpriced, since=newest - _PRICES_KEPT) if newest and unpriced else {}
    found = {one.sku: one.price if one.price is not None else paid.get(one.article_id) for one in articles}
    return {sku: price for sku, price in found.items() if price is not None}


def _joined(lines: list[SampleLine]) -> Sample:
    """Return lines with one line per article."""
    found: dict[str, SampleLine] = {}
    for line in lines:
        known = found.get(line.article.sku)
        found[line.article.sku] = replace(line, quantity=line.quantity + known.quantity) if known else line
    return tuple(found.values())
