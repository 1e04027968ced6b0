"""
A demonstration's members many times over, by SQL alone: so many that a run makes as many copies as are asked for.

Each of the new members has a name put together of two others', a card, points and e-mail address of their own, and
else what one member of the demonstration has: store, group, consents, ranked lists, and the receipts of some weeks.
"""

from collections.abc import Callable, Mapping
from typing import Final

import psycopg
from psycopg import sql

OWN_ID: Final = "md5({}::text || again.number)::uuid"
CARD: Final = """
    (select digits || (10 - sum(substr(digits, place, 1)::integer * case when place %% 2 = 0 then 3 else 1 end) %% 10) %% 10
     from (values ('27' || lpad((again.number * 100000 + dense.place)::text, 10, '0'))) as one (digits),
          generate_series(1, 12) as place group by digits)
"""
FRESH: Final[Mapping[str, Mapping[str, str]]] = {
    "account": {"account_id": OWN_ID.format("account_id"), "household_code": "null"},
    "member": {
        "member_id": OWN_ID.format("member_id"),
        "account_id": OWN_ID.format("account_id"),
        "member_code": "member_code || '-' || again.number",
        "family_name": "(select other.family_name from dense as other where other.language = original.language"
        " and other.turn = (dense.turn + again.number * 37) %% dense.turns)",
        "email": "again.number || '.' || email",
    },
    "card": {
        "card_number": CARD,
        "account_id": OWN_ID.format("account_id"),
        "member_id": OWN_ID.format("original.member_id"),
        "replaced_by": "null",
    },
    "consent": {"member_id": OWN_ID.format("member_id")},
    "group_membership": {"member_id": OWN_ID.format("member_id")},
    "member_offers": {"member_id": OWN_ID.format("member_id")},
    "balance": {
        "account_id": OWN_ID.format("account_id"),
        "points": "points + again.number * 7",
        "moved_to": "null",
    },
    "tier_standing": {"account_id": OWN_ID.format("account_id")},
    "receipt": {
        "receipt_id": OWN_ID.format("receipt_id"),
        "account_id": OWN_ID.format("account_id"),
        "member_id": OWN_ID.format("member_id"),
        "receipt_number": "receipt_number || '-' || again.number",
        "card_number": "null",
        "original_receipt_id": "null",
    },
    "receipt_line": {"receipt_id": OWN_ID.format("receipt_id")},
}
"""By table, in the order of their references, what a new member's rows have of their own."""

ONLY: Final[Mapping[str, str]] = {
    "card": "join dense using (member_id) where state = 'active'",
    "member": "join dense using (member_id)",
    "group_membership": "where run_id = (select run_id from served_run)",
    "member_offers": "where run_id = (select run_id from served_run)",
    "receipt": "where business_date > (select max(business_date) from receipt) - %(days)s and account_id is not null",
    "receipt_line": "join receipt using (business_date, receipt_id)"
    " where original.business_date > (select max(business_date) from receipt) - %(days)s and receipt.account_id is not null"
    " and position('-' in receipt.receipt_number) = 0",
}

DENSE: Final = """
    create temporary table dense as
    select member_id, language, family_name, row_number() over (order by member_id) as place,
           row_number() over (partition by language order by member_id) - 1 as turn,
           count(*) over (partition by language) as turns
    from member;
    create unique index on dense (language, turn);
    analyze dense
"""


def multiply(url: str, *, times: int, days: int, say: Callable[[str], None]) -> None:
    """Let there be `times` as many members as the demonstration at `url` has, with the receipts of its last `days`."""
    with psycopg.connect(url) as connection:
        # References hold by construction; to look each up would take longer than to write them.
        connection.execute("set session_replication_role = replica")
        connection.execute(DENSE)
        for table in FRESH:
            cursor = connection.execute(_copied(connection, table), {"times": times, "days": days})
            say(f"{table}: {cursor.rowcount:,} rows more")
        connection.execute(
            "update shopper_group set members = members * %(times)s where run_id = (select run_id from served_run)",
            {"times": times},
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _copied(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> sql.Composed:
    """Return the statement that writes the new members' rows of a table."""
    found = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attidentity = '' and attgenerated = '' order by attnum",
        (table,),
    )
    columns = [str(row[0]) for row in found]
    values = [
        sql.SQL(FRESH[table][column]) if column in FRESH[table] else sql.Identifier("original", column)
        for column in columns
    ]
    return sql.SQL(
        "insert into {table} ({columns}) select {values}"
        " from {table} as original cross join generate_series(1, %(times)s - 1) as again (number) {only}"
    ).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        only=sql.SQL(ONLY.get(table, "")),
    )
