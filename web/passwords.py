"""Passwords: argon2id hashes, what a password must be, and generated ones."""

import hashlib
import hmac
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from core.errors import Refused

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)
"""The floor that OWASP gives: 19 MiB and two rounds."""

_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
SHORTEST: Final = 12
LONGEST: Final = 200


class WeakPassword(Refused):
    """The password is too short, too long, or too plain."""


def check_strength(password: str, login: str) -> None:
    """Raise `WeakPassword` unless `password` has 12 to 200 characters, is not one letter over and not the login."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"A password has {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < 5 or login.casefold() in password.casefold():
        raise WeakPassword("This password is too easy to guess")


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`, with its salt and parameters."""
    return _HASHER.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Return whether `password` made `password_hash`; without a hash it takes as long and is False."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, password) and password_hash is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def generate_password() -> str:
    """Return a new password of 20 letters and digits (99 bits) that can be read out: "k7wm9-...-..."."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def browser_mark(login: str, password_hash: str, nonce: str) -> str:
    """
    Return the mark that tells a browser in which `login` has signed in before.

    Guesses of strangers use up the account's attempts; a marked browser has attempts
    of its own, so that its owner still enters. The mark ends with the password.
    """
    key = hashlib.sha256(password_hash.encode()).digest()
    seal = hmac.new(key, f"{login}\n{nonce}".encode(), hashlib.sha256).hexdigest()
    return f"{nonce}.{seal}"


def is_browser_mark(mark: str, login: str, password_hash: str) -> bool:
    """Return whether `mark` was made for `login` while it had this password."""
    nonce, _, seal = mark.partition(".")
    return bool(seal) and hmac.compare_digest(
        browser_mark(login, password_hash, nonce).encode(), mark.encode()
    )
