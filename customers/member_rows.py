"""Members and cards as files state them, checked row by row. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from stdnum.cz import dic as cz_dic
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.pl import nip, regon

from core.row_import import BadRow, Cells, needed, optional
from core.tabular import Columns
from customers.cardnumbers import normalise_card_number
from customers.contact_details import Consents, consents_of, email_address, phone_number
from customers.models import CARD_STATES, LANGUAGES

MEMBERS = Columns(
    required=("member_code", "given_name", "family_name"),
    optional=(
        "email",
        "phone",
        "language",
        "birth_date",
        "home_store_code",
        "card_number",
        "household_code",
        "company_name",
        "company_id",
        "vat_id",
        "consents",
        "joined_on",
    ),
)
CARDS = Columns(required=("card_number",), optional=("state", "member_code"))

IMPORTABLE_STATES = ("stock", "issued", "active", "blocked", "expired")

_CODE = re.compile(r"[^\s/]{1,64}")
_EIGHT_DIGITS = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as a file states it; None where it states nothing."""

    member_code: str
    given_name: str
    family_name: str
    email: str | None
    phone: str | None
    language: str | None
    birth_date: date | None
    home_store_code: str | None
    card_number: str | None
    household_code: str | None
    company_name: str | None
    company_id: str | None
    vat_id: str | None
    consents: Consents
    joined_on: date | None


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as a file states it."""

    card_number: str
    state: str | None
    member_code: str | None


def parse_member(cells: Cells, *, today: date) -> MemberRow:
    """Return a row of a members file; raises `BadRow` or `BadCardNumber`."""
    language = optional(cells, "language")
    if language is not None and language not in LANGUAGES:
        raise BadRow(f"language is none of {', '.join(LANGUAGES)}")
    company = optional(cells, "company_name")
    names = (optional(cells, "given_name"), optional(cells, "family_name"))
    if company is None and None in names:
        raise BadRow("a person needs given_name and family_name")
    card = cells["card_number"]
    return MemberRow(
        member_code=_code(cells, "member_code") or needed(cells, "member_code"),
        given_name=names[0] or "",
        family_name=names[1] or "",
        email=email_address(optional(cells, "email")),
        phone=phone_number(optional(cells, "phone"), language),
        language=language,
        birth_date=_day(cells, "birth_date", latest=today),
        home_store_code=optional(cells, "home_store_code"),
        card_number=normalise_card_number(card) if card else None,
        household_code=_code(cells, "household_code"),
        company_name=company,
        company_id=_company_id(optional(cells, "company_id")),
        vat_id=_vat_id(optional(cells, "vat_id")),
        consents=consents_of(optional(cells, "consents")),
        joined_on=_day(cells, "joined_on", latest=today),
    )


def parse_card(cells: Cells) -> CardRow:
    """Return a row of a cards file; raises `BadRow` or `BadCardNumber`."""
    state, member_code = optional(cells, "state"), _code(cells, "member_code")
    if state is not None and state not in IMPORTABLE_STATES:
        reason = "needs the card that replaced it" if state in CARD_STATES else "is no state of a card"
        raise BadRow(f"state {state!r} {reason}; one of {', '.join(IMPORTABLE_STATES)} can be imported")
    if state in {"stock", "issued"} and member_code:
        raise BadRow(f"a card in state {state} has no member")
    if state == "active" and not member_code:
        raise BadRow("an active card needs its member_code")
    return CardRow(normalise_card_number(cells["card_number"] or ""), state, member_code)


def _code(cells: Cells, column: str) -> str | None:
    text = optional(cells, column)
    if text is not None and not _CODE.fullmatch(text):
        raise BadRow(f"{column} has spaces or slashes, or is longer than 64 characters")
    return text


def _day(cells: Cells, column: str, *, latest: date) -> date | None:
    text = optional(cells, column)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise BadRow(f"{column} is no day such as 1990-03-31")
    if not date(1900, 1, 1) <= day <= latest:
        raise BadRow(f"{column} is before 1900 or in the future")
    return day


def _company_id(text: str | None) -> str | None:
    """Return a company's number: Czech and Slovak IČO, Polish NIP or REGON."""
    if text is None:
        return None
    digits = text.replace(" ", "").replace("-", "")
    valid = (
        cz_dic.is_valid(digits)
        if _EIGHT_DIGITS.fullmatch(digits)
        else nip.is_valid(digits) or regon.is_valid(digits)
    )
    if not valid:
        raise BadRow("company_id is no IČO, NIP or REGON: its length or its check digit is wrong")
    return digits


def _vat_id(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(vat.validate(text))
    except ValidationError as error:
        raise BadRow("vat_id is no VAT number of the European Union, such as CZ00177041") from error
