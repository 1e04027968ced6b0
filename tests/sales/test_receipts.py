from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from sales.receipts import (
    Discount,
    Original,
    PostedLine,
    PostedReceipt,
    Tender,
    TillIdentity,
    Totals,
    fingerprint,
    masked,
    payment_cards_in,
    receipt_document,
    stated_flags,
)

TILL = TillIdentity(1, 1, "S1", "T1", "CZK", "Europe/Prague")
NOW = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)
VISA = "4111 1111 1111 1111"

LINE = PostedLine(
    line_number=1,
    gtin="8594001021512",
    sku="10452",
    name="Čaj 40 g",
    quantity=Decimal(2),
    unit="pcs",
    unit_price=5990,
    discount_amount=1198,
    total_amount=10782,
    tax_rate=Decimal(12),
    discounts=(Discount("TEA10", 3, 1198),),
)
SALE = PostedReceipt(
    type="sale",
    business_date=date(2026, 11, 21),
    receipt_number="000123",
    closed_at=datetime(2026, 11, 21, 9, 16, 2, tzinfo=UTC),
    operator_code="17",
    card_number="2990000000019",
    card_entry_mode="scanned",
    currency="CZK",
    quote_id="q",
    lines=(LINE,),
    tenders=(Tender("cash", 10800),),
    totals=Totals(10800, 11980, 1198, 0, 18),
)


def with_line(**changes: object) -> PostedReceipt:
    return replace(SALE, lines=(replace(LINE, **changes),))


class TestFingerprint:
    @pytest.mark.parametrize(
        "same",
        [
            replace(SALE, offline=True),
            replace(SALE, quote_id=None),
            replace(SALE, closed_at=SALE.closed_at.astimezone(timezone(timedelta(hours=1)))),
            with_line(quantity=Decimal("2.000")),
            with_line(tax_rate=Decimal("12.00")),
        ],
    )
    def test_is_the_same_for_the_same_meaning(self, same):
        assert fingerprint(same, TILL) == fingerprint(SALE, TILL)

    @pytest.mark.parametrize(
        "other",
        [
            replace(SALE, type="return"),
            replace(SALE, mode="training"),
            replace(SALE, business_date=date(2026, 11, 20)),
            replace(SALE, receipt_number="123"),
            replace(SALE, closed_at=SALE.closed_at + timedelta(microseconds=1)),
            replace(SALE, operator_code="18"),
            replace(SALE, card_number=None),
            replace(SALE, card_number="2990000000026"),
            replace(SALE, card_entry_mode="keyed"),
            replace(SALE, currency="EUR"),
            replace(SALE, lines=()),
            replace(SALE, lines=(LINE, replace(LINE, line_number=2))),
            replace(SALE, redemption_ids=("a",)),
            replace(SALE, voucher_codes=("a",)),
            replace(SALE, tenders=()),
            replace(SALE, tenders=(Tender("card", 10800),)),
            replace(SALE, totals=replace(SALE.totals, rounding_amount=17)),
            replace(SALE, totals=replace(SALE.totals, gross_amount=None)),
            replace(SALE, original=Original("S1", "T1", date(2026, 11, 20), "1")),
            with_line(line_number=2),
            with_line(gtin=None),
            with_line(sku="010452"),
            with_line(name="Čaj  40 g"),
            with_line(quantity=Decimal("2.001")),
            with_line(unit=None),
            with_line(unit_price=5991),
            with_line(discount_amount=0),
            with_line(total_amount=10783),
            with_line(tax_rate=Decimal(21)),
            with_line(discounts=()),
            with_line(discounts=(Discount("TEA10", None, 1198),)),
            with_line(original_line_number=1),
            with_line(reason="faulty"),
        ],
    )
    def test_is_another_for_anything_else(self, other):
        assert fingerprint(other, TILL) != fingerprint(SALE, TILL)

    def test_is_another_at_another_till(self):
        assert fingerprint(SALE, replace(TILL, till_code="T2")) != fingerprint(SALE, TILL)

    def test_does_not_give_a_payment_card_away(self):
        one, other = with_line(name=VISA), with_line(name="**** **** **** 1111")
        assert fingerprint(one, TILL) == fingerprint(other, TILL)


class TestReceiptDocument:
    def test_leaves_defaults_out(self):
        bare = PostedReceipt(
            type="void",
            business_date=date(2026, 11, 21),
            receipt_number="1",
            closed_at=SALE.closed_at,
            currency="CZK",
        )
        assert receipt_document(bare) == {
            "type": "void",
            "business_date": "2026-11-21",
            "receipt_number": "1",
            "closed_at": "2026-11-21T09:16:02+00:00",
            "currency": "CZK",
        }


