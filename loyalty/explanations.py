"""A statement's entries in words, in the reader's language. Pure."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from core.clock import business_day
from core.i18n import called, show_date, show_number, translations
from loyalty.receipt_names import ReceiptName
from loyalty.statements import LotPiece, StatementLine

_MOST_PIECES: Final = 6
"""Lots named in one explanation; a reader of more than that goes to the list of lots."""


def explain(line: StatementLine, language: str) -> str:
    """Return in one sentence what happened and why."""
    words = _WORDS.get(line.reason)
    return words(line, language) if words else line.reason


def pieces_in_words(line: StatementLine, language: str) -> str:
    """Return from or into which lots an entry moved points; empty where the entry's own sentence says so."""
    pieces = [piece for piece in line.pieces if piece.points]
    if line.reason == "earn" or not pieces:
        return ""
    told = [_piece(piece, language) for piece in pieces[:_MOST_PIECES]]
    if len(pieces) > _MOST_PIECES:
        rest = len(pieces) - _MOST_PIECES
        words = translations(language).ngettext("%(num)s lot more", "%(num)s lots more", rest)
        told.append(words % {"num": show_number(rest, language)})
    return "; ".join(told)


def adjustment_reason(reason: str, language: str) -> str:
    """Return why points are adjusted, in a few words."""
    gettext = translations(language).gettext
    return {
        "goodwill": gettext("Goodwill"),
        "complaint": gettext("After a complaint"),
        "missing_purchase": gettext("A purchase without the card"),
        "till_error": gettext("A mistake at the till"),
        "promotion": gettext("A promotion"),
        "misuse": gettext("Misuse"),
        "correction": gettext("Correction of an earlier booking"),
        "other": gettext("Another reason"),
    }.get(reason, reason)


def _piece(piece: LotPiece, language: str) -> str:
    gettext = translations(language).gettext
    values = {
        "points": ("+" if piece.points > 0 else "\N{MINUS SIGN}") + show_number(abs(piece.points), language),
        "day": show_date(piece.business_date, language),
    }
    if piece.last_day is None:
        return gettext("%(points)s in the lot of %(day)s, which never ends") % values
    return gettext("%(points)s in the lot of %(day)s, ending on %(end)s") % {
        **values,
        "end": show_date(piece.last_day, language),
    }


def _earned(line: StatementLine, language: str) -> str:
    told = _with_offers(_earned_on_receipt(line, language), line, language)
    if not line.came_later:
        return told
    gettext = translations(language).gettext
    values = {
        "told": told,
        "day": show_date(_local(line.claimed_at or line.booked_at, line.receipt), language),
    }
    if line.claimed_at:
        return gettext("%(told)s; paid without the card and claimed on %(day)s") % values
    return gettext("%(told)s; given to the card on %(day)s") % values


def _with_offers(told: str, line: StatementLine, language: str) -> str:
    """Return what was told, what offers added to it, and what they are called."""
    if line.receipt is None:
        return told
    words, added = translations(language), line.receipt.added
    if added.parts:
        told = words.gettext("%(told)s; multiplied by offers") % {"told": told}
    if added.bonus:
        told = words.ngettext(
            "%(told)s; %(num)s point of it a bonus from offers",
            "%(told)s; %(num)s points of it a bonus from offers",
            added.bonus,
        ) % {"told": told, "num": show_number(added.bonus, language)}
    if added and line.receipt.offers:
        told += f" ({', '.join(called(names, language, '') for names in line.receipt.offers)})"
    return told


