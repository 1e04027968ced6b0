"""Data that was there before a migration is there after it, means the same, and can be worked with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Engine, text

from catalogs.models import Edition
from catalogs.operations import opened
from contacts.queries import refusals_of
from core.database import _config, make_engine, make_sessions
from core.verification import verify
from loyalty.queries import card_view
from loyalty.verification import CHECKS
from rewards.verification import CHECKS as OF_REWARDS
from sales.receipts import TillIdentity

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

OLD = """
    insert into store (store_code, name, currency, timezone) values ('S1', 'Old', 'CZK', 'Europe/Prague');
    insert into till (store_id, till_code) select store_id, 'T1' from store;
    insert into account values ('00000000-0000-7000-8000-0000000000a1', null, '2026-01-01');
    insert into member (member_id, member_code, account_id, given_name, family_name, language, joined_on)
      values ('00000000-0000-7000-8000-0000000000b1', 'M1', '00000000-0000-7000-8000-0000000000a1', 'Žofie', 'Nová', 'cs',
              '2026-01-01');
    insert into card (card_number, state, account_id, member_id, created_at, issued_at)
      values ('2990000000019', 'active', '00000000-0000-7000-8000-0000000000a1', '00000000-0000-7000-8000-0000000000b1',
              '2026-01-01', '2026-01-01');
    insert into receipt (business_date, receipt_id, store_id, till_id, receipt_number, type, mode, offline, closed_at,
        received_at, card_number, account_id, member_id, currency, gross_amount, discount_amount, points_amount,
        rounding_amount, payable_amount, fingerprint)
      select '2026-11-21', '00000000-0000-7000-8000-0000000000c1', store_id, till_id, '1', 'sale', 'live', false,
             '2026-11-21 11:00+00', '2026-11-21 11:00+00', '2990000000019', '00000000-0000-7000-8000-0000000000a1',
             '00000000-0000-7000-8000-0000000000b1', 'CZK', 100000, 0, 0, 0, 100000, ''
      from till;
    insert into receipt_line (business_date, receipt_id, line_number, sku, quantity, unit_price, discount_amount,
        total_amount, discounts, points)
      values ('2026-11-21', '00000000-0000-7000-8000-0000000000c1', 1, 'tea', 1, 100000, 0, 100000,
              '[{"offer_code": "OLD", "offer_version": null, "amount": 0}]', 1000);
    insert into ledger_entry (entry_id, account_id, reason, business_date, booked_at, receipt_id)
      values ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-0000000000a1', 'earn', '2026-11-21',
              '2026-11-21 11:00+00', '00000000-0000-7000-8000-0000000000c1');
    insert into lot (lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
        remaining, line_numbers, line_remaining)
      values ('00000000-0000-7000-8000-0000000000d1', '00000000-0000-7000-8000-0000000000a1', '2026-11-21',
              '00000000-0000-7000-8000-0000000000c1', '2026-11-21 11:00+00', '2026-12-04 23:00+00',
              '2028-11-30 23:00+00', 1000, 1000, '{1}', '{1000}');
    insert into ledger_leg (entry_id, leg_number, account_id, book, lot_id, points)
      values ('00000000-0000-7000-8000-0000000000e1', 1, '00000000-0000-7000-8000-0000000000a1', 'points',
              '00000000-0000-7000-8000-0000000000d1', 1000),
             ('00000000-0000-7000-8000-0000000000e1', 2, '00000000-0000-7000-8000-0000000000a1', 'issued', null, -1000);
    insert into balance (account_id, points) values ('00000000-0000-7000-8000-0000000000a1', 1000);
    insert into reward (reward_code, name, points) values ('MUG', '{"en": "Mug"}', 500);
    insert into reward_stock (reward_code, store_id, on_hand) select 'MUG', store_id, 7 from store;
    insert into quote (quote_id, store_id, till_id, currency, quoted_at, valid_until, lines, gross_amount,
        discount_amount, points_amount, payable_amount, points_to_spend, points_to_earn)
      select gen_random_uuid(), store_id, till_id, 'CZK', '2026-11-21 10:59+00', '2026-11-21 11:09+00',
             '[[1, "1", 100000, 100000, 0]]', 100000, 0, 0, 100000, 0, 1000
      from till;
