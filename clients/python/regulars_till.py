"""
A till's side of Regulars: one file, nothing but Python's standard library, Python 3.9 or newer.

Copy it into your till. It keeps the promises that are hard to keep: a paid receipt is on disk before
it is sent and stays there until the server has it, whatever is killed or cut; a request that failed
on its way is tried again after a while that doubles and is never the same for two tills; and while
nobody answers, cards are known from the last snapshot and points are spent within its allowances.

    with Till("https://regulars.example", key="…", folder="/var/lib/till") as till:
        with till.checkout(currency="CZK", card_number="2990000000019", lines=lines) as checkout:
            print(checkout.quote)                    # None while offline
            checkout.spend(200)                      # reserved, or from the card's allowance while offline
            sold = checkout.pay(business_date="2026-11-21", receipt_number="000123",
                                closed_at="2026-11-21T10:16:02+01:00",
                                tenders=[{"type": "cash", "amount": 8782}])
            print(sold.answer["print"] if sold.answer else "will be sent later")

Amounts are integers in the currency's minor unit, quantities and rates decimal strings, moments RFC 3339
with an offset: as in the contract, whose document the server shows under `/pos/v1/docs`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import random
import sqlite3
import ssl
import sys
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

__version__ = "1.0.0"

Json = dict[str, Any]

BATCH = 500
"""Receipts that the contract takes at once."""
BATCH_BYTES = 15 * 1024 * 1024
"""Stays below the 16 MiB that the contract takes at once."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds; a pause is drawn between nothing and a bound that doubles, so that tills do not come back all at once."""
SNAPSHOT_EVERY = 300.0
"""Seconds between two looks for a newer snapshot while the till is open."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""


class TillError(Exception):
    """Something kept a call from being done."""


class Unreachable(TillError):
    """Nobody answered, or the server could not; the same call may succeed later."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Refused(TillError):
    """The server said no: `problem` is the problem document (RFC 9457), `code` its short name."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}".strip(": "))
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        """The last segment of the problem's type, such as `not_enough_points`."""
        return str(self.problem.get("type", "")).rsplit("/", 1)[-1]


class NotAllowed(TillError):
    """The snapshot does not allow so many points of this card while the till is offline."""


class BadSignature(TillError):
    """A snapshot was not signed with this till's key."""


@dataclass(frozen=True)
class OfflineCard:
    """A card as the last snapshot knows it, less what this till took from it since."""

    card_number: str
    state: str
    spendable_now: int


@dataclass(frozen=True)
class Sold:
    """A receipt that is safe: `answer` is the server's, None while it waits to be sent."""

    receipt: Json
    answer: Json | None


@dataclass(frozen=True)
class Flushed:
    """What became of the queue: receipts sent, refused by the server, and still waiting."""

    sent: int
    refused: int
    waiting: int


