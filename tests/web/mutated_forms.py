"""Addresses and forms that no page of ours makes, from good ones, by a seeded mutator; S1 for the screens."""

import random
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from tests.reliability.rotation import turn

TEXTS = (
    "", " ", "0", "-1", "1", "1e9", "NaN", "inf", "9" * 30, str(2**63), "0.1", "1,5", "on", "true", "null", "[]", "{}", '{"a":1}', "a\0b", "\0",
    "\ud800", "\u202e\u0007\ufeff", "\U0001f375", "x" * 70, "x" * 1100, "x" * 20_000, "2026-11-21", "2026-02-30", "0001-01-01", "9999-12-31",
    "2026-03-29T02:30", "24:00", "'; drop table receipt; --", "%s %(x)s {0} {{7*7}}", "<script>alert(1)</script>", "../../etc/passwd", "=1+1",
    "never", "item", "all", "open", "-flagged_at", "4111111111111111", "2990000000019", "00000000-0000-0000-0000-000000000000", "cs", "a@b.cz", "//evil.example",
)  # fmt: skip
NAMES = (
    "sku", "text", "kind", "reaction", "scope", "decision_id", "offer_code", "receipt", "day", "next", "name", "code", "version", "number", "page",
    "store", "q", "find", "sort", "after", "before", "state", "since", "until", "from", "to", "tab", "reason", "note", "purpose", "channel", "language",
    "back", "card_number", "given_name", "family_name", "email", "phone", "points", "quantity", "amount", "points_per", "valid_from", "valid_to", "document",
    "csv", "xlsx", "format", "chosen", "decision", "profiling", "login", "password", "role", "é", "", "a[b]",
)  # fmt: skip


class FormMutator:
    """Makes requests out of good addresses; every run of one seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def requests(
        self, routes: Sequence[tuple[str, str, str]], count: int
    ) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """Yield (endpoint, method, address, what goes with it) for routes of (endpoint, method, address)."""
        # One route after the other from a place of this commit's own, so that each has its turn.
        first = turn() * count
        for number in range(count):
            endpoint, method, address = routes[(first + number) % len(routes)]
            address = self._address(address)
            if method == "GET":
                query = "&".join(f"{quote(name)}={value}" for name, value in self._fields(encoded=True))
                yield endpoint, method, f"{address}?{query}", {}
            else:
                yield endpoint, method, address, self._form()

    def _address(self, address: str) -> str:
        parts = address.split("/")
        if self.random.random() < 0.3:
            place = self.random.randrange(len(parts))
            parts[place] = self._quoted(self.random.choice(TEXTS)) if place > 1 else parts[place]
        return "/".join(parts)

    def _quoted(self, text: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")[:2000]
        return quote(self.random.choice((raw, raw, b"\xff\xfe" + raw)), safe="")

    def _fields(self, *, encoded: bool = False) -> list[tuple[str, str]]:
        names = self.random.choices(NAMES, k=self.random.choice((1, 2, 8, 40)))
        texts = [self.random.choice(TEXTS) for _ in names]
        return [(n, self._quoted(t) if encoded else t) for n, t in zip(names, texts, strict=True)]

    def _form(self) -> dict[str, Any]:
        body = "&".join(f"{quote(n)}={self._quoted(t)}" for n, t in self._fields())
        if self.random.random() < 0.1:
            # No form at all, or half of one of another kind.
            kind = self.random.choice(
                ("application/json", "multipart/form-data; boundary=x", "text/plain", "")
            )
            return {"data": self.random.choice((b"{", b"--x\r\n", b"\xff", b"")), "content_type": kind}
        return {"data": body, "content_type": "application/x-www-form-urlencoded"}
