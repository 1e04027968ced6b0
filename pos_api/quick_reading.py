"""
Good bodies read at once: what a schema says, made into plain functions when it is first used.

A paid receipt waits for its answer, and nearly every body is good. So a body is first read without
any book-keeping about errors; only one that breaks a rule is read again by marshmallow, which finds
every place. Both take the same with the same fields.
"""

from collections.abc import Callable, Mapping
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

    def read(document: Any) -> Any:
        if type(document) is not dict:
            raise ValidationError("Must be an object.")
        content: Any = {}
        for key, value in document.items():
            attribute, take = takers[key]
            content[attribute] = take(value)
        if not all(map(document.__contains__, required)):
            raise ValidationError("A required member is missing.")
        for check in checks:
            check(content, document)
        for make in makers:
            content = make(content, document)
        return content

    return read


def _hook(schema: Schema, hook: tuple[str, bool, Mapping[str, Any]]) -> Callable[[Any, Any], Any]:
    name, for_many, options = hook
    if for_many:
        raise TooSpecial(f"{type(schema).__name__}.{name}")
    method = getattr(schema, name)
    if options.get("pass_original"):
        return lambda content, document: method(content, document, many=False, partial=None, unknown=RAISE)
    return lambda content, _: method(content, many=False, partial=None, unknown=RAISE)


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