def pauses(first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Yield how long to wait before each further try: full jitter under a bound that doubles."""
    bound = first
    while True:
        yield random.uniform(0, bound)  # noqa: S311 - it spreads tills, it keeps no secret
        bound = min(longest, bound * 2)


class Wire:
    """One kept connection to the server; raises `Unreachable` or `Refused`, returns status, body and headers."""

    def __init__(self, address: str, key: str, *, timeout: float = 5.0) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the address of a server: {address!r}")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._base = parts.path.rstrip("/") + "/pos/v1"
        self._key, self._timeout = key, timeout
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def once(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a request once."""
        sent = {
            "Authorization": f"Bearer {self._key}",
            "Accept": "application/json",
            "User-Agent": f"regulars-till/{__version__}",
            **({} if body is None else {"Content-Type": "application/json"}),
            **headers,
        }
        with self._lock:
            try:
                connection = self._connect()
                connection.request(method, self._base + path, None if body is None else body.encode(), sent)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise Unreachable(f"{type(error).__name__}: {error}") from error
            if response.will_close:
                self._drop()
        return self._judged(response, content)

    def _judged(
        self, response: http.client.HTTPResponse, content: bytes
    ) -> tuple[int, bytes, Mapping[str, str]]:
        status, told = response.status, {name.lower(): value for name, value in response.getheaders()}
        if status < 400:
            return status, content, told
        try:
            problem = json.loads(content)
        except ValueError:
            problem = {}
        refusal = Refused(status, problem if isinstance(problem, dict) else {})
        if status in _AGAIN or (status == 409 and refusal.code == "in_progress"):
            wait = told.get("retry-after", "")
            raise Unreachable(str(refusal), float(wait) if wait.isdigit() else None)
        raise refusal

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        attempts: int,
        headers: Mapping[str, str] = {},
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a request until it is answered, `attempts` times at most; the tries of a POST share one Idempotency-Key."""
        text = None if body is None else json.dumps(body, ensure_ascii=False)
        named = {**headers, **({"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {})}
        for left, pause in zip(reversed(range(attempts)), pauses()):
            try:
                return self.once(method, path, text, named)
            except Unreachable as error:
                if not left:
                    raise
                time.sleep(pause if error.retry_after is None else max(pause, error.retry_after))
        raise Unreachable("no attempt was asked for")

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._secure:
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
                )
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._drop()


_TABLES = """
    create table if not exists outbox (
        position integer primary key autoincrement, identity text not null unique, body text not null,
        queued_at text not null, problem text
    );
    create table if not exists card (
        card_number text primary key, state text not null, spendable integer not null, allowance text,
        used integer not null default 0
    );
    create table if not exists fact (name text primary key, content text not null);
"""


class Store:
    """What a till keeps on disk, in SQLite: receipts that wait, the last snapshot, points taken from allowances."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        # What is committed outlives a power cut: the log is on disk before commit returns.
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.executescript(_TABLES)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("begin immediate")
            try:
                yield self._database
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def _read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def keep(self, identity: str, body: str) -> bool:
        """Put a receipt on disk before it is sent; False when it lies there already."""
        with self._writing() as database:
            done = database.execute(
                "insert into outbox (identity, body, queued_at) values (?, ?, ?) on conflict do nothing",
                (identity, body, datetime.now(timezone.utc).isoformat()),
            )
            if not done.rowcount:
                ((kept,),) = database.execute("select body from outbox where identity = ?", (identity,))
                if kept != body:
                    raise TillError(f"another receipt {identity} waits to be sent already")
            return bool(done.rowcount)

    def done(self, identity: str) -> None:
        """Forget a receipt that the server has."""
        with self._writing() as database:
            database.execute("delete from outbox where identity = ?", (identity,))

    def refuse(self, identity: str, problem: Json) -> None:
        """Keep a receipt that the server does not take for a person to look at; it is not sent again by itself."""
        with self._writing() as database:
            database.execute(
                "update outbox set problem = ? where identity = ?", (json.dumps(problem), identity)
            )

    def retry(self) -> int:
        """Let refused receipts be sent again, and return how many there are."""
        with self._writing() as database:
            return database.execute("update outbox set problem = null where problem is not null").rowcount

    def waiting(self, most: int = BATCH) -> list[tuple[str, str]]:
        """Return identities and bodies of receipts to be sent, the oldest first."""
        query = "select identity, body from outbox where problem is null order by position limit ?"
        return [(str(identity), str(body)) for identity, body in self._read(query, most)]

    def counts(self) -> tuple[int, int]:
        """Return how many receipts wait, and how many were refused."""
        ((waiting, refused),) = self._read(
            "select count(*) filter (where problem is null), count(problem) from outbox"
        )
        return int(waiting), int(refused)

    def refused(self) -> list[tuple[Json, Json]]:
        """Return the receipts that the server did not take, each with its problem."""
        query = "select body, problem from outbox where problem is not null order by position"
        return [(json.loads(body), json.loads(problem)) for body, problem in self._read(query)]

    def fact(self, name: str) -> str | None:
        """Return what was noted under a name."""
        found = self._read("select content from fact where name = ?", name)
        return str(found[0][0]) if found else None

    def take_snapshot(self, snapshot: Json, edition: str | None) -> None:
        """Learn the cards of a snapshot, all or those that changed, at once."""
        payload = snapshot["payload"]
        cards = [
            (card["card_number"], card["state"], card["spendable_now"], card.get("allowance"))
            for card in payload["cards"]
        ]
        facts = {
            "edition": edition or "",
            "valid_until": snapshot["valid_until"],
            "programme": json.dumps(payload.get("programme") or {}),
        }
        with self._writing() as database:
            if payload.get("whole", True):
                database.execute("delete from card")
            # A newer allowance already knows of what was spent before, once those receipts have been sent.
            database.executemany(
                "insert into card (card_number, state, spendable, allowance) values (?, ?, ?, ?) "
                "on conflict (card_number) do update set state = excluded.state, spendable = excluded.spendable, "
                "allowance = excluded.allowance, used = 0",
                cards,
            )
            database.executemany(
                "insert into fact values (?, ?) on conflict (name) do update set content = excluded.content",
                facts.items(),
            )

    def card(self, card_number: str) -> tuple[str, int, str | None] | None:
        """Return state, points left and allowance of a card."""
        found = self._read(
            "select state, max(spendable - used, 0), allowance from card where card_number = ?", card_number
        )
        return (str(found[0][0]), int(found[0][1]), found[0][2]) if found else None

    def use(self, card_number: str, points: int) -> str | None:
        """Take points from a card's allowance and return it; None when there are not so many."""
        with self._writing() as database:
            taken = database.execute(
                "update card set used = used + ? where card_number = ? and spendable - used >= ? "
                "and allowance is not null",
                (points, card_number, points),
            )
            if not taken.rowcount:
                return None
            ((allowance,),) = database.execute(
                "select allowance from card where card_number = ?", (card_number,)
            )
            return str(allowance)

    def give_back(self, card_number: str, points: int) -> None:
        """Undo `use` for a purchase that was not made."""
        with self._writing() as database:
            database.execute(
                "update card set used = max(used - ?, 0) where card_number = ?", (points, card_number)
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


class Till:
    """
    A till that talks to Regulars; safe to use from several threads.

    `folder` holds what must outlive the program. With `sending` (the default) a thread sends what waits
    and looks for newer snapshots. `on_answer` is called with the receipt and its answer, from that
    thread too, when a receipt that waited has been taken.
    """

    def __init__(
        self,
        address: str,
        key: str,
        folder: str | Path,
        *,
        timeout: float = 5.0,
        attempts: int = 2,
        sending: bool = True,
        on_answer: Callable[[Json, Json], None] | None = None,
    ) -> None:
        self._key, self._attempts, self._on_answer = key, attempts, on_answer
        self._wire = Wire(address, key, timeout=timeout)
        self._background = Wire(address, key, timeout=max(timeout, 30.0))
        self.folder = Path(folder)
        self.store = Store(self.folder / "till.sqlite3")
        self._flushing = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self.online = True
        """Whether the last call was answered."""
        self._sender = threading.Thread(target=self._send_always, name="regulars-till", daemon=True)
        if sending:
            self._sender.start()

    def __enter__(self) -> Till:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop sending; what waits stays on disk for the next time."""
        self._closing.set()
        self._wake.set()
        if self._sender.is_alive():
            self._sender.join(timeout=60)
        self._wire.close()
        self._background.close()
        self.store.close()

    # What is asked for while a customer waits

    def card(self, card_number: str) -> Json:
        """Return a card: state, greeting, points, messages."""
        return self._ask("GET", f"/cards/{_quoted(card_number)}")

    def quote(self, basket: Json) -> Json:
        """Return what a basket comes to, what it will earn, and what is missing for more."""
        return self._ask("POST", "/quotes", basket)

    def enrol(self, member: Json) -> Json:
        """Enrol a member with a card."""
        return self._ask("POST", "/members", member)

    def block(self, card_number: str, reason: str) -> Json:
        """Block a card."""
        return self._ask("POST", f"/cards/{_quoted(card_number)}/block", {"reason": reason})

    def replace(self, card_number: str, new_card_number: str, reason: str) -> Json:
        """Replace a card by a new one, which gets its account."""
        body = {"new_card_number": new_card_number, "reason": reason}
        return self._ask("POST", f"/cards/{_quoted(card_number)}/replace", body)

    def reserve(self, **wanted: Any) -> Json:
        """Reserve points, a reward or a voucher: `card_number` with `points` or `reward_code`, or `voucher_code`."""
        return self._ask("POST", "/redemptions", wanted)

    def redemption(self, redemption_id: str) -> Json:
        """Return a redemption as it stands."""
        return self._ask("GET", f"/redemptions/{_quoted(redemption_id)}")

    def release(self, redemption_id: str) -> Json:
        """Give reserved points back."""
        return self._ask("POST", f"/redemptions/{_quoted(redemption_id)}/release")

    def hand_over(self, redemption_id: str) -> Json:
        """Post a redemption without a receipt: the reward was handed over at the counter."""
        return self._ask("POST", f"/redemptions/{_quoted(redemption_id)}/post")

    def issue_gift_card(self, amount: int, receipt_number: str | None = None) -> Json:
        """Issue a gift card for what was paid, in minor units; its number and a barcode of it are printed."""
        return self._ask("POST", "/gift-cards", _money(amount, receipt_number))

    def gift_card(self, gift_card_number: str) -> Json:
        """Return a gift card: currency, state, balance."""
        return self._ask("GET", f"/gift-cards/{_quoted(gift_card_number)}")

    def load_gift_card(self, gift_card_number: str, amount: int, receipt_number: str | None = None) -> Json:
        """Book that money was paid in for a gift card."""
        path = f"/gift-cards/{_quoted(gift_card_number)}/load"
        return self._ask("POST", path, _money(amount, receipt_number))

    def spend_gift_card(self, gift_card_number: str, amount: int, receipt_number: str | None = None) -> Json:
        """
        Pay with a gift card; the receipt states it as a tender of the type `gift_card`.

        Keep `entry_id` of the answer: should the receipt be voided or its goods come back, `give_back_to_gift_card`
        wants it. The server moves no money by itself.
        """
        path = f"/gift-cards/{_quoted(gift_card_number)}/spend"
        return self._ask("POST", path, _money(amount, receipt_number))

    def give_back_to_gift_card(
        self, gift_card_number: str, entry_id: str, amount: int, receipt_number: str | None = None
    ) -> Json:
        """Give money of a spending back to its card, no more than of it is left."""
        path = f"/gift-cards/{_quoted(gift_card_number)}/give-back"
        return self._ask("POST", path, {**_money(amount, receipt_number), "entry_id": entry_id})

    def return_quote(self, original: Json, lines: Sequence[Json]) -> Json:
        """Return what a return would do, before money is handed back."""
        return self._ask("POST", "/returns/quotes", {"original": original, "lines": list(lines)})

    def react(self, **reaction: Any) -> None:
        """Pass on a member's answer to an offer."""
        self._ask("POST", "/reactions", reaction)

    def stored_answer(self, store_code: str, till_code: str, business_date: str, receipt_number: str) -> Json:
        """Return what was answered to a receipt."""
        parts = (store_code, till_code, business_date, receipt_number)
        return self._ask("GET", "/receipts/" + "/".join(map(_quoted, parts)))

    # What must not be lost

    def post(self, receipt: Json) -> Sold:
        """
        Put a paid receipt on disk, then send it.

        `answer` is None when nobody answered: it is sent later, marked as `offline`. Raises `Refused` when
        the server does not take it; it is kept for a person then, see `Store.refused`.
        """
        identity = f"{receipt['business_date']}/{receipt['receipt_number']}"
        body = json.dumps(receipt, ensure_ascii=False, sort_keys=True)
        self.store.keep(identity, body)
        try:
            _, content, _ = self._reached(
                lambda: self._wire.call("POST", "/receipts", receipt, attempts=self._attempts)
            )
        except Unreachable:
            self._wake.set()
            return Sold(receipt, None)
        except Refused as refusal:
            # A key that does not hold says nothing about the receipt, which stays to be sent with another.
            if refusal.status not in (401, 403):
                self.store.refuse(identity, refusal.problem)
            raise
        self.store.done(identity)
        return Sold(receipt, json.loads(content))

    def flush(self) -> Flushed:
        """
        Send everything that waits, in batches.

        Raises `Unreachable` when nobody answers, and `Refused` when the key does not hold.
        """
        sent = refused = 0
        most = BATCH
        with self._flushing:
            while waiting := _fitting(self.store.waiting(most)):
                bodies = [json.loads(body) for _, body in waiting]
                batch = partial(
                    self._background.call, "POST", "/receipts/batch", {"receipts": bodies}, attempts=1
                )
                try:
                    _, content, _ = self._reached(batch)
                except Refused as refusal:
                    if refusal.status != 413 or most == 1:
                        raise
                    most = max(1, most // 2)
                    continue
                left = 0
                for result in json.loads(content)["results"]:
                    identity, body = waiting[result["index"]][0], bodies[result["index"]]
                    if result["status"] < 400:
                        self.store.done(identity)
                        sent += 1
                        if self._on_answer is not None:
                            self._on_answer(body, result["receipt"])
                    elif result["status"] in _AGAIN or result["status"] == 409:
                        left += 1
                    else:
                        self.store.refuse(identity, result["problem"])
                        refused += 1
                if left:
                    raise Unreachable(f"{left} receipts could not be taken just now")
        return Flushed(sent, refused, self.store.counts()[0])

    # What works while nobody answers

    def refresh_snapshot(self) -> bool:
        """
        Fetch what changed since the last snapshot; False when nothing did.

        Raises `BadSignature` when it was not made for this till's key; the old one is kept then. Receipts
        that wait are sent first, so that new allowances know of what was spent.
        """
        self.flush()
        edition = self.store.fact("edition")
        path = f"/snapshot?since={_quoted(edition)}" if edition else "/snapshot"
        headers = {"If-None-Match": f'"{edition}"'} if edition else {}
        status, content, told = self._reached(
            lambda: self._background.call("GET", path, attempts=1, headers=headers)
        )
        if status == 304:
            return False
        self.store.take_snapshot(
            verified(content, self._key), told.get("etag", "").removeprefix("W/").strip('"')
        )
        return True

    def offline_card(self, card_number: str) -> OfflineCard | None:
        """Return a card as the last snapshot knows it; None when it does not know it."""
        found = self.store.card(card_number)
        if found is None:
            return None
        return OfflineCard(card_number, found[0], found[1] if self._snapshot_holds() else 0)

    def spend_offline(self, card_number: str, points: int) -> Json:
        """
        Take points from a card's allowance; returns the entry for the receipt's `offline_redemptions`.

        Raises `NotAllowed` when the snapshot is too old or does not allow so many.
        """
        if points < 1 or not self._snapshot_holds():
            raise NotAllowed("there is no valid snapshot to spend points by")
        allowance = self.store.use(card_number, points)
        if allowance is None:
            raise NotAllowed(f"the snapshot does not allow {points} points of card {card_number}")
        return {"points": points, "allowance": allowance}

    def value_of(self, points: int) -> int:
        """Return what points pay for, by the programme of the last snapshot."""
        return points * int(json.loads(self.store.fact("programme") or "{}").get("point_value", 0))

    def _snapshot_holds(self) -> bool:
        until = self.store.fact("valid_until")
        return until is not None and datetime.now(timezone.utc) < _moment(until)

    def checkout(
        self,
        *,
        currency: str,
        lines: Sequence[Json],
        card_number: str | None = None,
        card_entry_mode: str | None = None,
        voucher_codes: Sequence[str] = (),
    ) -> Checkout:
        """Begin a purchase: it is quoted at once, or goes on without a quote while offline."""
        basket: Json = {"currency": currency, "lines": [dict(line) for line in lines]}
        if card_number is not None:
            basket["card_number"] = card_number
        if card_entry_mode is not None:
            basket["card_entry_mode"] = card_entry_mode
        if voucher_codes:
            basket["voucher_codes"] = list(voucher_codes)
        quote = None
        with contextlib.suppress(Unreachable):
            quote = self.quote(basket)
        return Checkout(self, basket, quote)

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        _, content, _ = self._reached(lambda: self._wire.call(method, path, body, attempts=self._attempts))
        answer: Json = json.loads(content) if content else {}
        return answer

    def _reached(
        self, call: Callable[[], tuple[int, bytes, Mapping[str, str]]]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            answered = call()
        except Unreachable:
            self.online = False
            raise
        except Refused:
            self.online = True
            raise
        self.online = True
        return answered

    def _send_always(self) -> None:
        looked = -SNAPSHOT_EVERY
        tries = pauses()
        while not self._closing.is_set():
            pause = SNAPSHOT_EVERY
            try:
                if time.monotonic() - looked >= SNAPSHOT_EVERY:
                    self.refresh_snapshot()
                    looked = time.monotonic()
                self.flush()
                tries = pauses()
            except TillError as error:
                pause = max(next(tries), getattr(error, "retry_after", None) or 0.0)
                pause = max(pause, 1.0) if isinstance(error, (Refused, BadSignature)) else pause
            self._wake.wait(pause)
            self._wake.clear()


@dataclass
class Checkout:
    """A purchase on its way; left without `pay`, what it reserved is given back."""

    till: Till
    basket: Json
    quote: Json | None
    redemptions: list[Json] = field(default_factory=list)
    offline_redemptions: list[Json] = field(default_factory=list)
    _paid: bool = False

    def __enter__(self) -> Checkout:
        return self

    def __exit__(self, *_: object) -> None:
        if self._paid:
            return
        for redemption in self.redemptions:
            # What cannot be released now expires by itself.
            with contextlib.suppress(TillError):
                self.till.release(redemption["redemption_id"])
        for offline in self.offline_redemptions:
            self.till.store.give_back(self.basket["card_number"], offline["points"])

    def spend(self, points: int) -> int:
        """
        Reserve points, or take them from the card's allowance while offline; returns what they are worth.

        The basket is quoted again first, so that the quote and the receipt speak of the same points.
        """
        card_number = self.basket["card_number"]
        try:
            if not self.redemptions:
                self.quote = self.till.quote({**self.basket, "points_to_spend": points})
            redemption = self.till.reserve(card_number=card_number, points=points)
        except Unreachable:
            self.offline_redemptions.append(self.till.spend_offline(card_number, points))
            return self.till.value_of(points)
        self.redemptions.append(redemption)
        return int(redemption["value_amount"])

    @property
    def next_offers(self) -> list[Json]:
        """What to offer the customer next, as the quote says it: `headline` and `reason`; nothing while offline."""
        return list(self.quote["next_offers"]) if self.quote else []

    def answered(self, offer: Json, reaction: str, scope: str = "item") -> None:
        """Tell what the customer said to one of `next_offers`: accepted, not_now, never or wrong_product."""
        self.till.react(
            card_number=self.basket["card_number"],
            decision_id=offer["decision_id"],
            reaction=reaction,
            scope=scope,
        )

    @property
    def totals(self) -> Json:
        """The receipt's totals before rounding, by the quote where there is one."""
        lines = self._lines()
        gross = sum(_gross(line) for line in lines)
        discount = sum(int(line.get("discount_amount", 0)) for line in lines)
        points = sum(int(redemption["value_amount"]) for redemption in self.redemptions)
        points += sum(self.till.value_of(int(offline["points"])) for offline in self.offline_redemptions)
        return {
            "gross_amount": gross,
            "discount_amount": discount,
            "points_amount": points,
            "payable_amount": gross - discount - points,
        }

    def pay(
        self,
        *,
        business_date: str,
        receipt_number: str,
        closed_at: str,
        tenders: Sequence[Json],
        operator_code: str | None = None,
        rounding_amount: int = 0,
    ) -> Sold:
        """Make the paid receipt, put it on disk and send it."""
        totals = self.totals
        receipt: Json = {
            "type": "sale",
            "business_date": business_date,
            "receipt_number": receipt_number,
            "closed_at": closed_at,
            **{name: content for name, content in self.basket.items() if name != "lines"},
            "lines": self._lines(),
            "tenders": list(tenders),
            "totals": {
                **totals,
                "rounding_amount": rounding_amount,
                "payable_amount": totals["payable_amount"] + rounding_amount,
            },
        }
        if operator_code is not None:
            receipt["operator_code"] = operator_code
        if self.quote is not None:
            receipt["quote_id"] = self.quote["quote_id"]
        if self.redemptions:
            receipt["redemption_ids"] = [redemption["redemption_id"] for redemption in self.redemptions]
        if self.quote is None or self.offline_redemptions:
            receipt["offline"] = True
        if self.offline_redemptions:
            receipt["offline_redemptions"] = self.offline_redemptions
        self._paid = True
        return self.till.post(receipt)

    def _lines(self) -> list[Json]:
        """The receipt's lines: the basket's, with the discounts that were quoted."""
        quoted = {line["line_number"]: line for line in (self.quote or {}).get("lines", ())}
        lines = []
        for line in self.basket["lines"]:
            gross, given = _gross(line), quoted.get(line["line_number"], {})
            discount = int(given.get("discount_amount", 0))
            discounts = [
                {name: one[name] for name in ("offer_code", "offer_version", "amount")}
                for one in given.get("discounts", ())
            ]
            lines.append(
                {
                    **line,
                    "total_amount": gross - discount,
                    **({"discount_amount": discount} if discount else {}),
                    **({"discounts": discounts} if discounts else {}),
                }
            )
        return lines


def verified(content: bytes, key: str) -> Json:
    """
    Return a snapshot whose signature this till's key made; raises `BadSignature`.

    It is HMAC-SHA256, by the SHA-256 of the till key, over the document as it was sent without its last
    member, the signature. So whoever has no till key cannot make one, and nothing of it can be changed.
    """
    said, mark, rest = content.rpartition(b',"signature":"')
    expected = hmac.new(hashlib.sha256(key.encode()).digest(), said + b"}", "sha256").hexdigest()
    if not mark or not hmac.compare_digest(rest, expected.encode() + b'"}'):
        raise BadSignature("the snapshot was not signed with this till's key")
    document: Json = json.loads(content)
    return document


def _gross(line: Mapping[str, Any]) -> int:
    """Quantity times unit price, halves away from zero."""
    exact = Decimal(str(line["quantity"])) * int(line["unit_price"])
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _fitting(waiting: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return as many of the first as fit into one request, one at least."""
    size = 0
    for count, (_, body) in enumerate(waiting):
        size += len(body.encode()) + 2
        if count and size > BATCH_BYTES:
            return waiting[:count]
    return waiting


def _money(amount: int, receipt_number: str | None) -> Json:
    return {"amount": amount, **({} if receipt_number is None else {"receipt_number": receipt_number})}


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _moment(text: str) -> datetime:
    # Python before 3.11 does not read the Z that stands for +00:00.
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look after a till's folder from the command line."""
    parser = argparse.ArgumentParser(description="look after what a till keeps on disk")
    parser.add_argument("--address", required=True, help="such as http://127.0.0.1:8000")
    parser.add_argument("--key", required=True, help="the till's key")
    parser.add_argument("--folder", required=True, help="where the till keeps what must not be lost")
    parser.add_argument(
        "action", choices=("status", "flush", "snapshot", "refused", "retry"), help="what to do"
    )
    chosen = parser.parse_args(arguments)
    with Till(chosen.address, chosen.key, chosen.folder, sending=False) as till:
        try:
            if chosen.action == "flush":
                print(till.flush())
            elif chosen.action == "snapshot":
                print("newer" if till.refresh_snapshot() else "unchanged")
            elif chosen.action == "refused":
                for receipt, problem in till.store.refused():
                    print(json.dumps({"receipt": receipt, "problem": problem}, ensure_ascii=False))
            elif chosen.action == "retry":
                print(f"{till.store.retry()} receipts will be sent again")
            else:
                waiting, refused = till.store.counts()
                print(f"{waiting} receipts wait, {refused} were refused")
        except TillError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
