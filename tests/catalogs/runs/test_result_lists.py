"""What came of a run."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from catalogs.ignored import ignored_articles
from catalogs.models import CatalogCopy, CatalogRecipient
from catalogs.runs.result_lists import results_of_run
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run


@pytest.mark.usefixtures("at_home", "in_november")
class TestResults:
    def test_count_who_bought_what_from_which_page_against_those_held_out(self, chain: Chain, tmp_path: Path):
        for number in range(4, 24):
            chain.join(f"t1-{number}", "t1", language="cs")
        run = Run(chain, tmp_path, hold_out=Decimal("0.1"))
        run.make()
        run.take(run.ask("print"))
        tea = chain.articles[0]
        readers = [code for code, copy in chain.copies().items() if _page_of(copy, tea.article_id)]
        assert len(readers) >= 10
        for code in readers[:10]:
            chain.buy(code, [tea], date(2026, 11, 25), price=2000)
        chain.buy(readers[0], [tea], date(2026, 12, 7))
        with chain.sessions() as session:
            found = results_of_run(session, run_id=run.id, today=date(2026, 12, 8))
            ignored = ignored_articles(
                session, [chain.members[readers[-1]].member_id], now=NOW + timedelta(days=20)
            )
        assert (found.sent, found.over, found.currency) == (run.audience.sent, True, "CZK")
        (item,) = [one for one in found.items if one.page]
        assert (item.article_id, item.buyers, item.minor) == (tea.article_id, 10, 20_000)
        assert {cell.buyers for cell in found.cells if cell.page == item.page} <= {0, 10}
        assert found.effect.share is None
        if len(readers) > 10:
            assert ignored[chain.members[readers[-1]].member_id][tea.article_id] == 1

    def test_count_nobody_of_a_channel_by_which_nothing_has_left(self, chain: Chain, tmp_path: Path):
        # So many that by no draw all of a channel are held out.
        for number in range(4, 28):
            by = ("offers", "email") if number % 2 else ("catalog", "print")
            chain.join(f"t1-{number}", "t1", consent=by, email=f"{number}@example.com")
        run = Run(chain, tmp_path, hold_out=Decimal("0.2"))
        run.make()
        held = _held_out(chain, run)
        found = _results(chain, run)
        assert (found.sent, found.held_out, found.channels) == (0, 0, ())
        run.take(run.ask("print"))
        found = _results(chain, run)
        made = [copy.channel for copy in chain.copies().values()]
        assert (found.sent, found.channels) == (made.count("print"), ("print",))
        assert (found.effect.members, found.held_out) == (made.count("print"), held["print"])
        run.ask("email")
        found, mailed = _results(chain, run), _results(chain, run, channel="email")
        assert (found.sent, found.channels) == (len(made), ("print", "email"))
        assert (mailed.sent, mailed.held_out) == (made.count("email"), held["email"])
        assert found.held_out == held["print"] + held["email"]


def _results(chain: Chain, run: Run, **options):
    with chain.sessions() as session:
        return results_of_run(session, run_id=run.id, **options)


def _held_out(chain: Chain, run: Run) -> Counter[str]:
    with chain.sessions() as session:
        return Counter(
            session.scalars(
                select(CatalogRecipient.channel).where(
                    CatalogRecipient.catalog_run_id == run.id, CatalogRecipient.held_out
                )
            )
        )


def _page_of(copy: CatalogCopy, article_id: int) -> int:
    return next(
        (pick["page"] for pick in copy.picks if pick["article_id"] == article_id and pick["why"] == "group"),
        0,
    )
