"""The contract to read: openapi.json, and pages that show it, from files of ours; no key needed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

HERE = Path(__file__).resolve().parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline and nothing from elsewhere; the viewer draws its icons from data."""

PAGES: Mapping[str, tuple[Path, str]] = {
    "": (HERE / "documentation" / "index.html", "text/html"),
    "start.js": (HERE / "documentation" / "start.js", "text/javascript"),
    "swagger-ui-bundle.js": (HERE / "vendor" / "swagger-ui" / "swagger-ui-bundle.js", "text/javascript"),
    "regulars_till.py": (HERE / "documentation" / "regulars_till.txt", "text/x-python"),
    "swagger-ui.css": (HERE / "vendor" / "swagger-ui" / "swagger-ui.css", "text/css"),
}


class _Page:
    """Bytes that never change while the process lives, with their ETag."""

    def __init__(self, content: bytes, mimetype: str) -> None:
        self.content = content
        self.mimetype = mimetype
        self.etag = hashlib.sha256(content).hexdigest()[:32]

    def answer(self) -> Response:
        response = Response(self.content, mimetype=self.mimetype)
        response.set_etag(self.etag)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response.make_conditional(request)  # type: ignore[return-value] # it answers itself


def make_documents(contract: Mapping[str, Any], prefix: str) -> Blueprint:
    """Return the blueprint that serves `contract` and its pages, at the root and under `prefix`."""
    documents = Blueprint("pos_documents", __name__)
    openapi = _Page(json.dumps(contract, ensure_ascii=False).encode(), "application/json")
    pages = {name: _Page(path.read_bytes(), mimetype) for name, (path, mimetype) in PAGES.items()}

    def show_contract() -> Response:
        return openapi.answer()

    def show_page(name: str = "") -> Response:
        return pages[name].answer()

    for place, suffix in (("", ""), (prefix, "_of_tills")):
        documents.add_url_rule(f"{place}/openapi.json", f"openapi{suffix}", show_contract)
        documents.add_url_rule(f"{place}/docs", f"docs{suffix}", show_page)
        names = ",".join(f"'{name}'" for name in pages if name)
        documents.add_url_rule(f"{place}/docs/<any({names}):name>", f"docs_file{suffix}", show_page)
    return documents
