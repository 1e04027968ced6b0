"""Parts of addresses that can name something: others are not found before anything looks for them."""

from typing import Final

from flask import Flask
from werkzeug.routing import IntegerConverter, UnicodeConverter, ValidationError

LARGEST: Final = 2**63 - 1
"""No number that the database gives is larger."""
LONGEST: Final = 200


class Number(IntegerConverter):
    """A number that the database could have given."""

    def to_python(self, value: str) -> int:
        """Return the number; raises `ValidationError` for one that is too large."""
        number = int(value) if len(value) <= len(str(LARGEST)) else LARGEST + 1
        if number > LARGEST:
            raise ValidationError
        return number


class Name(UnicodeConverter):
    """A code or a name: short, and without control characters."""

    def to_python(self, value: str) -> str:
        """Return the name; raises `ValidationError` for what cannot be one."""
        if len(value) > LONGEST or any(sign < " " or sign == "\x7f" for sign in value):
            raise ValidationError
        return value


def register(app: Flask) -> None:
    """Read the addresses of all routes that are added from now on in this way."""
    app.url_map.converters |= {"int": Number, "string": Name, "default": Name}
