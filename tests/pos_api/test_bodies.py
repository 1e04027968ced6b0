"""Bodies are read exactly, and every fault gets its own "no"."""

import json

import pytest
from flask import Flask

from pos_api import bodies
from pos_api.bodies import MEBIBYTE, parse
from pos_api.problems import Problem


def refused(raw: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(raw)
    return caught.value


class TestParse:
    def test_returns_the_object(self):
        assert parse('{"name": "Čaj", "amount": 5, "list": [1]}'.encode()) == {
            "name": "Čaj",
            "amount": 5,
            "list": [1],
        }

    def test_takes_null_for_absent_at_every_depth(self):
        assert parse(b'{"a": null, "b": {"c": null, "d": [{"e": null, "f": 1}]}}') == {"b": {"d": [{"f": 1}]}}

    def test_passes_over_a_byte_order_mark(self):
        assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b" ",
            b"null",
            b"[]",
            b'"text"',
            b"1",
            b"{",
            b'{"a": }',
            b"{'a': 1}",
            b'{"a": 1} x',
            b'{"a": NaN}',
            b'{"a": ' + b"9" * 5000 + b"x}",
            b'{"a": 1, "a": 2, x}',
            b'{"a": -Infinity}',
            b'{"a": 01}',
            b'{"a": "\x01"}',
            b"\xff\xfe{}",
            '{"a": 1}'.encode("utf-16"),
            '{"a": "č"}'.encode("latin2"),
            b'{"a": "\xed\xa0\x80"}',  # a surrogate is no UTF-8
            b"[" * 200_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        ],
        ids=lambda raw: repr(raw[:12]),
    )
    def test_calls_malformed_what_is_no_json_object_in_utf8(self, raw):
        assert refused(raw).code == "malformed"

    def test_points_at_a_name_that_stands_twice(self):
        problem = refused(b'{"lines": [{"sku": "1"}, {"sku": "1", "quantity": "1", "sku": null}]}')
        assert problem.code == "invalid_content"
        assert problem.errors == (("/lines/1/sku", "The name stands twice in this object."),)

    def test_points_at_an_integer_that_nobody_can_read(self):
        problem = refused(b'{"lines": [{"amount": -' + b"9" * 5000 + b"}]}")
        assert problem.errors == (("/lines/0/amount", "The number is out of range."),)

    def test_reads_long_integers_and_leaves_the_range_to_the_field(self):
        assert parse(b'{"a": ' + b"9" * 4000 + b"}") == {"a": int("9" * 4000)}

    @pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\udc00 \ud800"])
    def test_points_at_text_that_cannot_be_kept(self, escape):
        problem = refused(f'{{"a": {{"b~/": ["ok", "x{escape}"]}}}}'.encode())
        assert [place for place, _ in problem.errors] == ["/a/b~0~1/1"]
        problem = refused(f'{{"a": {{"{escape}": 1}}}}'.encode())
        assert [place for place, _ in problem.errors] == ["/a"]

    def test_keeps_characters_beyond_the_first_plane(self):
        assert parse(rb'{"a": "\ud83c\udf75", "b": "\u010d"}') == {"a": "\N{TEACUP WITHOUT HANDLE}", "b": "č"}


class TestRead:
    @pytest.fixture
    def post(self):
        app = Flask(__name__)

        def post(limit: int = MEBIBYTE, **request):
            with app.test_request_context("/", method="POST", **request):
                return bodies.read(limit)

        return post

    def test_returns_the_bytes(self, post):
        assert post(data=b"{}", content_type="application/json; charset=utf-8") == b"{}"

    @pytest.mark.parametrize(
        "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "json"]
    )
    def test_wants_json(self, post, content_type):
        with pytest.raises(Problem) as caught:
            post(data=b"{}", content_type=content_type)
        assert caught.value.code == "unsupported_media_type"

    def test_wants_it_as_it_is(self, post):
        with pytest.raises(Problem) as caught:
            post(data=b"{}", content_type="application/json", headers={"Content-Encoding": "gzip"})
        assert caught.value.code == "unsupported_media_type"

    def test_takes_a_mebibyte_and_no_byte_more(self, post):
        assert len(post(data=b" " * MEBIBYTE, content_type="application/json")) == MEBIBYTE
        with pytest.raises(Problem) as caught:
            post(data=b" " * (MEBIBYTE + 1), content_type="application/json")
        assert caught.value.code == "too_large"

    def test_takes_in_what_is_too_large_before_it_is_refused(self, post):
        from io import BytesIO

        sending = BytesIO(b" " * (5 * MEBIBYTE))
        with pytest.raises(Problem) as caught:
            post(input_stream=sending, content_length=5 * MEBIBYTE, content_type="application/json")
        assert caught.value.code == "too_large"
        assert sending.read() == b"", "who still sends does not hear the answer"

    def test_takes_no_byte_more_in_chunks_either(self, post):
        from io import BytesIO

        environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        with pytest.raises(Problem) as caught:
            post(
                limit=10,
                input_stream=BytesIO(b" " * 11),
                content_type="application/json",
                environ_overrides=environ,
            )
        assert caught.value.code == "too_large"


class TestAnswer:
    def test_is_json_that_nobody_keeps(self):
        with Flask(__name__).app_context():
            response = bodies.answer({"print": ["Žofie"]}, 201)
        assert (response.status_code, response.mimetype) == (201, "application/json")
        assert response.headers["Cache-Control"] == "no-store"
        assert json.loads(response.data) == {"print": ["Žofie"]}
