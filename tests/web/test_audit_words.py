"""The audit trail is told in words."""

import re
from pathlib import Path

import pytest

from web.audit_words import _kinds, _verbs, action_words, details, in_short

ROOT = Path(__file__).parents[2]
ROOMS = (
    "core",
    "customers",
    "sales",
    "contacts",
    "rewards",
    "loyalty",
    "basket_analysis",
    "catalogs",
    "campaigns",
    "web",
)
ACTION = re.compile(r'action="([a-z_]+)\.([a-z_]+)"')


def _actions() -> list[tuple[str, str]]:
    sources = (path.read_text() for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return sorted({found for text in sources for found in ACTION.findall(text)})


class TestActions:
    @pytest.mark.parametrize("action", _actions(), ids=".".join)
    def test_have_words_for_kind_and_deed(self, action, app):
        kind, verb = action
        with app.test_request_context():
            assert kind in _kinds()
            assert verb in _verbs()

    def test_are_said_in_one_line(self, app):
        with app.test_request_context():
            assert action_words("member.view") == "Member: looked at"

    def test_nobody_named_lose_their_marks_only(self, app):
        with app.test_request_context():
            assert action_words("odd_thing.turned_over") == "Odd thing: turned over"


DETAIL = {"before": None, "after": {"names": {"cs": "Hrnek"}, "live": True, "stores": ["1", "2"]}}


class TestDetails:
    def test_are_named_by_all_that_they_lie_in(self, app):
        with app.test_request_context():
            assert details(DETAIL) == [
                ("Before", "nothing"),
                ("After · Names · Cs", "Hrnek"),
                ("After · Live at once", "yes"),
                ("After · Stores", "1, 2"),
            ]

    def test_of_lists_of_things_are_counted(self, app):
        with app.test_request_context():
            assert details({"rules": [{"code": "GOLD"}]}) == [("Rules · 1 · Code", "GOLD")]

    def test_are_shortened_for_a_list(self, app):
        with app.test_request_context():
            assert in_short(DETAIL).endswith("; +1")
            assert in_short(None) is None
