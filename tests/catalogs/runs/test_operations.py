"""A run from its draft over the second person's word to its end, with real copies."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from catalogs.opening import editions_of_run
from catalogs.runs.handovers import (
    NotPrepared,
)
from catalogs.runs.operations import (
    ChangedSinceProof,
    NotNow,
    OwnRun,
    approve_run,
    cancel_run,
    edit_edition,
    send_back,
    start_run,
)
from tests.catalogs.chain import NOW
from tests.catalogs.run import Run


@pytest.mark.usefixtures("at_home", "in_november")
class TestStates:
    def test_go_from_draft_over_proof_and_approval_to_copies(self, run: Run):
        assert run.view.state == "draft"
        run.prove()
        assert run.view.state == "proofed"
        run.do(approve_run, actor="adam")
        run.do(start_run, actor="mara")
        assert run.view.state == "running"
        assert run.work() == ["completed"]
        assert run.view.state == "finished"
        assert (run.audience.made, run.audience.waiting) == (4, 0)
        assert run.work() == []

    def test_need_another_person_than_the_maker(self, run: Run):
        run.prove()
        with pytest.raises(OwnRun):
            run.do(approve_run, actor="mara")
        assert run.view.state == "proofed"

    def test_are_held_by_the_database_as_well(self, run: Run):
        for change in ("state = 'approved'", "approved_by = made_by, state = 'approved'"):
            with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
                session.execute(text(f"update catalog_run set {change}"))

    def test_start_nothing_that_was_not_approved(self, run: Run):
        with pytest.raises(NotNow):
            run.do(start_run, actor="mara")
        run.prove()
        with pytest.raises(NotNow):
            run.do(start_run, actor="mara")

    def test_go_back_to_the_maker_with_a_word(self, run: Run):
        run.prove()
        run.do(send_back, comment="Too much cheese", actor="adam")
        assert (run.view.state, run.view.comment, run.view.comment_by) == ("draft", "Too much cheese", "adam")
        with pytest.raises(NotNow):
            run.do(approve_run, actor="adam")

    def test_need_another_proof_after_a_change(self, run: Run):
        run.prove()
        with run.chain.sessions.begin() as session:
            (edition,) = editions_of_run(session, run.id)
            edit_edition(session, edition_id=edition.edition_id, plan=edition.plan, actor="mia", now=NOW)
        assert run.view.state == "draft"
        run.prove()
        with pytest.raises(OwnRun):
            run.do(approve_run, actor="mia")
        with pytest.raises(ChangedSinceProof):
            run.do(approve_run, actor="adam", proof=1)
        run.do(approve_run, actor="adam", proof=2)
        with pytest.raises(NotNow), run.chain.sessions.begin() as session:
            edit_edition(session, edition_id=edition.edition_id, plan=edition.plan, actor="mia", now=NOW)

    def test_end_with_a_cancelled_run_that_never_leaves(self, run: Run):
        run.make()
        handover_id = run.ask("print")
        run.do(cancel_run, reason="Wrong prices", actor="mara")
        assert {copy.state for copy in run.chain.copies().values()} == {"dropped"}
        with pytest.raises(NotPrepared):
            run.take(handover_id)
