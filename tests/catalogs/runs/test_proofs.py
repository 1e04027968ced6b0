"""Ten sample copies that differ, with real files."""

from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalogs.models import CatalogCopy
from catalogs.runs.lists import read_proof
from rewards.models import Voucher
from rewards.vouchers.batches import Batch, put_batch
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run, words_of


@pytest.mark.usefixtures("at_home", "in_november")
class TestProof:
    def test_shows_real_copies_of_members_who_differ_and_issues_nothing(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            put_batch(
                session, Batch("C3", value_amount=300, currency="CZK", valid_days=13), actor="m", now=NOW
            )
        chain.join("long", "t1", name=("Maximiliana", "Wolfeschlegelsteinhausenberger"), language="pl")
        run = Run(chain, tmp_path, voucher_batches=("C3",), group_ids=("t1", "t2"))
        run.prove()
        with chain.sessions() as session:
            proof = read_proof(session, run_id=run.id, number=1)
            assert session.scalar(select(func.count()).select_from(Voucher)) == 0
            assert session.scalar(select(func.count()).select_from(CatalogCopy)) == 0
        assert len(proof.copies) == 9
        assert "long" in {copy.member_code for copy in proof.copies}
        assert {copy.group_name for copy in proof.copies} == {"t1", "t2"}
        for copy in proof.copies:
            assert sha256((tmp_path / copy.path).read_bytes()).digest() == copy.sha256
        assert "SAMPLE" in words_of(tmp_path / proof.copies[0].path).replace(" ", "")
