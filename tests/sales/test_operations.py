from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import select

from core.clock import UnknownTimeZone
from core.database import Sessions
from core.models import AuditEvent
from sales.models import TillKey
from sales.operations import (
    BadCode,
    StoreExists,
    TillNotFound,
    UnknownCurrency,
    add_store,
    add_till,
    revoke_till_keys,
)
from sales.queries import RevokedKey, StoreNotFound, UnknownKey, till_of_key

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STORE = {"store_code": "S1", "name": "Praha 1", "currency": "CZK", "timezone": "Europe/Prague"}


@pytest.fixture
def store(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_store(session, **STORE)


def give_key(sessions: Sessions) -> str:
    with sessions.begin() as session:
        return add_till(session, store_code="S1", till_code="T1", now=NOW, actor="test")


class TestAddStore:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"store_code": "S/1"}, BadCode),
            ({"store_code": ""}, BadCode),
            ({"store_code": "x" * 41}, BadCode),
            ({"currency": "czk"}, UnknownCurrency),
            ({"currency": "ZZZ"}, UnknownCurrency),
            ({"timezone": "Prague"}, UnknownTimeZone),
            ({}, StoreExists),
        ],
    )
    def test_refuses(self, sessions: Sessions, store: None, changes: dict[str, str], error: type[Exception]):
        with pytest.raises(error), sessions.begin() as session:
            add_store(session, **{**STORE, **changes})


class TestAddTill:
    def test_gives_a_key_that_can_be_read_this_once(self, sessions: Sessions, store: None):
        key = give_key(sessions)
        assert key.startswith("rgl_")
        with sessions() as session:
            kept = session.scalars(select(TillKey)).one()
            till = till_of_key(session, key)
        assert kept.secret_sha256 == sha256(key.encode()).digest()
        assert kept.prefix in key
        assert (till.store_code, till.till_code, till.currency) == ("S1", "T1", "CZK")

    def test_lets_a_till_change_its_key_without_a_gap(self, sessions: Sessions, store: None):
        old, new = give_key(sessions), give_key(sessions)
        assert old != new
        with sessions() as session:
            assert till_of_key(session, old) == till_of_key(session, new)

    def test_needs_a_store_and_a_sound_code(self, sessions: Sessions, store: None):
        with pytest.raises(StoreNotFound), sessions.begin() as session:
            add_till(session, store_code="S9", till_code="T1", now=NOW, actor="test")
        with pytest.raises(BadCode), sessions.begin() as session:
            add_till(session, store_code="S1", till_code="T 1", now=NOW, actor="test")


class TestTillOfKey:
    @pytest.mark.parametrize("key", ["", "rgl_a_b", "rgl", "Bearer x", "rgl_\u00e9_x", "rgl__", "a_b_c_d"])
    def test_does_not_know_what_was_never_given(self, sessions: Sessions, store: None, key: str):
        with sessions() as session, pytest.raises(UnknownKey):
            till_of_key(session, key)

    def test_does_not_take_another_secret_behind_a_known_prefix(self, sessions: Sessions, store: None):
        key = give_key(sessions)
        forged = key[:-1] + ("0" if key[-1] != "0" else "1")
        with sessions() as session, pytest.raises(UnknownKey):
            till_of_key(session, forged)


class TestRevokeTillKeys:
    def test_closes_every_key_of_the_till_and_is_on_record(self, sessions: Sessions, store: None):
        keys = [give_key(sessions), give_key(sessions)]
        with sessions.begin() as session:
            assert revoke_till_keys(session, store_code="S1", till_code="T1", now=NOW, actor="anna") == 2
            assert revoke_till_keys(session, store_code="S1", till_code="T1", now=NOW, actor="anna") == 0
        for key in keys:
            with sessions() as session, pytest.raises(RevokedKey):
                till_of_key(session, key)
        with sessions() as session:
            actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.event_id)).all()
        assert actions == ["till.key", "till.key", "till.revoke", "till.revoke"]

    def test_needs_the_till(self, sessions: Sessions, store: None):
        with pytest.raises(TillNotFound), sessions.begin() as session:
            revoke_till_keys(session, store_code="S1", till_code="T9", now=NOW, actor="test")
