"""How customers get in: a code for the mailbox of a card's holder, a few tries, and a session of their own."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.audit import record_event
from core.driver import driver_of
from core.errors import Conflict
from customers.enrolment import LETTERS
from customers.models import Member
from customers.queries import HOLDER
from web.customers.sessions import address_hash, end_customer_session
from web.models import CustomerSession, SignInAttempt, SignInCode
from web.operations import NewSession, TooManyAttempts, claim_attempt, token_hash

CODE_LENGTH: Final = 8
"""40 bits."""
PASS_LENGTH: Final = 26
"""130 bits: nobody guesses it, so that no number of guesses keeps its owner out."""
VALID: Final = timedelta(minutes=10)
PASS_VALID: Final = timedelta(minutes=15)
"""As long as the count of requests looks back: who has used them up has a pass in the mailbox that counts."""
TRIES: Final = 5
"""Of one code."""
ASKS: Final = 3
RETRIES: Final = 4
"""Of an account in a quarter of an hour. A code waits ten minutes, so at most 6 first tries and 4 more are evaluated."""
ASKS_FROM_ONE_PLACE: Final = 30
TRIES_FROM_ONE_PLACE: Final = 60
NOBODY: Final = "nobody@invalid.example"
"""To whom the mail would go that is not sent."""
_MINUTE: Final = timedelta(minutes=1)
_LOOK_ALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})

# One question whether the card is known or not, has a member or not.
_WHOSE: Final = f"""
    select member.member_id, member.email, member.language, member.given_name
    from (select 1) as always left join ({HOLDER}) as holder on true left join member using (member_id)
"""


class NoOpenCode(Conflict):
    """This browser has asked for no code, or that code is used up or too old."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A way in that was opened by the right code."""

    member_id: UUID
    email_sha256: bytes | None
    sent_at: datetime


def ask_for_code(session: Session, *, card_number: str, source: str, now: datetime) -> str:
    """
    Send a code to the holder of a card, and return the token for the cookie of the browser that asked.

    The same is done whether the card is known or not, has an address or not, or asked too often: only the
    mailbox tells. Raises `TooManyAttempts` for a `source`, the address that the request came from, that asks
    for many cards.
    """
    claim_attempt(session, bucket=_from(source, "asks"), now=now, most=ASKS_FROM_ONE_PLACE)
    row = driver_of(session).execute(_WHOSE, {"card_number": card_number}).fetchone()
    assert row is not None
    member_id, email, language, name = row
    account_key = str(member_id) if member_id else "card " + hashlib.sha256(card_number.encode()).hexdigest()
    due = _may_ask(session, account_key, now) and email is not None
    token, code, long_pass = secrets.token_urlsafe(32), _letters(CODE_LENGTH), _letters(PASS_LENGTH)
    session.execute(
        insert(SignInCode).values(
            browser_sha256=token_hash(token),
            member_id=member_id if due else None,
            account_key=account_key,
            code_sha256=_seal(token, code),
            pass_sha256=token_hash(long_pass),
            email_sha256=address_hash(email or token),
            sent_at=now,
            expires_at=now + VALID,
            pass_expires_at=now + PASS_VALID,
        )
    )
    mail = write_mail(
        "sign_in_code",
        language or "en",
        name=name or "",
        code=grouped(code),
        minutes=VALID // _MINUTE,
        long_code=grouped(long_pass),
        pass_minutes=PASS_VALID // _MINUTE,
    )
    with session.begin_nested() as point:
        queue_mail(
            session,
            member_id=member_id if due else None,
            kind="sign_in_code",
            source=f"code {token_hash(token).hex()}",
            recipient=email or NOBODY,
            language=language or "en",
            mail=mail,
            purpose="service",
            not_after=now + PASS_VALID,
            urgent=True,
            now=now,
        )
        if not due:
            point.rollback()
    return token


