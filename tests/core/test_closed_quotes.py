from io import BytesIO

import pyarrow as pa
import pyarrow.csv
from hypothesis import given
from hypothesis import strategies as st

from core.closed_quotes import EndMarked, opening_line


def is_swallowed(content: bytes) -> bool:
    """Return whether Arrow reads the end of a file within a quotation."""
    marked = EndMarked(BytesIO(content), delimiter=",", width=2)
    reader = pyarrow.csv.open_csv(
        marked,
        parse_options=pyarrow.csv.ParseOptions(
            newlines_in_values=True,
            invalid_row_handler=lambda row: (marked.ends_with(row.text), "skip")[1],
        ),
        convert_options=pyarrow.csv.ConvertOptions(column_types={"a": pa.string(), "b": pa.string()}),
    )
    assert all(batch.num_columns == 2 for batch in reader)
    return not marked.is_ended


class TestOpeningLine:
    @given(st.text('ab"",;\n\r', max_size=24))
    def test_finds_what_swallows_the_rest_of_a_file_and_nothing_else(self, text):
        content = f"a,b\n1,2\n{text}".encode()
        assert (opening_line(lambda: BytesIO(content), delimiter=",") is not None) == is_swallowed(content)


class TestEndMarked:
    @given(st.binary(max_size=40), st.integers(1, 50))
    def test_gives_the_file_and_its_end_in_parts_of_any_size(self, content, size):
        marked = EndMarked(BytesIO(content), delimiter=";", width=3)
        parts = list(iter(lambda: marked.read(size), b""))
        assert b"".join(parts) == content + b"\n\x1a;;;\n"
        assert all(len(part) == size for part in parts[:-1])