"""

TABLES = (
    "receipt",
    "receipt_line",
    "ledger_entry",
    "ledger_leg",
    "lot",
    "balance",
    "card",
    "member",
    "quote",
    "reward",
)


def rows(engine: Engine, columns: dict[str, Any], tables: Sequence[str] = TABLES) -> dict[str, Any]:
    """Every row of the tables, of the columns that they had."""
    with engine.connect() as connection:
        found = {}
        for table in tables:
            wanted = columns.get(table) or sorted(
                connection.scalars(
                    text("select column_name from information_schema.columns where table_name = :table"),
                    {"table": table},
                )
            )
            columns[table] = wanted
            found[table] = sorted(
                map(str, connection.execute(text(f"select {', '.join(wanted)} from {table}")).all())
            )
        return found


class TestOffers:
    """0003."""

    @pytest.fixture
    def old(self, database_url: str, owner_engine: Engine) -> Engine:
        command.downgrade(_config(database_url), "0002")
        with owner_engine.begin() as owner:
            for statement in OLD.strip().split(";\n"):
                owner.exec_driver_sql(statement)
        return owner_engine

    def test_leave_what_was_there_as_it_was_on_the_way_up_and_down(self, old: Engine, database_url: str):
        columns: dict[str, Any] = {}
        before = rows(old, columns)
        command.upgrade(_config(database_url), "head")
        assert rows(old, columns) == before
        engine = make_engine(database_url)
        sessions = make_sessions(engine)
        assert [one.code for one in verify(sessions, (*CHECKS, *OF_REWARDS)) if not one.ok] == []
        with sessions.begin() as session:
            till = TillIdentity(1, 1, "S1", "T1", "CZK", "Europe/Prague")
            view = card_view(session, card_number="2990000000019", now=NOW, store=till)
            assert (view["points"]["balance"], view["points"]["pending"]) == (1000, 1000)
            assert session.execute(text("select on_hand, reserved from reward_stock")).all() == [(7, 0)]
        engine.dispose()
        command.downgrade(_config(database_url), "0002")
        assert rows(old, columns) == before


OF_OFFERS = """
    insert into reaction (member_id, account_id, card_number, recorded_at, channel, actor, reaction, scope, sku, category)
      select member_id, account_id, '2990000000019', '2026-11-20 10:00+00', 'till', 'T1', 'never', 'item', 'tea', null from member;
    insert into analysis_run (run_id, business_day, state, started_at, finished_at, version, parameters, inputs, timings)
      values ('00000000-0000-7000-8000-0000000000f1', '2026-11-21', 'completed', '2026-11-22', '2026-11-22', '1', '{}', '{}', '{}');
    insert into served_run (served, run_id, served_at)
      values (true, '00000000-0000-7000-8000-0000000000f1', '2026-11-22');
    insert into mined_rule (run_id, rule_number, level, antecedent, consequent, count, antecedent_count, consequent_count,
        households, support, confidence, lift, leverage, conviction, adjusted_lift, z, q)
      values ('00000000-0000-7000-8000-0000000000f1', 0, 'category', '{TEA}', '{MILK}', 30, 60, 90, 25, 0.1, 0.5, 2, 0.05, 1.2, 2, 5, 0);
    insert into article (sku, name, unit, category, tax_rate) values ('tea', 'Tea', 'pcs', 'TEA', 12);
    insert into suggestion_decision (store_id, kind, article_id, decision, reason, decided_by, decided_at, shown)
      select store_id, 'delist', article_id, 'accepted', 'nobody buys it', 'manager', '2026-11-21 08:00+00', '{}'
      from store, article;
