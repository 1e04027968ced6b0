"""Signing keys: made when needed, changed on demand, never shown."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from core.database import Sessions
from loyalty.offline.signing import all_keys, current_key, keys_named, rotate_key
from tests.shop import NOON


class TestCurrentKey:
    def test_is_made_once_however_many_ask(self, sessions: Sessions):
        def ask(_: int) -> str:
            with sessions.begin() as session:
                return current_key(session, now=NOON).key_id

        with ThreadPoolExecutor(4) as tills:
            assert len(set(tills.map(ask, range(8)))) == 1

    def test_has_a_secret_that_nobody_can_guess_and_no_view_shows(self, sessions: Sessions):
        with sessions.begin() as session:
            key = current_key(session, now=NOON)
            (view,) = all_keys(session)
        assert len(key.secret) == 32
        assert len(set(key.secret)) > 8
        assert key.secret.hex() not in repr(view)


class TestRotation:
    def test_lets_another_sign_and_the_old_one_verify(self, sessions: Sessions):
        with sessions.begin() as session:
            old = current_key(session, now=NOON)
            new = rotate_key(session, now=NOON + timedelta(days=1), actor="test")
            assert current_key(session, now=NOON).key_id == new != old.key_id
            assert keys_named(session, [old.key_id])[old.key_id] == old

    def test_can_let_nothing_signed_before_hold_any_more(self, sessions: Sessions):
        with sessions.begin() as session:
            old = current_key(session, now=NOON).key_id
            new = rotate_key(session, now=NOON, actor="test", revoke=True)
            keys = keys_named(session, [old, new, "never"])
            assert {key_id: key.revoked for key_id, key in keys.items()} == {old: True, new: False}

    def test_works_before_anything_was_ever_signed(self, sessions: Sessions):
        with sessions.begin() as session:
            assert rotate_key(session, now=NOON, actor="test") == current_key(session, now=NOON).key_id
