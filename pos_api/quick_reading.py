"""
Good bodies read at once: what a schema says, made into plain functions when it is first used.

A paid receipt waits for its answer, and nearly every body is good. So a body is first read without
any book-keeping about errors; only one that breaks a rule is read again by marshmallow, which finds
every place. Both take the same with the same fields.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from pos_api.fields import Several, Strict

Reading = Callable[[Any], Any]
"""Takes a JSON value; raises ValidationError or KeyError for one that breaks a rule somewhere."""


class TooSpecial(TypeError):  # noqa: N818 - says what is wrong, as the others do
    """The schema uses something of marshmallow that a quick reading does not know."""


def quick_reading(schema: Schema) -> Reading:
    """Return what `schema.load` does, but for telling what is wrong; raises `TooSpecial`."""
    hooks = schema._hooks  # noqa: SLF001 - marshmallow's own record of what its decorators marked
    named = {field.data_key or name: (name, field) for name, field in schema.load_fields.items()}
    filled = any(field.load_default is not missing for _, field in named.values())
    if schema.unknown != RAISE or schema.many or hooks[PRE_LOAD] or hooks[VALIDATES] or filled:
        raise TooSpecial(type(schema).__name__)
    takers = {key: (field.attribute or name, _reading(field)) for key, (name, field) in named.items()}
    required = [key for key, (_, field) in named.items() if field.required]
    checks = [_hook(schema, hook) for hook in hooks[VALIDATES_SCHEMA]]
    makers = [_hook(schema, hook) for hook in hooks[POST_LOAD]]
    of_content = [check for check, with_document in checks if not with_document]
    of_both = [check for check, with_document in checks if with_document]
    if len(makers) > 1 or any(with_document for _, with_document in makers):
        raise TooSpecial(f"{type(schema).__name__} is not made of its content at once")
    make = makers[0][0] if makers else None

    def read(document: Any) -> Any:
        if type(document) is not dict:
            raise ValidationError("Must be an object.")
        content: Any = {}
        for key, value in document.items():
            attribute, take = takers[key]
            content[attribute] = take(value)
        if not all(map(document.__contains__, required)):
            raise ValidationError("A required member is missing.")
        for check in of_content:
            check(content)
        for check in of_both:
            check(content, document)
        return content if make is None else make(content)

    return read


def make_plainly(schema: Any, content: dict[str, Any], **_: Any) -> Any:
    """Return what the schema `MAKES` of a content: for its `post_load`, which is known here and not called."""
    return type(schema).MAKES(**content)


def _hook(schema: Schema, hook: tuple[str, bool, Mapping[str, Any]]) -> tuple[Callable[..., Any], bool]:
    """Return what a hook does, and whether the document is told to it beside the content."""
    name, for_many, options = hook
    if for_many:
        raise TooSpecial(f"{type(schema).__name__}.{name}")
    method = getattr(schema, name)
    if method.__func__ is make_plainly:
        makes = type(schema).MAKES  # type: ignore[attr-defined] # whoever uses `make_plainly` has it
        return lambda content: makes(**content), False
    return partial(method, many=False, partial=None, unknown=RAISE), bool(options.get("pass_original"))


def _reading(field: fields.Field[Any]) -> Reading:
    """Return what takes the value of `field`; a null is none, since nulls are gone before."""
    if field.validators:
        return field.deserialize
    if isinstance(field, Strict):
        return field.take
    if isinstance(field, Several):
        return _list_reading(field)
    if isinstance(field, fields.Nested) and not field.many and field.unknown is None:
        return quick_reading(field.schema)
    return field.deserialize


def _list_reading(field: Several) -> Reading:
    take, longest = _reading(field.inner), field.longest

    def read(values: Any) -> tuple[Any, ...]:
        if type(values) is not list or (longest is not None and len(values) > longest):
            raise ValidationError("Must be a list that is not too long.")
        return tuple([take(value) for value in values])

    return read
