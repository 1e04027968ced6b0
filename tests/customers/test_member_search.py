"""Whoever stands at the desk is found by what they have in hand, without a look at everybody else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import event, insert, text

from core.database import make_engine, make_sessions
from core.driver import driver_of
from core.keyset import Ask
from customers.member_lists import find_members, list_members
from customers.models import Account, Card, Member

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CARD = "2990000000017"
PEOPLE = (
    # code, given name, family name, e-mail, phone
    ("M1", "Eva", "Nováková", "eva@example.org", "+420600123456"),
    ("M2", "Nora", "Evans", None, "+421905123456"),
    ("600123456", "Jan", "Čapek", "JAN@example.org", None),
    ("M4", "Anna Marie", "de la Cruz", None, None),
)


def house(session, *, others: int = 0):
    accounts, members = [], []
    for number, (code, given, family, email, phone) in enumerate(
        (
            *PEOPLE,
            *((f"X{n}", f"Given{n}", f"Family{n}", f"x{n}@example.org", f"+48{n:09}") for n in range(others)),
        )
    ):
        own = UUID(int=number + 1)
        accounts.append({"account_id": own, "opened_at": NOW})
        members.append(
            {
                "member_id": own,
                "member_code": code,
                "account_id": own,
                "given_name": given,
                "family_name": family,
                "email": email,
                "phone": phone,
                "language": "cs",
                "joined_on": NOW.date(),
            }
        )
    session.execute(insert(Account), accounts)
    session.execute(insert(Member), members)
    session.execute(
        insert(Card).values(
            card_number=CARD, state="active", account_id=UUID(int=1), member_id=UUID(int=1), created_at=NOW
        )
    )


@pytest.fixture
def session(sessions):
    with sessions.begin() as session:
        house(session)
        yield session


def codes(session, words, **kw):
    return [row.member_code for row in find_members(session, words, **kw)]


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (CARD, ["M1"]),
            ("299 0000-000017", ["M1"]),
            ("M2", ["M2"]),
            ("eva@EXAMPLE.org", ["M1"]),
            ("jan@example.org", ["600123456"]),
            ("+420 600 123 456", ["M1"]),
            ("00420600123456", ["M1"]),
            ("123456", ["M2", "M1"]),
            ("23456", []),
            ("eva", ["M2", "M1"]),
            ("nov eva", ["M1"]),
            ("eva nov", ["M1"]),
            ("ČAP", ["600123456"]),
            ("de la cr", ["M4"]),
            ("anna mar", ["M4"]),
            ("Anna Marie de la", ["M4"]),
            ("de la Cruz Anna", ["M4"]),
            ("cruz", []),
            ("ev_", []),
            ("ev%", []),
        ],
    )
    def test_finds_by_what_somebody_has_in_hand(self, session, words, found):
        assert codes(session, words) == found

    def test_takes_a_code_that_is_somebodys_own_before_a_number_that_only_ends_so(self, session):
        assert codes(session, "600123456") == ["600123456"]

    def test_knows_those_without_a_name_by_card_and_code_alone(self, session):
        assert codes(session, CARD, names=False) == codes(session, "M1", names=False) == ["M1"]
        for words in ("eva", "eva@example.org", "+420600123456"):
            assert codes(session, words, names=False) == []

    def test_finds_the_same_in_the_list(self, session):
        page = list_members(session, Ask(sort="name", words="eva", limit=1))
        assert ([row.member_code for row in page.rows], page.total) == (["M2"], 2)
        page = list_members(session, Ask(sort="name", words="eva", limit=1, after=page.following))
        assert [row.member_code for row in page.rows] == ["M1"]


@pytest.fixture(scope="class")
def plans(make_database):
    """Return how the database goes about the questions of a call that touch members."""
    engine = make_engine(make_database(), role=None)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        house(session, others=4000)
        session.execute(text("analyze account, member, card"))
    asked: list[tuple] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, values, *_rest):
        asked.append((statement, values))

    def plans(call) -> list[str]:
        with sessions() as session:
            asked.clear()
            call(session)
            return [
                "\n".join(row[0] for row in driver_of(session).execute(f"explain {statement}", values))
                for statement, values in asked.copy()
                if not statement.startswith("SELECT count")
            ]

    yield plans
    engine.dispose()


class TestPlans:
    """In a house of some thousands, with the database as it is set."""

    @pytest.mark.parametrize(
        "words", [CARD, "M2", "eva@example.org", "+420600123456", "600123", "nov", "ev no"]
    )
    def test_of_a_search_look_at_nobody_else(self, plans, words):
        made = plans(lambda session: find_members(session, words))
        assert made
        for plan in made:
            assert "Seq Scan on member" not in plan, plan

    @pytest.mark.parametrize("sort", ["name", "joined_on", "member_code"])
    @pytest.mark.parametrize("descending", [False, True])
    def test_of_a_page_of_members_walk_an_index(self, plans, sort, descending):
        def turn(session):
            ask = Ask(sort=sort, descending=descending, limit=20)
            list_members(session, ask.following(list_members(session, ask).following, limit=20))

        made = plans(turn)
        assert len(made) == 2
        for plan in made:
            assert "Seq Scan on member" not in plan, plan
            assert "  Sort  " not in plan, plan