def _earned_on_receipt(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    values = _receipt_values(line.receipt)
    lot = next((piece for piece in line.pieces if piece.points > 0), None)
    if lot is None:
        return gettext("Earned on receipt %(receipt)s, %(store)s") % values
    values["since"] = show_date(_local(lot.available_at, line.receipt), language)
    if lot.available_at <= line.booked_at:
        return _earned_at_once(lot, values, language)
    if lot.last_day is None:
        return (
            gettext("Earned on receipt %(receipt)s, %(store)s; pending until %(since)s, never ending")
            % values
        )
    values["until"] = show_date(lot.last_day, language)
    return (
        gettext("Earned on receipt %(receipt)s, %(store)s; pending until %(since)s, ending on %(until)s")
        % values
    )


def _earned_at_once(lot: LotPiece, values: dict[str, str], language: str) -> str:
    """Return the words for points that came late enough to be spent at once."""
    gettext = translations(language).gettext
    if lot.last_day is None:
        return gettext("Earned on receipt %(receipt)s, %(store)s; available at once, never ending") % values
    values["until"] = show_date(lot.last_day, language)
    return (
        gettext("Earned on receipt %(receipt)s, %(store)s; available at once, ending on %(until)s") % values
    )


def _taken_back(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    values = _with_original(line)
    if line.receipt and line.receipt.type == "void":
        return gettext("Taken back: receipt %(original)s was voided by %(receipt)s") % values
    return gettext("Taken back: goods of receipt %(original)s were returned on %(receipt)s") % values


def _given_back(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    values = _with_original(line)
    if line.receipt and line.receipt.type == "void":
        return (
            gettext("Given back: receipt %(original)s, paid with points, was voided by %(receipt)s") % values
        )
    return (
        gettext("Given back: goods of receipt %(original)s, paid with points, were returned on %(receipt)s")
        % values
    )


def _spent(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    if line.receipt is not None:
        return gettext("Spent on receipt %(receipt)s, %(store)s") % _receipt_values(line.receipt)
    if line.redemption is None:
        return gettext("Spent")
    values = {"reward": line.redemption.reward_name(language), "store": line.redemption.store_name}
    if line.redemption.reward_code:
        return gettext("Spent on the reward %(reward)s, handed over in %(store)s") % values
    return gettext("Spent at the counter of %(store)s") % values


def _reserved(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    if line.redemption is None:
        return gettext("Set aside")
    values = {"reward": line.redemption.reward_name(language), "store": line.redemption.store_name}
    if line.redemption.reward_code:
        return gettext("Set aside for the reward %(reward)s in %(store)s") % values
    return gettext("Set aside for a purchase in %(store)s") % values


def _released(_line: StatementLine, language: str) -> str:
    return translations(language).gettext(
        "No longer set aside: the points were not spent in time, or given up"
    )


def _expired(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    ends = [piece.last_day for piece in line.pieces if piece.points < 0 and piece.last_day]
    if not ends:
        return gettext("Expired")
    return gettext("Expired at the end of %(day)s") % {"day": show_date(max(ends), language)}


def _adjusted(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    if line.adjustment is None:
        return gettext("Adjusted")
    values = {
        "why": adjustment_reason(line.adjustment.reason, language),
        "who": line.adjustment.requested_by,
        "second": line.adjustment.decided_by or "",
    }
    alone = line.adjustment.decided_by in {None, line.adjustment.requested_by}
    if line.points > 0:
        if alone:
            return gettext("Given by %(who)s: %(why)s") % values
        return gettext("Given by %(who)s, approved by %(second)s: %(why)s") % values
    if alone:
        return gettext("Taken by %(who)s: %(why)s") % values
    return gettext("Taken by %(who)s, approved by %(second)s: %(why)s") % values


def _merged(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    if line.points < 0:
        return gettext("Moved to the account that this one was merged with")
    return gettext("Moved here from an account that was merged with this one")


def _restored(line: StatementLine, language: str) -> str:
    gettext = translations(language).gettext
    return gettext("Put back: the return %(original)s was voided by %(receipt)s") % _with_original(line)


_WORDS: Final[dict[str, Callable[[StatementLine, str], str]]] = {
    "earn": _earned,
    "reverse": _taken_back,
    "return": _given_back,
    "spend": _spent,
    "reserve": _reserved,
    "release": _released,
    "expire": _expired,
    "adjust": _adjusted,
    "merge": _merged,
    "restore": _restored,
}


def _receipt_values(receipt: ReceiptName | None) -> dict[str, str]:
    if receipt is None:
        return {"receipt": "?", "store": "?"}
    return {"receipt": receipt.receipt_number, "store": receipt.store_name}


def _with_original(line: StatementLine) -> dict[str, str]:
    original = line.original.receipt_number if line.original else "?"
    return {**_receipt_values(line.receipt), "original": original}


def _local(moment: datetime, receipt: ReceiptName | None) -> date:
    return business_day(moment, receipt.timezone if receipt else "UTC")
