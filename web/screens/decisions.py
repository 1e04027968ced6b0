"""Decisions about what waits in the work queue: one entry, or several at once, with a note for who reads it later."""

from collections.abc import Callable
from typing import Protocol

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.payment_cards import payment_card_numbers
from sales.work_queue import ReasonMissing
from web.notices import go
from web.state import transaction
from web.words import gettext as _
from web.words import ngettext

LONGEST_NOTE = 500

Errors = dict[str, str]


class Settle(Protocol):
    """Takes entries out of a queue, and returns how many; raises `ReasonMissing`."""

    def __call__(self, session: Session, ids: list[int], *, state: str, note: str) -> int:
        """Take these entries out."""


def settle_one(
    settle: Settle, entry_id: int, *, page: Callable[[Errors], str], back: str
) -> ResponseReturnValue:
    """Do as the form says with one entry and go `back`, or show its `page` again with what is wrong."""
    state, note = _decision()
    if wrong := wrong_note(note):
        return page({"note": wrong}), 422
    try:
        with transaction() as session:
            settle(session, [entry_id], state=state, note=note)
    except ReasonMissing:
        return page({"note": _("Say why: others will read it here.")}), 422
    return go(back, _("Accepted as it is.") if state == "resolved" else _("Dismissed."))


def settle_chosen_ones(settle: Settle, *, back: str) -> ResponseReturnValue:
    """Do as the form says with the entries that were chosen in it, all for one reason, and go `back`."""
    state, note = _decision()
    chosen = _chosen_ids()
    if not chosen:
        return go(back, _("Choose entries first."), "caution")
    if wrong := wrong_note(note):
        return go(back, wrong, "bad")
    try:
        with transaction() as session:
            settled = settle(session, chosen, state=state, note=note)
    except ReasonMissing:
        return go(back, _("Write a reason before you dismiss entries: others will read it."), "bad")
    return go(back, ngettext("%(num)s entry was taken out.", "%(num)s entries were taken out.", settled))


def _decision() -> tuple[str, str]:
    """Return the state that the form asks for, and the note in it; raises `BadRequest`."""
    state = request.form.get("state", "")
    if state not in {"resolved", "dismissed"}:
        raise BadRequest
    return state, request.form.get("note", "").replace("\0", "").strip()[:LONGEST_NOTE]


def _chosen_ids() -> list[int]:
    """Return the numbers of the rows that were chosen; raises `BadRequest`."""
    try:
        return [int(text) for text in request.form.getlist("chosen")[:1000] if int(text) < 2**63]
    except ValueError as error:
        raise BadRequest from error


def wrong_note(note: str) -> str:
    """Return why a note cannot be kept, empty when it can."""
    if payment_card_numbers(note):
        return _("This looks like a payment-card number. Such numbers are never kept here.")
    return ""
