"""The search in the top bar: members, receipts and articles by what somebody has in hand."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from core.keyset import Ask
from customers.member_lists import find_members
from customers.member_search import holder_of
from sales.article_lists import find_articles
from sales.receipt_lists import list_receipts
from web.roles import NAMELESS_ROLES, may
from web.screens.receipts import address_of
from web.state import now, transaction, viewer

blueprint = Blueprint("search", __name__)
_LONGEST = 120
_FEWEST = 2
_DIGIT = re.compile(r"\d")
"""No receipt's number is without one: a name is not looked for among them."""


@blueprint.get("/search")
def find() -> ResponseReturnValue:
    """Show what fits the words; a single hit is opened at once, and whose card it is before anything else is asked."""
    words = request.args.get("q", "").replace("\0", "").strip()[:_LONGEST]
    person = viewer()
    names = person.role not in NAMELESS_ROLES
    if len(words) < _FEWEST:
        return render_template(
            "screens/search.html", search_words=words, members=[], receipts=[], articles=[]
        )
    with transaction() as session:
        if may(person.role, "members.show") and (holder := holder_of(session, words)):
            _record(session, words)
            return redirect(url_for("members.show", member_id=holder))
        members = find_members(session, words, names=names) if may(person.role, "members.show") else []
        receipts = (
            list_receipts(
                session,
                Ask(sort="business_date", descending=True, limit=8, words=words),
                store_id=person.store_id,
            ).rows
            if may(person.role, "receipts.show") and _DIGIT.search(words)
            else ()
        )
        articles = find_articles(session, words)
        if members:
            _record(session, words)
    by_number = [row for row in receipts if row.receipt_number == words]
    if len(members) == 1 and not by_number and not articles:
        return redirect(url_for("members.show", member_id=members[0].member_id))
    if len(receipts) == 1 and not members and not articles:
        return redirect(address_of(receipts[0]))
    return render_template(
        "screens/search.html",
        search_words=words,
        members=members,
        receipts=[(row, address_of(row)) for row in receipts],
        articles=articles,
        names=names,
    )


def _record(session: Session, words: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action="member.search",
        subject_kind="member",
        subject_id=words,
    )
