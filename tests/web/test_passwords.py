"""Passwords and the marks of known browsers."""

import pytest

from web.passwords import (
    WeakPassword,
    browser_mark,
    check_strength,
    generate_password,
    hash_password,
    is_browser_mark,
    is_password,
)


class TestHash:
    def test_is_argon2id_with_at_least_19_mib_and_two_rounds(self):
        assert hash_password("a quiet green meadow").startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_proves_its_own_password_only(self):
        stored = hash_password("a quiet green meadow")
        assert is_password("a quiet green meadow", stored)
        assert not is_password("a quiet green meadoW", stored)
        assert not is_password("a quiet green meadow", None)


class TestStrength:
    @pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaaa", "jana.novakova123", "x" * 201])
    def test_refuses_what_is_easily_guessed(self, weak):
        with pytest.raises(WeakPassword):
            check_strength(weak, "jana.novakova")

    def test_takes_what_is_generated(self):
        made = {generate_password() for _ in range(50)}
        assert len(made) == 50
        for password in made:
            check_strength(password, "jana")


class TestBrowserMark:
    def test_belongs_to_one_login_and_one_password(self):
        mark = browser_mark("jana", "hash one", "nonce")
        assert is_browser_mark(mark, "jana", "hash one")
        assert not is_browser_mark(mark, "petr", "hash one")
        assert not is_browser_mark(mark, "jana", "hash two")
        assert not is_browser_mark("nonce.", "jana", "hash one")
