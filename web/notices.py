"""What is said once on the next page: "Saved", after a form sent its reader on."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from flask import Response, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from web.guard import secure_cookies

COOKIE: Final = "regulars_notice"


def go(address: str, words: str, meaning: str = "good") -> Response:
    """Return the way to another page of ours, which will say `words`."""
    if request.headers.get("HX-Request"):
        response = make_response("", 204, {"HX-Redirect": address})
    else:
        response = make_response(redirect(address, code=303))
    content = urlsafe_b64encode(json.dumps([meaning, words]).encode()).decode()
    response.set_cookie(
        COOKIE, content, max_age=60, httponly=True, samesite="Strict", secure=secure_cookies()
    )
    return response


def toast(body: str, words: str, meaning: str = "good") -> ResponseReturnValue:
    """Return `body` for the page to put in, with `words` shown for some seconds."""
    return body, 200, {"HX-Trigger": json.dumps({"say": {"words": words, "kind": meaning}})}


def notices() -> list[tuple[str, str]]:
    """Return what is to be said on this page: meaning and words."""
    content = request.cookies.get(COOKIE)
    if not content:
        return []
    g.notice_was_said = True
    try:
        meaning, words = json.loads(urlsafe_b64decode(content))
    except ValueError:
        return []
    return [(str(meaning), str(words))] if meaning in {"good", "bad", "caution"} else []


def forget(response: Response) -> Response:
    """Take away what was said."""
    if g.get("notice_was_said"):
        response.delete_cookie(COOKIE)
    return response
