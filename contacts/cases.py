"""Cases: complaints, return disputes, grievances and questions, each open until somebody settles it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session
from stdnum import luhn

from contacts.mail_texts import Mail, write_mail
from contacts.models import CASE_NUMBERS, MemberCase
from contacts.operations import record_contact
from contacts.outbox import queue_mail
from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from core.payment_cards import holds_payment_card
from customers.models import Member
from sales.models import Article

Kind = Literal["complaint", "return", "grievance", "question"]
KINDS: Final[tuple[Kind, ...]] = ("complaint", "return", "grievance", "question")
LONGEST_TEXT: Final = 4000
