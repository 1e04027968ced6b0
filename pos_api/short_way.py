"""
The calls that tills make all day, found and answered without what an application does for its other requests.

To look an address up among some hundred, to ask what screens ask of every request, and to look each answer's headers through
costs a card's look-up a quarter of its time. So the few addresses that are known beforehand are recognised as they stand.
"""

from functools import cached_property
from typing import Any, Final

from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.routing import MapAdapter, Rule
from werkzeug.wsgi import get_host

from pos_api.bodies import Whole

CARD: Final = "/cards/<card_number>"
SHORT: Final = (("POST", "/quotes"), ("POST", "/receipts"), ("GET", CARD))
"""Method and address, below the tills' prefix, of the calls that go the short way."""
LONGEST_CARD: Final = 40


class Found(MapAdapter):
    """What a search for the address came to that was none."""

    def __init__(self, rule: Rule, values: dict[str, Any]) -> None:
        self._found = rule, values

    def match(self, *_: Any, **__: Any) -> Any:
        """Return the route and the parts of the address."""
        return self._found


class TillsFirst(Flask):
    """
    An application whose `prefix` tills call, some of them on the short way; all else goes Flask's own.

    On the short way the views, what they read and what they raise are the same, and so are keys and problems. What is asked
    before any request (whether its address is wrong, who looks at a screen) is not asked: the address is right and no screen's.
    The headers that every answer gets are those that the first one got.
    """

    def __init__(self, name: str, *, prefix: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._prefix = prefix
        self._headers: list[tuple[str, str]] | None = None

    @cached_property
    def _short(self) -> dict[tuple[str, str], Rule]:
        known = {
            (method, rule.rule): rule for rule in self.url_map.iter_rules() for method in rule.methods or ()
        }
        return {(method, address): known[method, self._prefix + address] for method, address in SHORT}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of a request: what is known already for one that goes the short way."""
        if request is None or not request.path.startswith(self._prefix):
            return super().create_url_adapter(request)
        address, values = request.path[len(self._prefix) :], {}
        start, _, card = address.rpartition("/")
        if start == "/cards":
            if not (card.isascii() and card.isalnum() and len(card) <= LONGEST_CARD):
                # What else may be meant by it has to be looked at with care.
                return super().create_url_adapter(request)
            address, values = CARD, {"card_number": card}
        rule = self._short.get((request.method, address))
        environ = request.environ
        if rule is None or environ.get("SCRIPT_NAME") or "HTTP_UPGRADE" in environ:
            return super().create_url_adapter(request)
        request.host = get_host(environ)
        return Found(rule, values)

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Ask what is asked before every request, except on the short way."""
        if isinstance(request_ctx.url_adapter, Found):
            return None
        return super().preprocess_request()

    def process_response(self, response: Response) -> Response:
        """Put the headers on that every answer carries."""
        if not isinstance(request_ctx.url_adapter, Found) or type(response) is not Whole:
            return super().process_response(response)
        if self._headers is None:
            own = len(response.headers)
            response = super().process_response(response)
            self._headers = list(response.headers)[own:]
        else:
            response.more = self._headers
        return response
