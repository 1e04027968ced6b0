"""For whom, when and where an offer is: all of it judged at the moment and in the store of the quote."""

import pytest

from core.ids import uuid7
from tests.offers.conftest import basket, items, offer, percent

LINES = basket(("tea", 1, 10000))
TEN = percent(10)


def given(market, *, card=None, lines=LINES, **rest) -> int:
    return sum(market.quote(lines, card_number=card or ..., **rest).discounts)


def serve_run(market):
    """Serve a run of the analysis, and return its id."""
    run = uuid7()
    market.execute(
        "insert into analysis_run (run_id, business_day, state, started_at, finished_at, version, parameters,"
        " inputs, timings) values (:run, current_date, 'completed', now(), now(), '1', '{}', '{}', '{}')",
        run=run,
    )
    market.execute(
        "insert into served_run (run_id, served_at) values (:run, now())"
        " on conflict (served) do update set run_id = excluded.run_id",
        run=run,
    )
    return run


def stand(market, run, card, phase, value_class):
    """Let a run see the holder of a card in a phase and a class of value."""
    market.execute(
        "insert into member_standing (run_id, member_id, phase, phase_since, value_class, value_since, financial, margin,"
        " financial_rank, informational, told_profile, told_consents, told_answers, told_redemptions, reference_value,"
        " brought, household, visits, silence, usual_gap, long_gap, lost_gap)"
        " select :run, member_id, :phase, current_date, :value_class, current_date, 1, false, 0.5, 0, 0, 0, 0, 0, 0, 0, 0,"
        " 1, 1, 7, 14, 42 from member where member_code = :card",
        run=run,
        card=card,
        phase=phase,
        value_class=value_class,
    )


class TestAnOfferOfATime:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            ("2026-11-20T23:59:59+01:00", 0),
            ("2026-11-21T00:00:00+01:00", 1000),
            ("2026-11-20T23:00:00Z", 1000),
            ("2026-11-22T23:59:59.999+01:00", 1000),
            ("2026-11-23T00:00:00+01:00", 0),
            ("2031-01-01T00:00:00Z", 0),
        ],
    )
    def test_begins_on_its_moment_and_is_over_at_its_end(self, market, at, expected):
        market.live(
            offer("T", items("TEA"), TEN,
                  valid={"from": "2026-11-21T00:00:00+01:00", "to": "2026-11-23T00:00:00+01:00"})
        )  # fmt: skip
        assert given(market, at=at) == expected

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            ("2026-11-20T23:59:59+01:00", 0),  # Friday
            ("2026-11-21T00:00:00+01:00", 1000),  # Saturday
            ("2026-11-21T22:59:59Z", 1000),  # still Saturday in the store
            ("2026-11-21T23:00:00Z", 1000),  # Sunday there
            ("2026-11-22T23:00:00Z", 0),  # Monday there
        ],
    )
    def test_goes_by_the_store_s_weekday(self, market, at, expected):
        market.live(offer("T", items("TEA"), TEN, valid={"weekdays": [6, 7]}))
        assert given(market, at=at) == expected

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            ("2026-11-21T21:59:59+01:00", 0),
            ("2026-11-21T22:00:00+01:00", 1000),
            ("2026-11-22T01:59:59+01:00", 1000),
            ("2026-11-22T02:00:00+01:00", 0),
            ("2026-11-21T12:00:00+01:00", 0),
            ("2026-07-21T20:00:00Z", 1000),  # 22 o'clock of summer time
        ],
    )
    def test_passes_midnight(self, market, at, expected):
        market.live(offer("T", items("TEA"), TEN, valid={"hours": [{"from": "22:00", "to": "02:00"}]}))
        assert given(market, at=at) == expected

    def test_has_several_hours(self, market):
        hours = [{"from": "08:00", "to": "10:00"}, {"from": "16:00", "to": "18:00"}]
        market.live(offer("T", items("TEA"), TEN, valid={"hours": hours}))
        clock = ("07:59", "08:00", "10:00", "16:30", "18:00")
        assert [given(market, at=f"2026-11-21T{time}:00+01:00") for time in clock] == [0, 1000, 0, 1000, 0]

    def test_says_that_nothing_added_would_help(self, market):
        market.live(offer("T", items("TEA"), TEN, valid={"hours": [{"from": "22:00", "to": "02:00"}]}))
        assert market.quote(LINES).missing in ({"T": None}, {})


class TestAnOfferOfAStore:
    def test_is_there_and_nowhere_else(self, market):
        market.live(offer("T", items("TEA"), TEN, stores=["S2"]))
        assert (given(market), given(market, till="S2")) == (0, 1000)


