"""Mail servers that speak TLS, with a certificate that nobody but us trusts."""

from dataclasses import replace
from pathlib import Path

import pytest

from contacts.mail_servers import MailServer, NoMailServer, ServerDown
from core.database import Sessions
from tests.contacts.mailing import House
from tests.mail_servers import CERTIFICATE, Sink, listening


@pytest.fixture
def house(sessions: Sessions, tmp_path: Path) -> House:
    return House(sessions, tmp_path)


@pytest.mark.parametrize("security", ["starttls", "smtps"])
class TestTls:
    def test_takes_mail_with_user_and_password(self, house: House, security: str):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink(security=security)) as sink:
            house.post(sink.server).drain()
        assert sink.taken == {"anna@example.org": 1}
        assert house.states() == ["sent"]

    def test_gets_nothing_where_the_certificate_is_not_trusted(self, house: House, security: str):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink(security=security)) as sink:
            stranger = replace(sink.server, ca_file=None)
            with pytest.raises(ServerDown, match="certificate verify failed"):
                stranger.connect()
        assert sink.taken.total() == 0
        assert house.states() == ["queued"]

    def test_gets_nothing_where_the_password_is_wrong(self, house: House, security: str):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink(security=security)) as sink, pytest.raises(ServerDown):
            replace(sink.server, password="other").connect()
        assert house.states() == ["queued"]


class TestMailServer:
    def test_names_whom_to_trust_as_well(self):
        server = MailServer.at(f"smtps://mail.example?ca={CERTIFICATE}")
        assert (server.host, server.port, server.ca_file) == ("mail.example", 465, str(CERTIFICATE))
        assert MailServer.at("smtps://mail.example").ca_file is None

    def test_refuses_certificates_that_are_not_there(self, tmp_path: Path):
        with pytest.raises(NoMailServer):
            MailServer.at(f"smtps://mail.example?ca={tmp_path / 'none.pem'}")