"""

OF_ANALYSIS = """
    update article set category = 'HOT DRINKS';
    update offer_book set choice = 'best';
    insert into suggestion_decision (store_id, kind, article_id, decision, reason, decided_by, decided_at, shown)
      select store_id, kind, article_id, 'undone', '', 'manager', '2026-11-22 08:00+00', '{}' from suggestion_decision;
    insert into analysis_run (run_id, business_day, state, started_at, finished_at, version, parameters, inputs, timings)
      values ('00000000-0000-7000-8000-0000000000f2', '2026-11-22', 'refused', '2026-11-23', '2026-11-23', '1', '{}', '{}', '{}');
"""


class TestAnalysis:
    """0004."""

    @pytest.fixture
    def old(self, database_url: str, owner_engine: Engine) -> Engine:
        command.downgrade(_config(database_url), "0003")
        with owner_engine.begin() as owner:
            for statement in (OLD + OF_OFFERS).strip().removesuffix(";").split(";\n"):
                owner.exec_driver_sql(statement)
        return owner_engine

    def test_leaves_what_was_there_as_it_was_and_lets_it_be_worked_with(self, old: Engine, database_url: str):
        columns: dict[str, Any] = {}
        tables = (*TABLES, "reaction", "analysis_run", "served_run", "mined_rule", "suggestion_decision")
        before = rows(old, columns, tables)
        command.upgrade(_config(database_url), "head")
        assert rows(old, columns, tables) == before
        engine = make_engine(database_url)
        sessions = make_sessions(engine)
        assert [one.code for one in verify(sessions, (*CHECKS, *OF_REWARDS)) if not one.ok] == []
        with sessions.begin() as session:
            told = session.execute(text("select kind, direction, detail ->> 'sku' from contact")).all()
            assert told == [("reaction", "inbound", "tea")]
            assert session.execute(text("select improvement from mined_rule")).all() == [(None,)]
        engine.dispose()
        command.downgrade(_config(database_url), "0003")
        assert rows(old, columns, tables) == before

    def test_goes_back_from_what_only_it_knows(self, old: Engine, database_url: str):
        command.upgrade(_config(database_url), "head")
        with old.begin() as owner:
            for statement in OF_ANALYSIS.strip().removesuffix(";").split(";\n"):
                owner.exec_driver_sql(statement)
        command.downgrade(_config(database_url), "0003")
        command.upgrade(_config(database_url), "head")


BEFORE_RUNS = """
    insert into edition (edition_id, edition_code, run_id, group_id, group_name, theme, valid_from, valid_to, created_at, content)
      values ('00000000-0000-7000-8000-000000000ed1', '2026-W47-t1-trh', '00000000-0000-7000-8000-0000000000f1', 't1', 'Tea',
              'trh', '2026-11-16', '2026-11-30', '2026-11-15',
              '{"format": 1, "categories": ["TEA"], "colour": 0, "ranking": [1], "beside": {}}');
    insert into catalog_copy (copy_id, copy_code, edition_id, member_id, store_id, language, path, sha256, size, pages, picks, made_at)
      select '00000000-0000-7000-8000-000000000cc1', '2026-W47-t1-trh-abc', '00000000-0000-7000-8000-000000000ed1', member_id,
             store_id, 'cs', 'catalogs/x.pdf', '\\xab', 2, 6, '[]', '2026-11-15' from member, store;
"""

A_RUN = """
    insert into catalog_run (catalog_run_id, run_code, name, theme, size, channels, valid_from, valid_to, hold_out, state, made_by, made_at)
      values ('00000000-0000-7000-8000-0000000000ca', '2026-W47-1', 'Advent', 'trh', 'A4', '{print}', '2026-11-16', '2026-11-30',
              0.1, 'draft', 'mara', '2026-11-15')
