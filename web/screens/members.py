"""Members: found by what they bring along, and one member's points, receipts, group, consents and catalogs."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.audit import record_event
from core.keyset import Ask, Page
from customers.member_lists import MemberRow, list_members, membership_of, read_member
from loyalty.programme import DEFAULT
from loyalty.statements import balances, list_entries, lots_of, points_of
from sales.receipt_lists import list_receipts
from web import groups_shown, scope
from web.cells import group_name
from web.export import respond
from web.roles import NAMELESS_ROLES
from web.screens.receipts import address_of, columns, filters
from web.shown_catalogs import copies_of
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import language_name

blueprint = Blueprint("members", __name__, url_prefix="/members")
_LANGUAGES = ("en", "cs", "sk", "pl")
_SECTIONS = ("points", "receipts", "consents", "catalogs")
