"""
One schema, said three times: by the models, by the migrations, and by `tests/schema.sql`.

The dump is read from PostgreSQL's catalogues in an order and a spelling of our own, so that it is the
same on every version from 15 on, and a review sees what a migration changes.
"""

import difflib
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, text

from core.database import APP_ROLE, Base, _config

ROOT = Path(__file__).parent.parent
COMMITTED = ROOT / "tests" / "schema.sql"

for room in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]:
    import_module(f"{room}.models")

OURS = """
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relname <> 'alembic_version' and not c.relispartition
"""

TABLES = f"""
    select c.oid, c.relname, coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')
    {OURS} and c.relkind in ('r', 'p') order by c.relname
"""

COLUMNS = """
    select attname || ' ' || format_type(atttypid, atttypmod)
      || case attidentity when 'a' then ' GENERATED ALWAYS AS IDENTITY' when 'd' then ' GENERATED AS IDENTITY' else '' end
      || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
      || case when attnotnull then ' NOT NULL' else '' end
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = :oid and attnum > 0 and not attisdropped order by attnum
"""

CONSTRAINTS = """
    select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where conrelid = :oid and contype in ('c', 'f', 'p', 'u', 'x') order by conname
"""

INDEXES = """
    select pg_get_indexdef(indexrelid) from pg_index
    where indrelid = :oid and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
    order by 1
"""

TRIGGERS = """
    select pg_get_triggerdef(oid) from pg_trigger where tgrelid = :oid and not tgisinternal order by 1
"""

PARTITIONS = """
    select c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) from pg_inherits join pg_class c on c.oid = inhrelid
    where inhparent = :oid order by 1
"""

GRANTS = """
    select string_agg(privilege_type, ', ' order by privilege_type)
    from pg_class, aclexplode(relacl) where pg_class.oid = :oid and grantee = :role ::regrole
"""

FUNCTIONS = """
    select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' order by p.proname
"""


def dump(connection: Connection) -> str:
    """Return the schema as text."""
    lines: list[str] = []
    for oid, name, partitioning in connection.execute(text(TABLES)).all():

        def read(query: str, oid: int = oid) -> list[str]:
            return list(connection.scalars(text(query), {"oid": oid}))

        lines += ["", f"TABLE {name}{partitioning}"]
        lines += [f"  {line}" for query in (COLUMNS, CONSTRAINTS) for line in read(query)]
        lines += [
            line.replace(" ON public.", " ON ") for query in (INDEXES, TRIGGERS) for line in read(query)
        ]
        lines += [f"PARTITION {line}" for line in read(PARTITIONS)]
        granted = connection.scalar(text(GRANTS), {"oid": oid, "role": APP_ROLE})
        lines += [f"GRANT {granted or 'nothing'} TO {APP_ROLE}"]
    for definition in connection.scalars(text(FUNCTIONS)):
        lines += ["", *definition.strip().splitlines()]
    return "\n".join(lines).strip() + "\n"


@pytest.fixture
def connection(owner_engine: Engine):
    with owner_engine.connect() as connection:
        yield connection


class TestModels:
    def test_are_what_the_migrations_make(self, connection: Connection):
        def ours(thing, name, kind, _reflected, _compared):
            return not (kind == "table" and name.rpartition("_")[2].isdigit()) and name not in {
                "receipt_default",
                "receipt_line_default",
                "decision_default",
            }

        options = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []

    def test_state_the_checks_that_the_migrations_make(self, connection: Connection):
        """Autogenerate does not look at checks."""
        made = set(
            connection.scalars(
                text(
                    "select conname from pg_constraint join pg_class c on c.oid = conrelid "
                    "where contype = 'c' and connamespace = 'public'::regnamespace and not c.relispartition"
                )
            )
        )
        stated = {
            constraint.name
            for table in Base.metadata.tables.values()
            for constraint in table.constraints
            if isinstance(constraint, sqlalchemy.CheckConstraint)
        }
        assert stated == made


class TestMigrations:
    def test_make_the_schema_that_was_reviewed(self, connection: Connection, tmp_path: Path):
        made = dump(connection)
        fresh = tmp_path / "schema.sql"
        fresh.write_text(made, encoding="utf-8")
        committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
        changes = "\n".join(difflib.unified_diff(committed.splitlines(), made.splitlines(), lineterm="", n=1))
        assert not changes, f"if this is meant: cp {fresh} {COMMITTED}"

    def test_go_down_and_up_again_to_the_same_schema(self, owner_engine: Engine, database_url: str):
        with owner_engine.connect() as connection:
            before = dump(connection)
        command.downgrade(_config(database_url), "base")
        with owner_engine.connect() as connection:
            assert dump(connection) == "\n"
        command.upgrade(_config(database_url), "head")
        with owner_engine.connect() as connection:
            assert dump(connection) == before


class TestLedger:
    TABLES = ("ledger_entry", "ledger_leg", "audit_event")

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("change", ["update {} set {} = {}", "delete from {}", "truncate {} cascade"])
    def test_cannot_be_changed_by_anybody(
        self, engine: Engine, owner_engine: Engine, table: str, change: str
    ):
        column = {"ledger_entry": "note", "ledger_leg": "points", "audit_event": "actor"}[table]
        statement = change.format(table, column, column)
        with (
            engine.connect() as application,
            pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"),
        ):
            application.execute(text(statement))
        with (
            owner_engine.connect() as owner,
            pytest.raises(sqlalchemy.exc.IntegrityError, match="append-only"),
        ):
            owner.execute(text(statement))

    def test_takes_no_entry_whose_legs_do_not_sum_to_zero(self, owner_engine: Engine):
        with (
            owner_engine.connect() as owner,
            pytest.raises(sqlalchemy.exc.IntegrityError, match="do not sum to zero"),
        ):
            owner.execute(
                text(
                    "with a as (insert into account values (gen_random_uuid(), null, now()) returning account_id), "
                    "e as (insert into ledger_entry (entry_id, account_id, reason, business_date, booked_at) "
                    "select gen_random_uuid(), account_id, 'earn', '2026-11-21', now() from a returning *) "
                    "insert into ledger_leg select entry_id, 1, account_id, 'issued', null, null, -5 from e"
                )
            )


class TestApplicationRole:
    def test_owns_nothing(self, connection: Connection):
        owned = text("select count(*) from pg_class where relowner = 'regulars_app'::regrole")
        assert connection.scalar(owned) == 0

    def test_cannot_change_the_schema(self, engine: Engine):
        with engine.connect() as application, pytest.raises(sqlalchemy.exc.ProgrammingError):
            application.execute(text("create table mine ()"))