"""
OF_RIGHT_OFFER = f"""{A_RUN.rstrip()};
    insert into reaction (member_id, account_id, recorded_at, channel, actor, reaction, scope, offer_code)
      select member_id, account_id, '2026-11-22 10:00+00', 'desk', 'dana', 'never', 'item', 'TEA10' from member;
    insert into reaction (member_id, account_id, card_number, recorded_at, channel, actor, reaction, scope, sku, takes_back)
      select member_id, account_id, card_number, '2026-11-22 11:00+00', 'account', 'M1', 'taken_back', scope, sku, reaction_id
      from reaction where sku = 'tea';
    insert into reaction (member_id, account_id, recorded_at, channel, actor, reaction, scope, sku)
      select member_id, account_id, '2026-11-22 12:00+00', 'desk', 'dana', 'not_now', 'item', 'tea' from member;
    insert into member_case (case_id, case_number, member_id, kind, channel, text, state, opened_at, opened_by)
      select '00000000-0000-7000-8000-0000000000a5', '1001', member_id, 'complaint', 'desk', 'stale', 'open', '2026-11-22', 'dana'
      from member;
    insert into outgoing_mail (mail_id, member_id, kind, source, purpose, urgency, language, recipient, subject, text,
        attachments, queued_at, not_before, state)
      select '00000000-0000-7000-8000-0000000000a6', member_id, 'thanks', 'x', 'service', 1, 'cs', 'z@example.com', 'Hi', 'Hi',
             '[]', '2026-11-22', '2026-11-22', 'queued' from member;
    insert into article_price (article_id, price, valid_from) select article_id, 4990, '2026-11-01' from article;
    insert into article_stock (store_id, article_id, quantity, counted_at) select store_id, article_id, 3, '2026-11-22' from store, article;
    insert into edition (edition_id, edition_code, run_id, group_id, group_name, theme, valid_from, valid_to, created_at, content,
        catalog_run_id)
      select '00000000-0000-7000-8000-000000000ed2', edition_code || '-r1', run_id, group_id, group_name, theme, valid_from, valid_to,
             created_at, content, '00000000-0000-7000-8000-0000000000ca' from edition;
