"""What every request passes: who is it, may they enter, did our own page send it; and what every answer carries."""

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from web.customers.sessions import customer_of_session, touch_customer_session
from web.operations import token_hash, touch_session
from web.queries import viewer_of_session
from web.roles import ANYBODY, ROUTES, SIGNED_LINKS, may
from web.state import is_customers, now, reader, state, transaction

SESSION_COOKIE: Final = "regulars_session"
CUSTOMER_COOKIE: Final = "regulars_my_session"
"""Of the customers' own pages; browsers send it nowhere else."""
DOOR_COOKIE: Final = "regulars_door"
CSRF_FIELD: Final = "csrf_token"
CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset(endpoint.partition(".")[0] for endpoint in ROUTES)


def is_screen() -> bool:
    """Return whether the request is for one of our screens, rather than for the tills' interface."""
    return request.blueprint in _OURS


def enter() -> ResponseReturnValue | None:
    """Let a request in, send it to the sign-in, or refuse it; routes that are not listed are refused to all."""
    if not is_screen():
        return None
    endpoint = request.endpoint or ""
    if endpoint == "assets.static":
        return None
    recognise()
    person = reader()
    if not may(person.role if person else None, endpoint):
        if person is None and ROUTES.get(endpoint, frozenset()) != ANYBODY:
            return _to_the_door()
        abort(403)
    if request.method not in _SAFE and endpoint not in SIGNED_LINKS and not _is_from_our_page():
        abort(403, description="csrf")
    return None


def recognise() -> None:
    """Find out who is signed in, once per request: a customer on their own pages, one of our people elsewhere."""
    if is_customers():
        _recognise_customer()
        return
    if "viewer" in g:
        return
    g.viewer = None
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return
    with transaction() as session:
        found = viewer_of_session(session, token_sha256=token_hash(token), now=now())
        if found:
            g.viewer, seen_at = found
            touch_session(session, token=token, seen_at=seen_at, now=now())


def _recognise_customer() -> None:
    if "customer" in g:
        return
    g.customer = None
    token = request.cookies.get(CUSTOMER_COOKIE)
    if not token:
        return
    with transaction() as session:
        found = customer_of_session(session, token_sha256=token_hash(token), now=now())
        if found:
            g.customer, seen_at = found
            touch_customer_session(session, token=token, seen_at=seen_at, now=now())


def csrf_token() -> str:
    """Return the token that forms of this page carry: the session's, or before the sign-in the browser's."""
    person = reader()
    if person:
        return person.csrf_token
    if "door_token" not in g:
        g.door_token = request.cookies.get(DOOR_COOKIE) or secrets.token_urlsafe(32)
        g.door_token_is_new = DOOR_COOKIE not in request.cookies
    return str(g.door_token)


def nonce() -> str:
    """Return this answer's nonce for scripts."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(18)
    return str(g.nonce)


def secure_cookies() -> bool:
    """Return whether cookies may only travel encrypted."""
    return state().secure_cookies or request.is_secure


_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
)


def leave(response: Response) -> Response:
    """Put the headers on that every answer carries."""
    headers = response.headers
    # Looked through once: each look at a response's headers by name goes through all of them.
    there = {name.lower() for name in headers.keys()}  # noqa: SIM118 - a list of pairs, not a mapping
    for name, content in _ALWAYS:
        if name.lower() not in there:
            headers.add(name, content)
    if "content-security-policy" not in there:
        headers.add("Content-Security-Policy", _policy())
    if is_screen() and request.endpoint != "assets.static":
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Vary", "Cookie, HX-Request")
        if g.get("door_token_is_new"):
            response.set_cookie(
                DOOR_COOKIE,
                csrf_token(),
                httponly=True,
                samesite="Strict",
                secure=secure_cookies(),
                max_age=86_400,
            )
    return response


def _policy() -> str:
    scripts = f"'nonce-{nonce()}'" if "nonce" in g else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _is_from_our_page() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    if site is None and origin is not None and urlsplit(origin).netloc != request.host:
        return False
    given = request.form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER) or ""
    if reader() is None and not request.cookies.get(DOOR_COOKIE):
        return False
    return hmac.compare_digest(given.encode(), csrf_token().encode())


def _to_the_door() -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        return Response(status=401)
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    if is_customers():
        return redirect(url_for("my_door.sign_in", next=back if back != "/my/" else None))
    return redirect(url_for("door.sign_in", next=back if back != "/" else None))
