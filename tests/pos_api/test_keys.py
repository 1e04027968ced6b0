"""A till is known again by its key without being trusted: every request looks at the key as it is now."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from pos_api import examples
from sales.operations import revoke_till_keys
from tests.pos_api.conftest import code_of


def revoke(chain):
    with chain.sessions.begin() as session:
        revoke_till_keys(session, store_code="S1", till_code="T1", now=datetime.now(UTC), actor="test")


def calls(till):
    yield "receipt", lambda: till.post("/receipts", till.sale())
    yield "broken receipt", lambda: till.post("/receipts", {"type": "sale"})
    yield "no JSON", lambda: till.post("/receipts", b"{")
    yield "quote", lambda: till.post("/quotes", examples.QUOTE if hasattr(examples, "QUOTE") else {})
    yield "card", lambda: till.get(f"/cards/{examples.CARD_NUMBER}")
    yield "unknown card", lambda: till.get("/cards/2990000009999")
    yield "stored answer", lambda: till.get("/receipts/S1/T1/2026-11-21/000123")
    yield "batch", lambda: till.post("/receipts/batch", {"receipts": [till.sale()]})
    yield "redemption", lambda: till.post("/redemptions", {"card_number": examples.CARD_NUMBER, "points": 1})


class TestRevokedKey:
    def test_opens_nothing_from_the_next_request_on(self, chain):
        till = chain.till
        assert till.post("/receipts", till.sale()).status_code == 201
        assert till.get(f"/cards/{examples.CARD_NUMBER}").status_code == 200
        revoke(chain)
        for name, call in calls(till):
            assert code_of(call()) == "revoked_key", name
        with chain.sessions.begin() as session:
            assert session.scalar(text("select count(*) from receipt")) == 1


class TestTillThatChanged:
    @pytest.mark.parametrize("currency", ["CZK", "EUR"])
    def test_is_seen_as_it_is_now(self, chain, currency):
        till = chain.till
        assert till.post("/receipts", till.sale()).get_json()["points"]["earned"] > 0
        with chain.sessions.begin() as session:
            session.execute(
                text("update store set currency = :currency where store_code = 'S1'"), {"currency": currency}
            )
        earned = till.post("/receipts", till.sale()).get_json()["points"]["earned"]
        assert bool(earned) == (currency == "CZK")
        assert till.get(f"/cards/{examples.CARD_NUMBER}").status_code == 200
