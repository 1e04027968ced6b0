"""
Snapshots: what a till needs while it is offline, sent as it is read and signed with the till's own key.

However many cards there are, a page of them at a time is in memory, and no transaction waits for the
till to take them in. The signature comes last, since it is over everything before it.
"""

import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import Any

from flask import Response, request
from sqlalchemy.orm import Session

from core import clock
from loyalty.offline.allowances import Signer
from loyalty.offline.signing import current_key
from loyalty.offline.snapshot_offers import offers_for
from loyalty.offline.snapshots import (
    FRESH_FOR,
    VALID_FOR,
    CardLine,
    Changes,
    Edition,
    look_for_changes,
    read_cards,
    read_edition,
)
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from pos_api import examples, parameters
from pos_api.answers import SnapshotAnswer
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.transactions import sessions_of_request, transact
from sales.queries import key_prefix
from sales.receipts import TillIdentity

snapshots = Calls("snapshots", "What a till needs while it is offline")

KIND = "2"
"""Of the payload; another kind makes every edition new."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a snapshot will hold."""

    changes: Changes
    signer: Signer
    programme: Programme
    facts: str
    offers: str
    till: TillIdentity

    @property
    def edition(self) -> Edition:
        return self.changes.edition


@snapshots.call(
    "GET",
    "/snapshot",
    answers={
        200: (SnapshotAnswer, "All cards, or with `since` those that changed.", examples.SNAPSHOT_ANSWER),
        304: (None, "Nothing has changed since the edition in `If-None-Match`.", {}),
    },
    problems=(),
    parameters=(parameters.SINCE, parameters.IF_NONE_MATCH),
)
def show_snapshot() -> Response:
    """
    Return signed data to work from while offline.

    `ETag` is the snapshot's edition. Sent back as `If-None-Match` it saves an answer that would say
    nothing new; as `since` it asks for no more than the cards that changed. What is too old, or
    never was, is answered with everything: `whole` says which it is.
    """
    key = bearer()
    since, held = _since(), _held()
    now = clock.now()

    def work(session: Session) -> _Plan | Edition:
        return _plan(session, till_of(session, key), since=since, held=held, now=now)

    plan = transact(work)
    if isinstance(plan, Edition):
        return _answer(Response(status=304), plan)
    pages = read_cards(
        sessions_of_request(),
        card_numbers=plan.changes.card_numbers,
        signer=plan.signer,
        programme=plan.programme,
        now=now,
    )
    # The first page is read before anything is said: an outage is still a 503 then.
    first = next(pages, [])
    parts = _signed(_parts(plan, key, chain([first], pages), since=since, now=now), key)
    return _answer(Response(parts, mimetype="application/json"), plan.edition)


def _plan(
    session: Session, till: TillIdentity, *, since: str | None, held: str | None, now: datetime
) -> _Plan | Edition:
    """Return what to send to a till that has the edition `held`, or that edition when it says all there is."""
    signing = current_key(session, now=now)
    programme = programmes(session).on(clock.business_day(now, till.timezone))
    facts = _canonical(_facts(programme, till))
    offers = _canonical(offers_for(session, till=till, now=now))
    basis = sha256(f"{KIND} {signing.key_id} {facts} {offers}".encode()).hexdigest()[:12]
    kept = read_edition(held, basis=basis, now=now)
    changes = None
    if kept is not None and now - kept.made_at < FRESH_FOR:
        changes = look_for_changes(session, since=kept, basis=basis, now=now)
        if changes.card_numbers == ():
            return kept
    if changes is None or since != held:
        asked = read_edition(since, basis=basis, now=now)
        changes = look_for_changes(session, since=asked, basis=basis, now=now)
    signer = Signer(signing, issued_at=now, expires_at=changes.edition.whole_at + VALID_FOR)
    return _Plan(changes, signer, programme, facts, offers, till)


def _since() -> str | None:
    """Return the edition that the request asks for changes since; quoted or not, as it was told."""
    text = request.args.get("since")
    return None if text is None else text.removeprefix("W/").strip('"')


def _held() -> str | None:
    """Return the edition that the till says it has; of several the one it asks for changes since."""
    named = sorted(tag for tag in request.if_none_match.as_set(include_weak=True) if tag)
    since = _since()
    return since if since in named else next(iter(named), None)


def _answer(response: Response, edition: Edition) -> Response:
    response.set_etag(edition.name)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _facts(programme: Programme, till: TillIdentity) -> dict[str, Any]:
    """Return what a till must know of the programme to print what a sale will earn and what points pay."""
    rule = programme.rule(till.currency)
    return {
        "version": programme.version,
        "currency": till.currency,
        "earned_points": rule.points,
        "earned_per_amount": rule.per,
        "earned_net_of_tax": programme.net_of_tax,
        "earned_on_points": programme.earn_on_points,
        "pending_days": programme.pending_days,
        "point_value": rule.point_value,
        "points_as": programme.points_as,
        "points_minimum": programme.minimum,
        "points_step": programme.step,
        "points_share_percent": programme.share_percent,
    }


def _parts(
    plan: _Plan, key: str, pages: Iterable[list[CardLine]], *, since: str | None, now: datetime
) -> Iterator[str]:
    """Yield the snapshot without its signature, in canonical form: names in order, no space between."""
    whole = plan.changes.card_numbers is None
    yield f'{{"generated_at":"{now.isoformat()}","key_id":"{key_prefix(key)}","payload":{{"cards":['
    separator = ""
    for page in pages:
        if page:
            yield separator + ",".join(map(_card, page))
            separator = ","
    rest = {
        "since": None if whole else since,
        "store_code": plan.till.store_code,
        "till_code": plan.till.till_code,
        "whole": whole,
    }
    yield f'],"offers":{plan.offers},"programme":{plan.facts},{_canonical(rest)[1:]}'
    valid_until = plan.edition.whole_at + VALID_FOR
    yield f',"valid_until":"{valid_until.isoformat()}"}}'


def _card(card: CardLine) -> str:
    """Return a card as JSON; it is made of digits, our own words and signatures, so nothing needs an escape."""
    allowance = f'"allowance":"{card.allowance}",' if card.allowance else ""
    return f'{{{allowance}"card_number":"{card.card_number}","spendable_now":{card.points},"state":"{card.state}"}}'


def _signed(parts: Iterable[str], key: str) -> Iterator[bytes]:
    """Yield `parts` of a JSON object with the signature over all of them put in as its last member."""
    mac = hmac.new(sha256(key.encode()).digest(), digestmod="sha256")
    held = b""
    for part in parts:
        mac.update(encoded := part.encode())
        if held:
            yield held
        held = encoded
    yield held[:-1] + b',"signature":"%s"}' % mac.hexdigest().encode()


def _canonical(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
