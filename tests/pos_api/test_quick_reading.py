"""Bodies are read quickly exactly as marshmallow reads them, and refused exactly when it refuses them."""

from copy import deepcopy

import pytest
from marshmallow import RAISE, Schema, ValidationError, fields, pre_load

from pos_api import examples, schemas
from pos_api.quick_reading import TooSpecial, quick_reading
from pos_api.quote_schemas import QUOTE

ODD = (
    None,
    True,
    0,
    -1,
    1.0,
    10**20,
    "",
    "x",
    "1.2345",
    "2026-02-30",
    "ž" * 2000,
    [],
    [None],
    [[]],
    {},
    {"x": 1},
)

BODIES = [
    *((schemas.RECEIPT, example["value"]) for example in examples.RECEIPTS.values()),
    *((schemas.REDEMPTION, example["value"]) for example in examples.REDEMPTIONS.values()),
    *((schemas.MEMBER, example["value"]) for example in examples.MEMBERS.values()),
    *((schemas.RETURN_QUOTE, example["value"]) for example in examples.RETURN_QUOTES.values()),
    *((QUOTE, example["value"]) for example in examples.QUOTES.values()),
    *((schemas.REACTION, example["value"]) for example in examples.REACTIONS.values()),
    *((schemas.BLOCK, example["value"]) for example in examples.BLOCKS.values()),
    *((schemas.REPLACEMENT, example["value"]) for example in examples.REPLACEMENTS.values()),
    (schemas.BATCH, {"receipts": [examples.SALE, "no receipt"]}),
]


def places(document, path=()):
    """Every place inside a document, from the outside in."""
    children = document.items() if isinstance(document, dict) else enumerate(document)
    for step, value in children:
        yield (*path, step)
        if isinstance(value, dict | list):
            yield from places(value, (*path, step))


def mutations(document):
    """The document with one place changed, left out, or beside an unknown one."""
    for path in places(document):
        for value in (*ODD, ...):
            changed = deepcopy(document)
            inner = changed
            for step in path[:-1]:
                inner = inner[step]
            if value is ...:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            yield changed
    yield document | {"unheard_of": 1}
    yield from ODD


def outcome(read, document):
    try:
        return read(document)
    except (KeyError, ValidationError):
        return "refused"


@pytest.mark.parametrize(("schema", "document"), BODIES)
class TestQuickReading:
    def test_takes_what_marshmallow_takes(self, schema, document):
        document = deepcopy(dict(document))
        assert quick_reading(schema)(document) == schema.load(document)

    def test_refuses_what_marshmallow_refuses(self, schema, document):
        read = quick_reading(schema)
        for changed in mutations(deepcopy(dict(document))):
            quick, thorough = outcome(read, changed), outcome(schema.load, changed)
            # A null is the same as an absent member, and is gone before a body is read.
            assert quick == thorough or (quick == "refused" and "None" in repr(changed)), changed


class TestTooSpecial:
    def test_leaves_to_marshmallow_what_it_does_not_know(self):
        class Special(Schema):
            class Meta:
                unknown = RAISE

            name = fields.String()

            @pre_load
            def prepare(self, data, **_):
                return data

        with pytest.raises(TooSpecial):
            quick_reading(Special())
