"""
Certification: a till maker's walk through the whole contract, against a server and with a key of its sandbox.

It speaks as any till would, over the wire and knowing nothing else; every rule of the contract that
is tried ends in pass or fail, with what was said when it failed.
"""

import http.client
import itertools
import json
import secrets
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stdnum import ean

from core import clock
from core.errors import Refused

Json = dict[str, Any]
TIMEOUT = 30.0
"""Seconds after which an answer that has not come is called missing."""


class NoServer(Refused):
    """Nobody answers at the address as the contract says."""


class BrokenRule(Exception):  # noqa: N818 - it is no error of ours
    """The server did not do what a rule promises."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something the contract promises, and how to see it."""

    code: str
    promise: str
    check: "Callable[[Conversation], None]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule held; `broken` says what happened instead, None when it held."""

    code: str
    promise: str
    broken: str | None

    def as_json(self) -> Json:
        """Return the verdict as the command line prints it."""
        return {
            "rule": self.code,
            "promise": self.promise,
            "passed": self.broken is None,
            "broken": self.broken,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `document` is the parsed body, None where there is none."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    document: Any

    @property
    def code(self) -> str | None:
        """The problem's code; None when this is no problem document."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        return str(self.document.get("type", "")).rpartition("/")[2]


class Wire:
    """Requests to a server, a connection for each; raises `NoServer` when nobody answers."""

    def __init__(self, address: str, key: str) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NoServer(f"{address!r} is no address of a server, such as http://127.0.0.1:8000")
        self._make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/").removesuffix("/pos/v1") + "/pos/v1"
        self.key = key

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send one request under the base path of the contract."""
        connection = self._make(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request(method, self._base + path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoServer(f"{method} {path}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        told = {name.lower(): value for name, value in response.getheaders()}
        is_json = told.get("content-type", "").partition(";")[0].endswith("json")
        try:
            document = json.loads(content) if is_json and content else None
        except ValueError as error:
            raise NoServer(f"{method} {path}: the answer says it is JSON and is not") from error
        return Answer(response.status, told, content, document)


@dataclass
class Conversation:
    """
    A till in conversation with the server: what it knows of its store, and bodies that are right.

    Numbers of receipts and cards are new in every run, so that certification may be repeated.
    """

    wire: Wire
    facts: Json
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def begin(cls, address: str, key: str) -> "Conversation":
        """Return a conversation that knows its store; raises `NoServer` when the server knows no such key."""
        wire = Wire(address, key)
        answer = wire.send("GET", "/snapshot", None, {"Authorization": f"Bearer {key}"})
        if answer.status != 200:
            said = answer.document or {}
            raise NoServer(
                f"the server does not take the key: {answer.status} {said.get('detail', said.get('title', ''))}"
            )
        payload = answer.document["payload"]
        return cls(
            wire, {**payload["programme"], "store": payload["store_code"], "till": payload["till_code"]}
        )

    def call(self, method: str, path: str, document: Any = None, **headers: str) -> Answer:
        """Send a request with the till's key; `document` is sent as JSON, bytes as they are."""
        named = {"Authorization": f"Bearer {self.wire.key}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        named = {name: value for name, value in named.items() if value}
        body = document if isinstance(document, bytes) or document is None else json.dumps(document).encode()
        return self.wire.send(method, path, body, named)

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for something."""
        return self.call("GET", path, **headers)

    def post(self, path: str, document: Any = None, **headers: str) -> Answer:
        """Send something."""
        return self.call("POST", path, document, **headers)

    def points_for(self, amount: int) -> int:
        """Return what a sale of untaxed `amount` earns, by the programme that the snapshot tells."""
        return max(0, amount) * int(self.facts["earned_points"]) // int(self.facts["earned_per_amount"])

    def new_card_number(self) -> str:
        """Return a valid number that was never seen: an in-house EAN-13."""
        digits = f"29{secrets.randbelow(10**10):010}"
        return digits + ean.calc_check_digit(digits)

    def member(self, *, points: int = 0) -> str:
        """Enrol somebody and return the card, which has `points` to spend at least."""
        card_number = self.new_card_number()
        enrolled = self.post(
            "/members",
            {
                "card_number": card_number,
                "given_name": "Certification",
                "family_name": self.run,
                "email": f"{card_number}@certification.example",
                "language": "en",
            },
        )
        expect(enrolled.status == 201, f"enrolling a member answered {enrolled.status}", enrolled)
        if points:
            long_ago = self.moment(days=-int(self.facts["pending_days"]) - 3)
            amount = -(-points * int(self.facts["earned_per_amount"]) // int(self.facts["earned_points"]))
            earned = self.post("/receipts", self.sale(amount, card_number=card_number, at=long_ago))
            expect(earned.status == 201, f"a late sale answered {earned.status}", earned)
        return card_number

    def sale(self, *totals: int, at: datetime | None = None, **changes: Any) -> Json:
        """Return the body of a new sale of one piece a line, paid in cash."""
        at = at or self.moment()
        lines = [
            {
                "line_number": number,
                "sku": f"certification-{number}",
                "quantity": "1",
                "unit_price": total,
                "total_amount": total,
                "tax_rate": "0",
            }
            for number, total in enumerate(totals, 1)
        ]
        body = {
            "type": "sale",
            "business_date": at.date().isoformat(),
            "receipt_number": f"{self.run}-{next(self._numbers):04}",
            "closed_at": at.isoformat(),
            "currency": self.facts["currency"],
            "lines": lines,
            "tenders": [{"type": "cash", "amount": sum(totals)}],
            "totals": {"payable_amount": sum(totals)},
        }
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def original(self, sale: Json) -> Json:
        """Return how a return or void names `sale`."""
        return {
            "store_code": self.facts["store"],
            "till_code": self.facts["till"],
            "business_date": sale["business_date"],
            "receipt_number": sale["receipt_number"],
        }

    def back(self, sale: Json, *line_numbers: int, quantity: str = "1") -> Json:
        """Return the body of a return of pieces of `sale`."""
        sold = {line["line_number"]: line for line in sale["lines"]}
        body = self.sale(*(sold[number]["total_amount"] for number in line_numbers))
        for line, number in zip(body["lines"], line_numbers, strict=True):
            line |= {"original_line_number": number, "quantity": quantity}
            line["total_amount"] = line["unit_price"] * int(quantity)
        payable = sum(line["total_amount"] for line in body["lines"])
        body |= {"type": "return", "original": self.original(sale), "totals": {"payable_amount": payable}}
        return body | {"tenders": [{"type": "cash", "amount": payable}]}

    def void(self, sale: Json) -> Json:
        """Return the body of a void of `sale`."""
        body = self.sale(0, type="void", original=self.original(sale))
        return {name: body[name] for name in body if name not in {"lines", "tenders", "totals"}}

    def sell(self, *totals: int, **changes: Any) -> tuple[Json, Json]:
        """Post a new sale that must be taken; returns its body and the answer."""
        body = self.sale(*totals, **changes)
        answer = self.post("/receipts", body)
        expect(answer.status == 201, f"a sale answered {answer.status}", answer)
        return body, answer.document

    def card(self, card_number: str) -> Json:
        """Return a card as the server knows it."""
        answer = self.get(f"/cards/{card_number}")
        expect(answer.status == 200, f"a known card answered {answer.status}", answer)
        document: Json = answer.document
        return document

    @staticmethod
    def moment(**away: float) -> datetime:
        """Return now, or so far away from it."""
        return clock.now().replace(microsecond=0) + timedelta(**away)


def expect(holds: bool, words: str, answer: Answer | None = None) -> None:  # noqa: FBT001 - reads as assert does
    """Raise `BrokenRule` with `words`, and what the server said, unless it `holds`."""
    if not holds:
        said = "" if answer is None else f" · {answer.content[:400].decode(errors='replace')}"
        raise BrokenRule(words + said)


def equal(seen: object, expected: object, what: str) -> None:
    """Raise `BrokenRule` unless the two are equal."""
    expect(seen == expected, f"{what} is {seen!r}, not {expected!r}")


def certify(conversation: Conversation, rules: "tuple[Rule, ...]") -> Iterator[Verdict]:
    """Yield a verdict on every rule, in their order; one that breaks keeps no other from being tried."""
    for rule in rules:
        broken = None
        try:
            rule.check(conversation)
        except BrokenRule as error:
            broken = str(error)
        except NoServer as error:
            broken = f"no answer: {error}"
        except (KeyError, TypeError, IndexError) as error:
            broken = f"the answer has not the form of the contract: {type(error).__name__} {error}"
        yield Verdict(rule.code, rule.promise, broken)