"""


class TestRightOffer:
    """0005."""

    TABLES = (*TABLES, "reaction", "contact", "analysis_run", "edition", "catalog_copy")

    @pytest.fixture
    def old(self, database_url: str, owner_engine: Engine) -> Engine:
        command.downgrade(_config(database_url), "0004")
        with owner_engine.begin() as owner:
            for part in (OLD, OF_OFFERS, OF_ANALYSIS, BEFORE_RUNS):
                for statement in part.strip().removesuffix(";").split(";\n"):
                    owner.exec_driver_sql(statement)
        return owner_engine

    def test_leaves_what_was_there_as_it_was_and_lets_it_be_worked_with(self, old: Engine, database_url: str):
        columns: dict[str, Any] = {}
        before = rows(old, columns, self.TABLES)
        command.upgrade(_config(database_url), "head")
        assert rows(old, columns, self.TABLES) == before
        engine = make_engine(database_url)
        sessions = make_sessions(engine)
        assert [one.code for one in verify(sessions, (*CHECKS, *OF_REWARDS)) if not one.ok] == []
        with sessions.begin() as session:
            account, member = session.execute(text("select account_id, member_id from member")).one()
            (refused,) = refusals_of(session, {member: account}, now=NOW).values()
            tea = session.scalar(text("select article_id from article where sku = 'tea'"))
            assert refused.cover(tea, None), "what was refused before is refused still"
            edition = session.get(Edition, UUID("00000000-0000-7000-8000-000000000ed1"))
            assert opened(edition).plan.categories == ("TEA",)
        engine.dispose()
        command.downgrade(_config(database_url), "0004")
        assert rows(old, columns, self.TABLES) == before

    def test_goes_back_from_what_only_it_knows(self, old: Engine, database_url: str):
        command.upgrade(_config(database_url), "head")
        with old.begin() as owner:
            for statement in OF_RIGHT_OFFER.strip().removesuffix(";").split(";\n"):
                owner.exec_driver_sql(statement)
        command.downgrade(_config(database_url), "0004")
        with old.begin() as owner:
            told = owner.exec_driver_sql("select reaction, sku from reaction order by recorded_at").all()
            assert told == [("not_now", "tea")], "what was taken back is gone with what took it back"
        command.upgrade(_config(database_url), "head")


class TestClosingRanks:
    """0006."""

    TABLES = (
        *TestRightOffer.TABLES,
        "outgoing_mail",
        "member_case",
        "article_price",
        "article_stock",
        "catalog_run",
    )

    @pytest.fixture
    def old(self, database_url: str, owner_engine: Engine) -> Engine:
        command.downgrade(_config(database_url), "0004")
        with owner_engine.begin() as owner:
            for part in (OLD, OF_OFFERS, OF_ANALYSIS, BEFORE_RUNS):
                for statement in part.strip().removesuffix(";").split(";\n"):
                    owner.exec_driver_sql(statement)
        command.upgrade(_config(database_url), "0005")
        with owner_engine.begin() as owner:
            for statement in OF_RIGHT_OFFER.strip().removesuffix(";").split(";\n"):
                owner.exec_driver_sql(statement)
        return owner_engine

    def test_leaves_what_was_there_as_it_was_and_goes_back_from_what_only_it_knows(
        self, old: Engine, database_url: str
    ):
        columns: dict[str, Any] = {}
        before = rows(old, columns, self.TABLES)
        added = ("outgoing_mail", "member_case", "article_price", "article_stock", "catalog_run")
        assert all(before[table] for table in added), "each new table has a row that could be lost"
        command.upgrade(_config(database_url), "head")
        assert rows(old, columns, self.TABLES) == before
        engine = make_engine(database_url)
        assert [one.code for one in verify(make_sessions(engine), (*CHECKS, *OF_REWARDS)) if not one.ok] == []
        engine.dispose()
        with old.begin() as owner:
            owner.exec_driver_sql(
                "insert into ranking_trees (kind, as_of, settings, trees, learnt_at) values ('all', '2026-11-22', '{}', 'tree', now())"
            )
        command.downgrade(_config(database_url), "0005")
        assert rows(old, columns, self.TABLES) == before
        command.upgrade(_config(database_url), "head")


class TestFinish:
    """0007."""

    TABLES = (*TestClosingRanks.TABLES, "ranking_trees", "article")

    @pytest.fixture
    def old(self, database_url: str, owner_engine: Engine) -> Engine:
        command.downgrade(_config(database_url), "0004")
        with owner_engine.begin() as owner:
            for part in (OLD, OF_OFFERS, OF_ANALYSIS, BEFORE_RUNS):
                for statement in part.strip().removesuffix(";").split(";\n"):
                    owner.exec_driver_sql(statement)
        command.upgrade(_config(database_url), "0006")
        with owner_engine.begin() as owner:
            for statement in OF_RIGHT_OFFER.strip().removesuffix(";").split(";\n"):
                owner.exec_driver_sql(statement)
            owner.exec_driver_sql(
                "insert into ranking_trees (kind, as_of, settings, trees, learnt_at) values ('all', '2026-11-22', '{}', 'tree', now())"
            )
        return owner_engine

    def test_leaves_what_was_there_as_it_was_and_goes_back_from_what_only_it_knows(
        self, old: Engine, database_url: str
    ):
        columns: dict[str, Any] = {}
        before = rows(old, columns, self.TABLES)
        assert all(before[table] for table in ("ranking_trees", "article")), (
            "each has a row that could be lost"
        )
        command.upgrade(_config(database_url), "head")
        assert rows(old, columns, self.TABLES) == before
        engine = make_engine(database_url)
        assert [one.code for one in verify(make_sessions(engine), (*CHECKS, *OF_REWARDS)) if not one.ok] == []
        engine.dispose()
        with old.begin() as owner:
            owner.exec_driver_sql(
                "insert into consent_request (request_id, member_id, purposes, email_sha256, text_version, source, asked_at, valid_until) "
                "select gen_random_uuid(), member_id, array['offers'], '', '1', 'desk', now(), now() from member limit 1"
            )
            owner.exec_driver_sql(
                "insert into article_code (code, article_id, set_by, set_at) select 'T-34', article_id, 'eva', now() from article limit 1"
            )
        command.downgrade(_config(database_url), "0006")
        assert rows(old, columns, self.TABLES) == before
        command.upgrade(_config(database_url), "head")


class TestSwiftTills:
    """0008."""

    def test_leaves_what_was_there_as_it_was_both_ways(self, database_url: str, owner_engine: Engine):
        command.downgrade(_config(database_url), "0007")
        columns: dict[str, Any] = {}
        before = rows(owner_engine, columns, TestFinish.TABLES)
        command.upgrade(_config(database_url), "head")
        assert rows(owner_engine, columns, TestFinish.TABLES) == before
        command.downgrade(_config(database_url), "0007")
        command.upgrade(_config(database_url), "head")


class TestOneLook:
    """0009."""

    def test_leaves_what_was_there_as_it_was_both_ways(self, database_url: str, owner_engine: Engine):
        command.downgrade(_config(database_url), "0008")
        columns: dict[str, Any] = {}
        before = rows(owner_engine, columns, TestFinish.TABLES)
        command.upgrade(_config(database_url), "head")
        assert rows(owner_engine, columns, TestFinish.TABLES) == before
        command.downgrade(_config(database_url), "0008")
        command.upgrade(_config(database_url), "head")


class TestHomeCountries:
    """0010."""

    def test_lets_runs_that_were_there_go_to_all_countries(self, database_url: str, owner_engine: Engine):
        command.downgrade(_config(database_url), "0009")
        with owner_engine.begin() as owner:
            owner.exec_driver_sql(A_RUN)
        columns: dict[str, Any] = {}
        before = rows(owner_engine, columns, TestFinish.TABLES)
        assert before["catalog_run"], "a run that could be lost"
        command.upgrade(_config(database_url), "head")
        assert rows(owner_engine, columns, TestFinish.TABLES) == before
        with owner_engine.begin() as owner:
            assert owner.exec_driver_sql("select distinct countries from catalog_run").all() == [([],)]
            owner.exec_driver_sql("update catalog_run set countries = '{CZ}'")
        command.downgrade(_config(database_url), "0009")
        assert rows(owner_engine, columns, TestFinish.TABLES) == before

    def test_writes_a_country_s_code_in_capitals(self, database_url: str, owner_engine: Engine):
        command.downgrade(_config(database_url), "0009")
        with owner_engine.begin() as owner:
            owner.exec_driver_sql(
                "insert into store (store_code, name, currency, timezone, country)"
                " select 'C' || place, 'x', 'CZK', 'UTC', country"
                " from unnest(array['cz', 'CZ', 'Nederland', null]) with ordinality as one (country, place)"
            )
            owner.exec_driver_sql(
                "insert into barcode_layout (country, pattern, holds, decimals, article_by, set_by, set_at)"
                " select country, pattern, 'weight', 3, 'sku', country, now()"
                " from unnest(array['cz', 'CZ', 'Cz'], array['28IIIIIVVVVVC', '28IIIIIVVVVVC', '29IIIIIVVVVVC'])"
                " as one (country, pattern)"
            )
        command.upgrade(_config(database_url), "head")
        with owner_engine.connect() as owner:
            stores = owner.exec_driver_sql(
                "select country from store where store_code ~ '^C' order by store_code"
            )
            assert stores.scalars().all() == ["CZ", "CZ", "Nederland", None]
            layouts = owner.exec_driver_sql(
                "select country, pattern, set_by from barcode_layout order by pattern"
            )
            assert layouts.all() == [("CZ", "28IIIIIVVVVVC", "CZ"), ("CZ", "29IIIIIVVVVVC", "Cz")]


class TestOneOpening:
    """0011."""

    def test_leaves_what_was_there_as_it_was_both_ways(self, database_url: str, owner_engine: Engine):
        command.downgrade(_config(database_url), "0010")
        columns: dict[str, Any] = {}
        before = rows(owner_engine, columns, TestFinish.TABLES)
        command.upgrade(_config(database_url), "head")
        assert rows(owner_engine, columns, TestFinish.TABLES) == before
        command.downgrade(_config(database_url), "0010")
        command.upgrade(_config(database_url), "head")
