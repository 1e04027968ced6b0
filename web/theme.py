"""Light, dark, or as the device has it."""

from typing import Final

from flask import request

THEME_COOKIE: Final = "regulars_theme"
THEMES: Final = ("auto", "light", "dark")


def theme() -> str:
    """Return the reader's theme; auto follows the device."""
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"
