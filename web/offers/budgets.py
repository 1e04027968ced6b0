"""Budgets of offers as bars: what is used, what quotes hold just now, and what is left."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from markupsafe import Markup, escape

from core.clock import zone
from web.offers.lists import Spent
from web.offers.names import Json, Teller
from web.offers.naming import Choices


@dataclass(frozen=True, slots=True)
class Bar:
    """One budget: its words, what is used, held and left as they are written, and its figure."""

    title: str
    used: str
    held: str
    left: str
    limit: str
    figure: Markup
    empty: bool


def bars(say: Teller, document: Json, spent: Spent) -> list[Bar]:
    """Return a bar for each budget of an offer in total."""
    limits = document.get("limits") or {}
    found = []
    if limits.get("amount") is not None:
        found.append(
            _bar(say, say.gettext("Discounts"), spent.amount, spent.held_amount, limits["amount"], money=True)
        )
    if limits.get("uses") is not None:
        found.append(_bar(say, say.gettext("Uses"), spent.uses, spent.held_uses, limits["uses"], money=False))
    return found


def in_words(say: Teller, document: Json, spent: Spent) -> str:
    """Return what is left of an offer's budgets, for a file."""
    return "; ".join(
        say.gettext("%(used)s of %(limit)s used", used=one.used, limit=one.limit)
        for one in bars(say, document, spent)
    )


def figure(say: Teller, document: Json, spent: Spent) -> Markup:
    """Return the bars of an offer for a cell, with what is left beside each."""
    shown = bars(say, document, spent)
    if not shown:
        return Markup('<span class="none">{}</span>').format(say.gettext("without a limit"))
    return Markup("").join(
        Markup('<span class="budget-cell">{} <span class="number{}">{}</span></span>').format(
            one.figure, " bad" if one.empty else "", say.gettext("%(left)s left", left=one.left)
        )
        for one in shown
    )


def last_day(document: Json, known: Choices) -> date | None:
    """Return the last day of an offer in the time of its stores; None while it has no end."""
    text = (document.get("valid") or {}).get("to")
    if not text:
        return None
    end = datetime.fromisoformat(text).astimezone(zone(known.timezone(document.get("stores") or ())))
    return end.date() - timedelta(days=1) if end.time() == time(0) else end.date()


def _bar(say: Teller, title: str, used: int, held: int, limit: int, *, money: bool) -> Bar:
    write = say.money if money else say.number
    left = max(0, limit - used - held)
    label = say.gettext(
        "%(used)s used, %(held)s held, %(left)s left", used=write(used), held=write(held), left=write(left)
    )
    return Bar(
        title,
        write(used),
        write(held),
        write(left),
        write(limit),
        stacked(used, held, limit, label=label),
        left == 0,
    )


def stacked(used: int, held: int, limit: int, *, label: str, width: int = 96, height: int = 8) -> Markup:
    """Return a bar that fills with what is used, and lighter with what is held."""
    share = min(1.0, used / limit) if limit > 0 else 1.0
    both = min(1.0, (used + held) / limit) if limit > 0 else 1.0
    state = " is-empty" if both >= 1 else ""
    return Markup(  # noqa: S704 - numbers of ours, and every word escaped
        f'<svg class="inline budget{state}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(label)}">'
        f'<rect class="bar-track" width="{width}" height="{height}" rx="2"/>'
        f'<rect class="bar-held" width="{round(both * width, 1)}" height="{height}" rx="2"/>'
        f'<rect class="bar-fill" width="{round(share * width, 1)}" height="{height}" rx="2"/></svg>'
    )
