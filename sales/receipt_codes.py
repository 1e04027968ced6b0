"""What the codes on receipts of a file mean: stores, tills, articles; many at once."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.driver import driver_of
from sales.articlecodes import find_gtin
from sales.barcode_layouts import decoded_in_store
from sales.models import Store
from sales.queries import StoreView

MOST_REMEMBERED = 500_000

_ARTICLES = {
    "sku": "select sku, article_id from article where sku = any(%s)",
    "gtin": "select gtin, article_id from article where gtin = any(%s)",
}


class Codes:
    """What codes mean, asked for once in an import and then remembered."""

    def __init__(self) -> None:
        self._stores: dict[str, StoreView] = {}
        self._articles: dict[str, dict[str, int | None]] = {"sku": {}, "gtin": {}}

    def stores(self, session: Session, store_codes: Sequence[str | None]) -> list[StoreView | None]:
        """Return the store of each code, None where there is none."""
        unknown = {code for code in store_codes if code and code not in self._stores}
        if unknown:
            columns = (
                Store.store_id,
                Store.store_code,
                Store.name,
                Store.currency,
                Store.timezone,
                Store.city,
                Store.country,
            )
            for row in session.execute(select(*columns).where(Store.store_code.in_(unknown))):
                self._stores[row.store_code] = StoreView(*row)
        return [self._stores.get(code or "") for code in store_codes]

    def articles(self, session: Session, lines: pa.RecordBatch, store_ids: np.ndarray) -> pa.Array:
        """
        Return the article's id of each line, by its sku or else by its GTIN; null where nobody knows it.

        In-store barcodes stand for articles as the layouts of the line's store, of `store_ids`, say.
        """
        skus, gtins = _in_store(session, lines, store_ids)
        by_sku = self._ids(session, "sku", skus, str)
        by_gtin = self._ids(session, "gtin", gtins, find_gtin)
        return pc.coalesce(by_sku, by_gtin)

    def _ids(
        self, session: Session, key: str, codes: pa.Array, form: Callable[[str], str | None]
    ) -> pa.Array:
        if codes.null_count == len(codes):
            return pa.nulls(len(codes), pa.int32())
        known = self._articles[key]
        distinct = codes.dictionary_encode()
        asked = [form(code) or "" for code in distinct.dictionary.to_pylist()]
        unknown = [code for code in asked if code not in known]
        if len(known) + len(unknown) > MOST_REMEMBERED:
            known.clear()
            unknown = asked
        if unknown:
            known.update(dict.fromkeys(unknown))
            known.update(dict(driver_of(session).execute(_ARTICLES[key], (unknown,)).fetchall()))
        return pa.array([known[code] for code in asked], pa.int32()).take(distinct.indices)


def _in_store(session: Session, lines: pa.RecordBatch, store_ids: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Return the lines' SKUs and GTINs, with in-store barcodes replaced by the codes that they stand for."""
    skus, gtins = lines.column("sku"), lines.column("gtin")
    scanned = np.flatnonzero(pc.fill_null(pc.match_substring_regex(gtins, "^0?2[0-9]{12}$"), False))
    if not len(scanned):
        return skus, gtins
    new_skus, new_gtins = skus.to_pylist(), gtins.to_pylist()
    for index in scanned.tolist():
        decoded = decoded_in_store(session, new_gtins[index], store_id=int(store_ids[index]))
        if decoded is not None:
            new_skus[index] = new_skus[index] or decoded.sku
            new_gtins[index] = decoded.gtin or new_gtins[index]
    return pa.array(new_skus, pa.string()), pa.array(new_gtins, pa.string())


_TILLS = """
    select wanted.position, till.till_id
    from unnest(%s::integer[], %s::text[]) with ordinality as wanted (store_id, till_code, position)
    join till using (store_id, till_code)
    order by wanted.position
"""
_NEW_TILLS = """
    insert into till (store_id, till_code)
    select distinct store_id, till_code
    from unnest(%s::integer[], %s::text[]) as wanted (store_id, till_code)
    order by store_id, till_code
    on conflict do nothing
"""


def tills_of(session: Session, stores: Sequence[StoreView], till_codes: Sequence[str | None]) -> list[int]:
    """Return the id of each receipt's till; one that nobody knows is made, without a key."""
    pairs = [(store.store_id, code or "") for store, code in zip(stores, till_codes, strict=True)]
    wanted = sorted(set(pairs))
    asked = ([store_id for store_id, _ in wanted], [code for _, code in wanted])
    driver = driver_of(session)
    found = driver.execute(_TILLS, asked).fetchall()
    if len(found) < len(wanted):
        driver.execute(_NEW_TILLS, asked)
        found = driver.execute(_TILLS, asked).fetchall()
    ids = {wanted[position - 1]: till_id for position, till_id in found}
    return [ids[pair] for pair in pairs]