class TestMasked:
    def test_hides_payment_cards_wherever_they_were_typed(self):
        posted = replace(
            with_line(name=f"gift {VISA}", sku="4111111111111111", unit="5500005555555559"),
            operator_code="4111111111111111",
            card_number="4111111111111111",
            tenders=(Tender("4012888888881881", 1),),
            voucher_codes=("4111-1111-1111-1111",),
        )
        hidden = masked(posted)
        assert not payment_cards_in(hidden)
        assert hidden.lines[0].name == "gift **** **** **** 1111"
        assert hidden.card_number == "************1111"

    def test_spares_our_own_cards(self):
        posted = replace(SALE, card_number="4111111111111111", operator_code="4012888888881881")
        hidden = masked(posted, spare={"4111111111111111"})
        assert hidden.card_number == "4111111111111111"
        assert hidden.operator_code == "************1881"

    def test_leaves_article_codes_alone(self):
        # A German GTIN with Luhn's check digit too, which looks like an old Visa.
        posted = with_line(sku="4000000000051", gtin="4000000000051")
        assert masked(posted) == posted

    def test_returns_an_innocent_receipt_as_it_is(self):
        assert masked(SALE) is SALE

    def test_leaves_our_own_ids_alone_though_digits_of_one_may_look_like_a_payment_card(self):
        ours = "01a2026d-5810-7295-8253-3025cca189fa"
        posted = replace(SALE, redemption_ids=(ours,), quote_id=ours)
        assert masked(posted) is posted
        with_number = replace(posted, operator_code="4111111111111111")
        assert masked(with_number).redemption_ids == (ours,)
        typed = replace(SALE, redemption_ids=("5810-7295-8253-3025",))
        assert "8253" not in masked(typed).redemption_ids[0]


def codes(posted: PostedReceipt, now: datetime = NOW) -> list[tuple[str, int | None]]:
    return [(flag.code, flag.line_number) for flag in stated_flags(posted, TILL, now=now)]


class TestStatedFlags:
    def test_find_nothing_odd_in_the_contracts_example(self):
        assert codes(SALE) == []

    def test_rounds_quantity_times_price_half_up(self):
        line = PostedLine(1, Decimal("0.754"), 9990, 7532, sku="1")
        assert codes(replace(SALE, lines=(line,), totals=Totals(7532), tenders=())) == []
        half = PostedLine(1, Decimal("0.5"), 101, 51, sku="1")
        assert codes(replace(SALE, lines=(half,), totals=Totals(51), tenders=())) == []

    def test_name_the_line_that_does_not_add_up(self):
        assert ("totals_mismatch", 1) in codes(with_line(total_amount=10783))

    @pytest.mark.parametrize(
        "changes",
        [
            {"gross_amount": 11981},
            {"discount_amount": 1197},
            {"points_amount": 1},
            {"rounding_amount": 17},
            {"payable_amount": 10799},
        ],
    )
    def test_find_totals_that_the_lines_do_not_make(self, changes):
        assert ("totals_mismatch", None) in codes(replace(SALE, totals=replace(SALE.totals, **changes)))

    def test_find_tenders_that_do_not_pay(self):
        assert ("totals_mismatch", None) in codes(replace(SALE, tenders=(Tender("cash", 10799),)))

    def test_take_a_till_that_states_only_what_was_paid(self):
        assert codes(replace(SALE, totals=Totals(10782), tenders=())) == []
        assert ("totals_mismatch", None) in codes(replace(SALE, totals=Totals(10781), tenders=()))

    def test_find_another_currency(self):
        assert codes(replace(SALE, currency="EUR")) == [("totals_mismatch", None)]

    def test_take_a_void_without_lines_and_totals(self):
        assert codes(replace(SALE, type="void", lines=(), totals=Totals(), tenders=())) == []

    def test_allow_a_clock_five_minutes_fast(self):
        closed = SALE.closed_at
        assert codes(SALE, now=closed - timedelta(minutes=5)) == []
        assert codes(SALE, now=closed - timedelta(minutes=5, seconds=1)) == [("clock_skew", None)]

    @pytest.mark.parametrize(("day", "odd"), [(19, True), (20, False), (22, False), (23, True)])
    def test_allow_the_business_date_a_day_from_the_local_date(self, day, odd):
        found = codes(replace(SALE, business_date=date(2026, 11, day)))
        assert found == ([("clock_skew", None)] if odd else [])

    def test_judge_the_local_date_by_the_stores_clock(self):
        # Half past midnight in Prague, still the day before in UTC.
        late = replace(SALE, closed_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
        assert codes(replace(late, business_date=date(2026, 11, 22)), now=late.closed_at) == []
        assert codes(replace(late, business_date=date(2026, 11, 19)), now=late.closed_at) != []

    def test_call_late_what_came_after_a_day(self):
        assert codes(SALE, now=SALE.closed_at + timedelta(hours=24)) == []
        assert codes(SALE, now=SALE.closed_at + timedelta(hours=24, seconds=1)) == [("late", None)]
