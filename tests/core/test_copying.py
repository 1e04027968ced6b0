"""Statistics after rows were copied: of what holds rows, and of nothing else."""

from sqlalchemy import Engine, text

from core.copying import refresh_statistics


class TestRefreshStatistics:
    def test_tells_of_tables_with_rows_and_leaves_empty_ones_unknown(
        self, owner_engine: Engine, database_url: str
    ):
        with owner_engine.begin() as owner:
            owner.execute(
                text(
                    "insert into store (store_code, name, currency, timezone) "
                    "select 'S' || n, 'S', 'CZK', 'Europe/Prague' from generate_series(1, 5) as n"
                )
            )
        refresh_statistics(database_url, ["store", "receipt", "till"])
        known = text(
            "select relname, reltuples from pg_class where relname in ('store', 'till', 'receipt_default')"
        )
        with owner_engine.begin() as owner:
            assert dict(owner.execute(known).all()) == {
                "store": 5,
                "till": -1,
                "receipt_default": -1,
            }
        refresh_statistics(database_url, ["receipt"])
