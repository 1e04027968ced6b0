"""What the books say about odd receipts reaches the reader in their own language."""

import ast
from pathlib import Path

import pytest

from web.flag_words import flag_detail, message_of

ROOT = Path(__file__).parents[2]


def written() -> list[str]:
    """Return what flags say in the sources; holes are filled with what may stand in them."""
    found = []
    for path in sorted(
        path for room in ("sales", "loyalty", "rewards") for path in (ROOT / room).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Flag"), args=[_, ast.Constant(value=str(text)), *_]):
                    found.append(text)
                case ast.Call(func=ast.Name(id="Flag"), args=[_, ast.JoinedStr(values=parts), *_]):
                    found.append(
                        "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)
                    )
    return found


class TestMessages:
    def test_are_all_that_flags_say(self):
        details = [
            detail for detail in written() if "the redemption was" not in detail and "hold: 7" not in detail
        ]
        assert len(details) > 25
        assert [detail for detail in details if message_of(detail) is None] == []

    @pytest.mark.parametrize(
        ("detail", "czech"),
        [
            ("nobody has heard of 10452 8590000000001", "10452 8590000000001 nikdo nezná"),
            (
                "payable_amount says 12345, the receipt makes 100",
                "Zaplaceno: uvedeno 123,45 Kč, z účtenky vychází 1,00 Kč",
            ),
            (
                "points worth 500 paid more than 50 % of a bill of 900",
                "body v hodnotě 5,00 Kč zaplatily víc než 50 % z nákupu za 9,00 Kč",
            ),
            (
                "the business date is far from 2026-11-03, when it was closed",
                "obchodní den je daleko od dne uzavření (3. 11. 2026)",
            ),
            ("what an older release said", "what an older release said"),
        ],
    )
    def test_are_shown_in_the_readers_language(self, app, detail, czech):
        with app.test_request_context("/", headers={"Cookie": "regulars_language=cs"}):
            said = flag_detail(detail, currency="CZK", timezone="Europe/Prague")
        assert said.replace("\N{NO-BREAK SPACE}", " ") == czech
