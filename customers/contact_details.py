"""How a member is reached and what they agreed to: checked, and brought into one form. Pure."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from core.row_import import BadRow

PURPOSES = ("offers", "catalog", "surveys")
CHANNELS = ("email", "print", "sms", "phone")
REGIONS = {"cs": "CZ", "sk": "SK", "pl": "PL"}
"""Where a phone number without its country is taken to be from, by the member's language."""

Consents = tuple[tuple[str, str | None], ...]
"""Purposes, each with its channel, None for what has none."""


def email_address(text: str | None) -> str | None:
    """Return an e-mail address in its normal form; raises `BadRow`."""
    if text is None:
        return None
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise BadRow(f"email is no address: {error}") from error


def phone_number(text: str | None, language: str | None) -> str | None:
    """Return a phone number as E.164 writes it; raises `BadRow`."""
    if text is None:
        return None
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, REGIONS.get(language or ""))
    except phonenumbers.NumberParseException as error:
        raise BadRow("phone is no number, or lacks its country (+420…)") from error
    if not phonenumbers.is_possible_number(number):
        raise BadRow("phone is no number that can exist")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def consents_of(text: str | None) -> Consents:
    """Return what was agreed to: `email:offers` is the purpose offers by e-mail, `profiling` has no channel; raises `BadRow`."""
    found: list[tuple[str, str | None]] = []
    for word in (text or "").split():
        channel, _, purpose = word.rpartition(":")
        known = word == "profiling" or (channel in CHANNELS and purpose in PURPOSES)
        if not known:
            raise BadRow(f"consents has {word!r}, which is neither profiling nor channel:purpose")
        found.append((purpose, channel or None))
    return tuple(sorted(set(found), key=repr))
