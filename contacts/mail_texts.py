"""
What mails say: written per language in `mails/<kind>/<language>.txt`, and made into plain text and HTML. Pure.

A template's first line is the subject; paragraphs stand apart by empty lines. A line "→ label: /path" is a link
to a page of ours, "■ text" something large, such as a code. Only templates can begin such a line: values are
brought into one line and lose these signs.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HOUSE: Final = "https://house.invalid"
"""Stands for the public address in what waits; whoever sends puts the real one there."""
_LINK, _LARGE = "→", "■"
_FOLDER = Path(__file__).parent / "mails"
LONGEST_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """What one mail says: subject, plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a link to a page of ours, or something large."""

    kind: str
    text: str
    address: str = ""


@lru_cache(maxsize=1)
def _words() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        # Plain text: what becomes HTML of it is escaped there.
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        finalize=one_line,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def one_line(value: Any) -> Any:
    """Return a text without line breaks, control characters, or the signs that only templates may use."""
    if not isinstance(value, str):
        return value
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter for letter in value
    )
    # Spaces that do not break stay: they hold an amount and its currency together.
    return re.sub(" {2,}", " ", kept.replace(_LINK, "-").replace(_LARGE, "-")).strip()


def write_mail(kind: str, language: str, **values: Any) -> Mail:
    """Return the mail of a `kind` in a language; `values` are what its template asks for."""
    # A name may be empty or hold anything: what a template says around it stays in order.
    written = _words().get_template(f"{kind}/{language}.txt").render(**values)
    subject, _, body = written.strip().partition("\n")
    blocks = tuple(_blocks(body))
    html = _words().get_template("layout.html").render(language=language, subject=subject, blocks=blocks)
    return Mail(one_line(subject)[:LONGEST_SUBJECT], "\n\n".join(map(_plain, blocks)) + "\n", html)


def _blocks(body: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        lines = paragraph.strip()
        if lines.startswith(_LINK):
            label, _, path = lines.removeprefix(_LINK).strip().rpartition(": ")
            yield Block("link", label, HOUSE + path.strip())
        elif lines.startswith(_LARGE):
            yield Block("large", lines.removeprefix(_LARGE).strip())
        elif lines:
            yield Block("paragraph", lines)


def _plain(block: Block) -> str:
    if block.kind == "link":
        return f"{block.text}: {block.address}"
    return f"    {block.text}" if block.kind == "large" else block.text
