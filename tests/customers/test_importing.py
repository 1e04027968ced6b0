from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from core.progress import silent
from customers.importing import import_members
from customers.models import Account, Card, Consent, Member
from customers.operations import issue_cards

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
HEADER = (
    "member_code,given_name,family_name,email,phone,language,card_number,household_code,consents,joined_on\n"
)
CARD = "2990000000019"
OTHER = "2990000000026"


@pytest.fixture
def members(sessions, tmp_path):
    def take(*rows, header=HEADER):
        path = tmp_path / "members.csv"
        path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
        with sessions.begin() as session:
            summary = import_members(session, path, now=NOW, actor="test", report=silent)
        return summary.read, summary.written, summary.unchanged, summary.refused

    return take


def reason(folder):
    return (folder / "members.csv.refused.csv").read_text(encoding="utf-8").splitlines()[1]


def one(sessions, code="M1"):
    with sessions() as session:
        return session.scalars(select(Member).where(Member.member_code == code)).one()


class TestImportMembers:
    FULL = f"M1,Žofie,Nováková,Zofie@Example.COM,602 123 456,cs,{CARD},H1,email:offers print:catalog profiling,2025-01-31"

    def test_enrols_with_card_account_and_consents(self, members, sessions):
        assert members(self.FULL) == (1, 1, 0, 0)
        member = one(sessions)
        assert (member.email, member.phone, member.language) == ("Zofie@example.com", "+420602123456", "cs")
        assert (member.role, member.joined_on) == ("owner", date(2025, 1, 31))
        with sessions() as session:
            card = session.get_one(Card, CARD)
            assert (card.state, card.member_id, card.account_id) == (
                "active",
                member.member_id,
                member.account_id,
            )
            assert session.get_one(Account, member.account_id).household_code == "H1"
            given = {(row.purpose, row.channel) for row in session.scalars(select(Consent))}
        assert given == {("offers", "email"), ("catalog", "print"), ("profiling", None)}

    def test_changes_nothing_the_second_time(self, members):
        assert members(self.FULL) == (1, 1, 0, 0)
        assert members(self.FULL) == (1, 0, 1, 0)

    def test_keeps_what_an_empty_cell_does_not_state(self, members, sessions):
        members(self.FULL)
        assert members("M1,Žofie,Malá,,,,,,,") == (1, 1, 0, 0)
        member = one(sessions)
        assert (member.family_name, member.phone, member.language) == ("Malá", "+420602123456", "cs")

    def test_never_renews_a_consent_that_was_withdrawn(self, members, sessions):
        members(self.FULL)
        with sessions.begin() as session:
            session.execute(update(Consent).where(Consent.purpose == "offers").values(granted=False))
        assert members(self.FULL) == (1, 0, 1, 0)

    def test_takes_empty_consents_for_none(self, members, sessions):
        assert members("M1,Jan,Malý,,,,,,,") == (1, 1, 0, 0)
        with sessions() as session:
            assert session.scalars(select(Consent)).all() == []
        assert one(sessions).profiling_objected_at is None

    def test_puts_a_household_on_one_account(self, members, sessions):
        assert members("M1,Jan,Malý,,,,,H1,,", "M2,Jana,Malá,,,,,H1,,") == (2, 2, 0, 0)
        assert members("M3,Petr,Malý,,,,,H1,,") == (1, 1, 0, 0)
        found = [one(sessions, code) for code in ("M1", "M2", "M3")]
        assert len({member.account_id for member in found}) == 1
        assert [member.role for member in found] == ["owner", "spender", "spender"]

    def test_takes_over_the_account_of_an_issued_card(self, members, sessions):
        with sessions.begin() as session:
            issue_cards(session, card_numbers=[CARD], now=NOW, actor="test")
            account_id = session.get_one(Card, CARD).account_id
        assert members(self.FULL) == (1, 1, 0, 0)
        assert one(sessions).account_id == account_id

    def test_refuses_an_issued_card_for_somebody_who_has_an_account(self, members, sessions, tmp_path):
        members("M1,Jan,Malý,,,,,,,")
        with sessions.begin() as session:
            issue_cards(session, card_numbers=[CARD], now=NOW, actor="test")
        assert members(self.FULL) == (1, 0, 0, 1)
        assert "account of its own" in reason(tmp_path)

    def test_refuses_another_member_s_card(self, members, tmp_path):
        members(self.FULL)
        assert members(f"M2,Eva,Malá,,,,{CARD},,,") == (1, 0, 0, 1)
        assert "belongs to another member" in reason(tmp_path)

    def test_gives_one_card_of_a_file_to_one_member(self, members):
        assert members(f"M1,Jan,Malý,,,,{CARD},,,", f"M2,Eva,Malá,,,,{CARD},,,") == (2, 1, 0, 1)

    def test_lets_a_member_have_a_second_card(self, members, sessions):
        members(self.FULL)
        assert members(self.FULL.replace(CARD, OTHER)) == (1, 1, 0, 0)
        with sessions() as session:
            assert len(session.scalars(select(Card)).all()) == 2

    @pytest.mark.parametrize(
        "row",
        [
            ",Jan,Malý,,,,,,,",
            "M 1,Jan,Malý,,,,,,,",
            "M1,,Malý,,,,,,,",
            "M1,Jan,Malý,nobody,,,,,,",
            "M1,Jan,Malý,,602 123 456,,,,,",
            "M1,Jan,Malý,,12,cs,,,,",
            "M1,Jan,Malý,,,de,,,,",
            "M1,Jan,Malý,,,,2990000000018,,,",
            "M1,Jan,Malý,,,,,,email,",
            "M1,Jan,Malý,,,,,,offers:email,",
            "M1,Jan,Malý,,,,,,,2027-01-01",
            "M1,Jan,Malý,,,,,,,31.1.2025",
            "M1,Jan,4111 1111 1111 1111,,,,,,,",
        ],
    )
    def test_refuses_what_no_member_can_be(self, members, row):
        assert members(row) == (1, 0, 0, 1)

    def test_checks_companies_by_their_numbers(self, members):
        header = "member_code,given_name,family_name,company_name,company_id,vat_id\n"
        assert members("C1,,,Škoda Auto,00177041,CZ00177041", header=header) == (1, 1, 0, 0)
        assert members("C2,,,Firma,00177042,", "C3,,,Firma,,CZ123", header=header) == (2, 0, 0, 2)
