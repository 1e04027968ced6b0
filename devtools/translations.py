"""
The words of every package: found in its sources, kept in its `locale/<language>.po`.

`.venv/bin/python -m devtools.translations` brings all of these files up to date: new messages are added
without a translation, those that nobody says any more are dropped. Translating is for people.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from devtools.console import say

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("cs", "sk", "pl")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.svg", "jinja2")]
OPTIONS = {
    pattern: {"silent": "false", "encoding": "utf-8"} for pattern, method in METHODS if method == "jinja2"
}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "plain_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDERS = re.compile(r"%\((\w+)\)[a-z]|%%|%[sd]|\{(\w*)\}")


def packages() -> list[str]:
    """Return the packages that may say something."""
    return sorted(path.parent.name for path in ROOT.glob("*/models.py"))


def said(package: str) -> Catalog:
    """Return every message that the sources of `package` say, untranslated."""
    catalog = Catalog(charset="utf-8")
    found = extract_from_dir(
        ROOT / package,
        METHODS,
        OPTIONS,
        keywords=KEYWORDS,
        directory_filter=lambda folder: (
            Path(folder).name not in {"vendor", "locale", "static", "__pycache__"}
        ),
    )
    for file, _line, message, _comments, context in found:
        catalog.add(message, locations=[(f"{package}/{file}", 1)], context=context)
    return catalog


def file_of(package: str, language: str) -> Path:
    """Return where the words of `package` in `language` are kept."""
    return ROOT / package / "locale" / f"{language}.po"


def kept(package: str, language: str) -> Catalog:
    """Return what is kept in `language`; an empty catalogue where there is no file yet."""
    path = file_of(package, language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def faults(package: str, language: str) -> Iterator[str]:
    """Yield what is wrong with the words of `package` in `language`, a line each."""
    wanted, words = said(package), kept(package, language)
    for message in wanted:
        if message.id:
            yield from _faults_of(message, words.get(message.id, message.context))
    for message in words:
        if message.id and wanted.get(message.id, message.context) is None:
            yield f"nobody says {message.id!r} any more"
    for message in words.obsolete.values():
        yield f"{message.id!r} is kept as obsolete"


def _faults_of(message: Message, words: Message | None) -> Iterator[str]:
    originals = _forms(message.id)
    translated = _forms(words.string) if words else ()
    if words is None or not translated or not all(translated):
        yield f"{originals[0]!r} is not translated"
        return
    if words.fuzzy:
        yield f"{originals[0]!r} is marked fuzzy"
    needed, allowed = (
        _placeholders(originals[-1]),
        {name for text in originals for name in _placeholders(text)},
    )
    for number, text in enumerate(translated):
        holes = _placeholders(text)
        # The first form of a plural may say "one" in words.
        if not (set(holes) <= allowed if len(translated) > 1 and number == 0 else holes == needed):
            yield f"{text!r} has other placeholders than {originals[-1]!r}"
        if (
            text[:1].isspace() != originals[0][:1].isspace()
            or text[-1:].isspace() != originals[0][-1:].isspace()
        ):
            yield f"{text!r} differs from {originals[0]!r} in white space at its ends"


def _forms(texts: str | Iterable[str | None] | None) -> tuple[str, ...]:
    """Return the plural forms of a text that has some, and the one form of others."""
    return (texts,) if isinstance(texts, str) else tuple(text or "" for text in texts or ("",))


def _placeholders(text: str) -> list[str]:
    return sorted(match.group() for match in PLACEHOLDERS.finditer(text))


def renew(package: str, language: str) -> int:
    """Bring the file of `package` in `language` up to date and return how many messages wait for a translation."""
    wanted, words = said(package), kept(package, language)
    words.update(wanted, no_fuzzy_matching=True)
    words.obsolete.clear()
    path = file_of(package, language)
    if len(words):
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            write_po(file, words, width=110, sort_output=True, omit_header=False, include_lineno=False)
    return sum(bool(message.id) and not all(_forms(message.string)) for message in words)


def main() -> None:
    """Bring every file up to date."""
    for package in packages():
        for language in LANGUAGES:
            if len(said(package)) or file_of(package, language).exists():
                say(f"{package}/locale/{language}.po: {renew(package, language)} to be translated")


if __name__ == "__main__":
    main()