class TestAnOfferForMembers:
    def test_is_for_members_unless_it_says_otherwise(self, market):
        card = market.member()
        plain = offer("T", items("TEA"), TEN)
        del plain["audience"]
        market.live(plain)
        assert (given(market), given(market, card=card)) == (0, 1000)

    def test_tells_who_has_no_card_that_it_is_for_members(self, market):
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members"}))
        assert market.quote(LINES).missing == {"T": None}

    def test_is_not_for_a_card_that_nobody_knows(self, market):
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members"}))
        assert given(market, card="2999999999992") == 0

    def test_is_for_some_by_their_codes(self, market):
        one, other = market.member(), market.member()
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "member_codes": [one]}))
        assert (given(market, card=one), given(market, card=other)) == (1000, 0)
        assert "T" not in market.quote(LINES, card_number=other).missing

    @pytest.mark.parametrize(
        ("born", "within", "expected"),
        [
            ("1990-11-21", 0, 1000),
            ("1990-11-22", 0, 0),
            ("1990-11-24", 3, 1000),
            ("1990-11-18", 3, 1000),
            ("1990-11-25", 3, 0),
            ("1990-11-17", 3, 0),
            (None, 3, 0),
        ],
    )
    def test_is_for_birthdays(self, market, born, within, expected):
        card = market.member(birth_date=born)
        market.live(
            offer("T", items("TEA"), TEN, audience={"who": "members", "birthday_within_days": within})
        )
        assert given(market, card=card) == expected

    @pytest.mark.parametrize(
        ("born", "at", "expected"),
        [
            ("1990-01-02", "2026-12-31T10:00:00+01:00", 1000),
            ("1990-12-30", "2027-01-01T10:00:00+01:00", 1000),
            ("1992-02-29", "2027-02-28T10:00:00+01:00", 1000),
            ("1992-02-29", "2028-02-29T10:00:00+01:00", 1000),
        ],
    )
    def test_is_for_birthdays_over_the_year_s_end_and_of_leap_days(self, market, born, at, expected):
        card = market.member(birth_date=born)
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "birthday_within_days": 2}))
        assert given(market, card=card, at=at) == expected

    def test_is_for_the_first_purchase(self, market):
        card = market.member()
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "first_purchase": True}))
        quote = market.quote(LINES, card_number=card)
        assert sum(quote.discounts) == 1000
        sale = market.sale(quote, LINES, card_number=card)
        market.post(sale)
        assert given(market, card=card) == 0

    def test_is_for_the_first_purchase_again_when_that_was_training(self, market):
        card = market.member()
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "first_purchase": True}))
        quote = market.quote(LINES, card_number=card)
        market.pay(quote, LINES, card_number=card, mode="training")
        assert given(market, card=card) == 1000

    def test_is_not_for_staff_unless_it_says_so(self, market):
        card = market.member()
        market.execute(
            "insert into staff_card (store_id, operator_code, name, card_number, registered_at, registered_by)"
            " select store_id, 'op' || :card, 'Žofie', :card, date '2026-01-01', 'test' from store where store_code = 'S1'",
            card=card,
        )
        market.live(
            offer("A", items("TEA"), TEN, audience={"who": "members"}),
            offer("B", items("TEA"), percent(5), audience={"who": "members", "staff": True}),
        )
        # 5 % alone
        assert given(market, card=card) == 500

    def test_is_not_for_companies_unless_it_says_so(self, market):
        company, person = market.member(company_name="Firma", company_id="25596641"), market.member()
        market.live(
            offer("A", items("TEA"), percent(10), audience={"who": "members"}),
            offer("B", items("BREAD"), percent(20), audience={"who": "members", "companies": True}),
            offer("C", items("MILK"), percent(30), audience={"who": "companies"}),
        )
        lines = basket(("tea", 1, 1000), ("bread", 1, 1000), ("milk", 1, 1000))
        assert market.quote(lines, card_number=company).discounts == [0, 200, 300]
        assert market.quote(lines, card_number=person).discounts == [100, 200, 0]
        assert market.quote(lines).discounts == [0, 0, 0]

    def test_is_for_a_shopper_group(self, market):
        one, other = market.member(), market.member()
        run = serve_run(market)
        market.execute(
            "insert into group_membership (run_id, member_id, group_id, strength, baskets)"
            " select :run, member_id, 'G7', 1, 9 from member where member_code = :card",
            run=run,
            card=one,
        )
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "groups": ["G7"]}))
        assert (given(market, card=one), given(market, card=other)) == (1000, 0)

    @pytest.mark.parametrize(
        "audience",
        [
            {"phases": ["won_back", "fading"]},
            {"values": ["vip"]},
            {"phases": ["fading"], "values": ["vip", "low"]},
        ],
    )
    def test_is_for_a_phase_or_a_class_of_value(self, market, audience):
        one, other, unseen = market.member(), market.member(), market.member()
        run = serve_run(market)
        stand(market, run, one, "fading", "vip")
        stand(market, run, other, "peak", "low")
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", **audience}))
        assert [given(market, card=card) for card in (one, other, unseen)] == [1000, 0, 0]

    def test_is_not_for_a_phase_of_a_run_that_is_not_served_nor_of_who_objects_since(self, market):
        one, other = market.member(), market.member()
        run, later = serve_run(market), uuid7()
        stand(market, later, one, "fading", "vip")
        stand(market, run, other, "fading", "vip")
        market.live(offer("T", items("TEA"), TEN, audience={"who": "members", "phases": ["fading"]}))
        assert (given(market, card=one), given(market, card=other)) == (0, 1000)
        market.execute(
            "update member set profiling_objected_at = now() where member_code = :card", card=other
        )
        assert given(market, card=other) == 0
