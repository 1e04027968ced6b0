"""Allowances: only we can make one, and it is worth nothing with another card."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.offline.allowances import Key, NoAllowance, Signer, key_named, read_allowance

CARD, OTHER = "2990000000019", "2990000000026"
KEY = Key("k1", b"s" * 32)
ISSUED = datetime(2026, 11, 21, 11, 30, 0, 123456, tzinfo=UTC)
SIGNER = Signer(KEY, issued_at=ISSUED, expires_at=ISSUED + timedelta(hours=72))


class TestAllowance:
    def test_says_what_was_signed(self):
        allowance = read_allowance(SIGNER.sign(CARD, 940), card_number=CARD, key=KEY)
        assert (allowance.key_id, allowance.points) == ("k1", 940)
        assert allowance.issued_at == ISSUED.replace(microsecond=123000)
        assert allowance.expires_at - allowance.issued_at == timedelta(hours=72)

    def test_fits_on_a_line_and_needs_no_escape(self):
        text = SIGNER.sign(CARD, 10**9)
        assert len(text) < 80
        assert text.isascii()
        assert text.replace(".", "").replace("-", "").replace("_", "").isalnum()

    @pytest.mark.parametrize("card", [OTHER, None, ""])
    def test_holds_for_its_card_only(self, card):
        with pytest.raises(NoAllowance):
            read_allowance(SIGNER.sign(CARD, 940), card_number=card, key=KEY)

    @pytest.mark.parametrize(
        "key", [None, Key("k2", KEY.secret), Key("k1", b"t" * 32), Key("k1", KEY.secret, revoked=True)]
    )
    def test_holds_with_its_key_only(self, key):
        with pytest.raises(NoAllowance):
            read_allowance(SIGNER.sign(CARD, 940), card_number=CARD, key=key)

    @given(place=st.integers(0, 70), character=st.sampled_from("0189azAZ._-\n\u0661"))
    def test_does_not_hold_with_any_character_changed(self, place: int, character: str):
        text = SIGNER.sign(CARD, 940)
        place %= len(text)
        changed = text[:place] + character + text[place + 1 :]
        if changed != text:
            with pytest.raises(NoAllowance):
                read_allowance(changed, card_number=CARD, key=KEY)

    @given(st.text(max_size=100))
    def test_is_no_text_that_somebody_made_up(self, text: str):
        with pytest.raises(NoAllowance):
            read_allowance(text, card_number=CARD, key=KEY)

    def test_names_its_key(self):
        assert key_named(SIGNER.sign(CARD, 1)) == "k1"
        assert key_named("k1.1.1.1") is None
