"""What the database itself holds copies to."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.catalogs.run import Run


@pytest.mark.usefixtures("at_home", "in_november")
class TestArchive:
    def test_never_gives_a_copy_away(self, run: Run):
        run.make()
        with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
            session.execute(text("delete from catalog_copy"))

    def test_keeps_what_was_sent_as_it_was(self, run: Run):
        run.make()
        run.take(run.ask("print"))
        for change in ("path = 'x', version = version + 1", "sha256 = ''", "state = 'made', sent_at = null"):
            with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
                session.execute(text(f"update catalog_copy set {change}"))

    def test_lets_unsent_copies_only_become_their_next_version(self, run: Run):
        run.make()
        with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
            session.execute(text("update catalog_copy set sha256 = 'x'"))
