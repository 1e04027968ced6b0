"""Mail that is agreed to twice, at its three places: the desk, the link's page, and the customer's own choices."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from contacts.confirmations import confirm_path
from contacts.models import ConsentRequest, OutgoingMail
from contacts.unsubscribing import signing_key
from core import clock
from customers.consents import agrees
from customers.models import Member

FORM = {"purpose": "surveys", "channel": "email", "granted": "yes"}


@pytest.fixture
def desk(visit, house):
    """Decide at the desk about the first member, who has an address."""
    visitor, page = visit("desk"), f"/members/{house.members[0]}"

    def decide(**changes: str) -> int:
        return visitor.post(f"{page}/consents", FORM | changes, page=f"{page}?tab=profile").status_code

    decide.shown = lambda: visitor.get(f"{page}?tab=profile").get_data(as_text=True)
    return decide


@pytest.fixture
def addressed(app, house) -> None:
    with app.extensions["web"].sessions.begin() as session:
        session.execute(
            update(Member).where(Member.member_id == house.members[0]).values(email="member0@example.org")
        )


def agreed(app, house, purpose: str = "surveys", channel: str = "email") -> bool:
    with app.extensions["web"].sessions() as session:
        return agrees(session, member_id=house.members[0], purpose=purpose, channel=channel)


def link(app) -> str:
    """Return the address in the newest mail that asks."""
    with app.extensions["web"].sessions() as session:
        newest = select(ConsentRequest.request_id).order_by(ConsentRequest.asked_at.desc()).limit(1)
        return confirm_path(signing_key(session), session.scalars(newest).one())


@pytest.mark.usefixtures("addressed")
class TestDesk:
    def test_asks_the_mailbox_before_it_is_written_to(self, app, house, desk):
        assert desk() == 303
        assert not agreed(app, house)
        page = desk.shown()
        assert "Waits for the mailbox" in page
        assert "A mail asks the mailbox." in page
        with app.extensions["web"].sessions() as session:
            mail = session.scalars(
                select(OutgoingMail).where(OutgoingMail.kind == "consent_confirmation")
            ).one()
        assert link(app) in (mail.text or "")

    def test_keeps_what_needs_no_mailbox_and_every_withdrawal_at_once(self, app, house, desk):
        assert desk(channel="phone") == 303
        assert agreed(app, house, channel="phone")
        assert desk(channel="phone", granted="no") == 303
        assert not agreed(app, house, channel="phone")

    @pytest.mark.parametrize("wrong", [{"purpose": "spam"}, {"channel": "fax"}, {"channel": ""}])
    def test_knows_what_may_be_asked(self, desk, wrong):
        assert desk(**wrong) == 422

    def test_is_the_only_one_who_decides(self, visit, house):
        page = f"/members/{house.members[0]}"
        assert "/consents" not in visit("auditor").get(f"{page}?tab=profile").get_data(as_text=True)


@pytest.mark.usefixtures("addressed")
class TestLink:
    def test_asks_first_and_agrees_by_its_button_alone(self, app, house, desk):
        desk(purpose="catalog")
        stranger, address = app.test_client(), link(app)
        asked = stranger.get(address).get_data(as_text=True)
        assert "May we write to you?" in asked
        assert not agreed(app, house, "catalog"), "scanners open every link"
        assert re.search(rf'action="{address}"', asked)
        answer = stranger.post(address)
        assert answer.status_code == 200
        assert "Thank you, it is confirmed" in answer.get_data(as_text=True)
        assert agreed(app, house, "catalog")

    def test_says_when_it_is_over(self, app, house, desk):
        desk(purpose="offers")
        address = link(app)
        with app.extensions["web"].sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == house.members[0]).values(email="new@example.org")
            )
        over = app.test_client().post(address).get_data(as_text=True)
        assert "This link does not work any more" in over
        assert "Your e-mail address or your choice has changed" in over

    def test_says_until_when_it_worked(self, app, house, desk, monkeypatch):
        desk(purpose="offers")
        address = link(app)
        later = clock.now() + timedelta(days=8)
        monkeypatch.setattr("web.screens.confirm.now", lambda: later)
        over = app.test_client().post(address).get_data(as_text=True)
        assert "It worked until" in over
        assert not agreed(app, house, "offers")

    @pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "a" * 2000])
    def test_of_another_make_is_not_found(self, app, house, token):
        answer = app.test_client().get(f"/confirm/{token}")
        assert answer.status_code == 404
        page = answer.get_data(as_text=True)
        assert "This link is not complete" in page or "This page is not here" in page
        assert "members, receipts" not in page, "customers search nothing"
        assert app.test_client().post(f"/confirm/{token}").status_code in {404, 405}

    def test_is_shown_to_nobody_of_us(self, app, visit, house, desk):
        desk()
        with app.extensions["web"].sessions() as session:
            mail = session.scalars(
                select(OutgoingMail.mail_id).where(OutgoingMail.kind == "consent_confirmation")
            ).first()
        assert "/confirm/" not in visit("administrator").get(f"/outbox/{mail}").get_data(as_text=True)
        assert "/confirm/" not in desk.shown()


@pytest.fixture(autouse=True)
def unasked(app, house) -> None:
    """Every test begins with nothing asked and nothing agreed to."""
    with app.extensions["web"].sessions.begin() as session:
        session.execute(
            text(
                "insert into consent (member_id, purpose, channel, granted, text_version, source, recorded_at)"
                " select :member, purpose, 'email', false, '1', 'test', :now"
                " from unnest(array['offers', 'catalog', 'surveys']) as purpose"
            ),
            {"member": house.members[0], "now": clock.now()},
        )