def enter(
    session: Session,
    *,
    token: str,
    typed: str,
    source: str,
    previous_token: str | None,
    now: datetime,
) -> NewSession | None:
    """
    Try what was typed in the browser that holds `token`; return a new session, or None when it was wrong.

    The short code counts in the browser that asked for it, five times at most and the first time in any case;
    the long one counts anywhere. Raises `NoOpenCode` or `TooManyAttempts`. A wrong try is written down: commit.
    """
    claim_attempt(session, bucket=_from(source, "tries"), now=now, most=TRIES_FROM_ONE_PLACE)
    plain = plain_code(typed)
    way = _by_pass(session, plain, now) if len(plain) > CODE_LENGTH else _by_code(session, token, plain, now)
    if way is None:
        return None
    session.execute(
        update(SignInAttempt)
        .where(
            SignInAttempt.login.in_((_asks_of(str(way.member_id)), _from(source, "asks"))),
            SignInAttempt.attempted_at == way.sent_at,
        )
        .values(succeeded=True)
    )
    return _begin(session, way, previous_token, now)


def plain_code(typed: str) -> str:
    """Return what was typed as it was meant: capitals without spaces and hyphens, no letters that look like digits."""
    return "".join(character for character in typed.upper() if character.isalnum()).translate(_LOOK_ALIKES)


def grouped(code: str) -> str:
    """Return a code in groups that can be read out: "K7QM-4XDR"."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _may_ask(session: Session, account_key: str, now: datetime) -> bool:
    try:
        claim_attempt(session, bucket=_asks_of(account_key), now=now, most=ASKS)
    except TooManyAttempts:
        return False
    return True


def _by_code(session: Session, token: str, plain: str, now: datetime) -> _Way | None:
    row = session.execute(
        select(SignInCode)
        .where(
            SignInCode.browser_sha256 == token_hash(token),
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
            SignInCode.tries < TRIES,
        )
        .with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NoOpenCode("No code waits in this browser")
    if row.tries:
        claim_attempt(session, bucket=f"Customer tries again {row.account_key}", now=now, most=RETRIES)
    row.tries += 1
    right = hmac.compare_digest(row.code_sha256, _seal(token, plain)) and row.member_id is not None
    if right:
        row.used_at = now
    session.flush()
    return _Way(row.member_id, row.email_sha256, row.sent_at) if right and row.member_id else None


def _by_pass(session: Session, plain: str, now: datetime) -> _Way | None:
    row = session.execute(
        update(SignInCode)
        .where(
            SignInCode.pass_sha256 == token_hash(plain),
            SignInCode.used_at.is_(None),
            SignInCode.pass_expires_at > now,
            SignInCode.member_id.is_not(None),
        )
        .values(used_at=now)
        .returning(SignInCode.member_id, SignInCode.email_sha256, SignInCode.sent_at)
    ).one_or_none()
    return _Way(row[0], row[1], row[2]) if row and row[0] else None


def _begin(session: Session, way: _Way, previous_token: str | None, now: datetime) -> NewSession:
    """Begin a session with a new token; the browser's previous one ends, so that no token outlives a sign-in."""
    if previous_token:
        end_customer_session(session, token=previous_token)
    new = NewSession(token=secrets.token_urlsafe(32), csrf_token=secrets.token_urlsafe(32))
    session.execute(
        insert(CustomerSession).values(
            token_sha256=token_hash(new.token),
            member_id=way.member_id,
            csrf_token=new.csrf_token,
            email_sha256=way.email_sha256,
            created_at=now,
            seen_at=now,
        )
    )
    code = session.scalar(select(Member.member_code).where(Member.member_id == way.member_id))
    record_event(
        session,
        now=now,
        actor=f"member {code}",
        action="customer.sign_in",
        subject_kind="member",
        subject_id=str(code),
    )
    return new


# Capitals: no login of the people's sign-in has any, so that nobody uses up a customer's tries there.
def _asks_of(account_key: str) -> str:
    return f"Customer asks {account_key}"


def _from(source: str, what: str) -> str:
    return f"Customer {what} from {hashlib.sha256(source.encode()).hexdigest()}"


def _letters(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def _seal(token: str, code: str) -> bytes:
    """Return what is stored of a code: worth nothing without the token, which only the browser has."""
    return hmac.new(token.encode(), code.encode(), hashlib.sha256).digest()
