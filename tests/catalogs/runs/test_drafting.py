"""Drafts whose pages are planned in the background."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select, update

from catalogs.models import CatalogRun, Edition
from catalogs.runs.drafting import ask_for_draft, draft_run
from catalogs.runs.jobs import DRAFTS, run_job, waiting_jobs
from catalogs.runs.lists import job_of_draft, read_run
from catalogs.runs.operations import NotNow, ask_for_proof
from catalogs.runs.run import BadRun, Recipe
from catalogs.runs.standing_orders import approve_order, run_of_order
from sales.models import Store
from tests.catalogs.chain import DAY, NOW, Chain

RECIPE = Recipe(
    name="Advent",
    theme="trh",
    size="A4",
    channels=("print",),
    valid_from=date(2026, 11, 23),
    valid_to=date(2026, 12, 7),
    group_ids=("t1",),
)


def asked(chain: Chain, recipe: Recipe = RECIPE):
    with chain.sessions.begin() as session:
        return ask_for_draft(session, recipe, actor="mara", now=NOW)


def planned(chain: Chain, run_id) -> int:
    with chain.sessions() as session:
        return session.scalar(select(func.count()).where(Edition.catalog_run_id == run_id))


@pytest.mark.usefixtures("in_november")
class TestAskForDraft:
    def test_leaves_the_planning_to_a_job_of_its_own(self, chain, tmp_path):
        run_id = asked(chain)
        assert planned(chain, run_id) == 0
        assert waiting_jobs(chain.sessions) == []
        ((job, day),) = waiting_jobs(chain.sessions, DRAFTS)
        done = run_job(chain.sessions, data=tmp_path, job=job, business_day=day, wait=False)
        assert (done.state, done.steps[0].done, done.steps[0].total) == ("completed", 1, 1)
        assert planned(chain, run_id) == 1
        assert waiting_jobs(chain.sessions, DRAFTS) == []
        with chain.sessions() as session:
            assert read_run(session, run_id=run_id).state == "draft"
            assert job_of_draft(session, run_id=run_id).state == "completed"

    def test_plans_no_page_twice_when_it_is_done_again(self, chain, tmp_path):
        run_id = asked(chain)
        ((job, day),) = waiting_jobs(chain.sessions, DRAFTS)
        for _ in range(2):
            run_job(chain.sessions, data=tmp_path, job=job, business_day=day, wait=False)
        assert planned(chain, run_id) == 1

    def test_has_no_proof_before_its_pages_are_planned(self, chain):
        run_id = asked(chain)
        with pytest.raises(NotNow), chain.sessions.begin() as session:
            ask_for_proof(session, run_id=run_id, actor="mara", now=NOW)

    def test_says_at_once_that_there_is_no_such_group(self, chain):
        with pytest.raises(BadRun, match="t9"):
            asked(chain, replace(RECIPE, group_ids=("t9",)))

    def test_says_at_once_that_there_is_no_store_in_a_country(self, chain):
        with pytest.raises(BadRun, match="NL") as refused:
            asked(chain, replace(RECIPE, countries=("NL",)))
        assert refused.value.field == "countries"

    def test_keeps_the_countries_of_an_order_in_its_runs(self, chain):
        with chain.sessions.begin() as session:
            session.execute(update(Store).values(country="CZ"))
            order = draft_run(
                session, replace(RECIPE, countries=("CZ",)), day=DAY, actor="mara", now=NOW, standing=True
            )
            approve_order(session, run_id=order, actor="adam", now=NOW)
            run_id = run_of_order(
                session,
                order=session.get_one(CatalogRun, order),
                valid_from=date(2026, 11, 23),
                valid_to=date(2026, 12, 7),
                day=DAY,
                now=NOW,
            )
            assert read_run(session, run_id=run_id).countries == ["CZ"]
