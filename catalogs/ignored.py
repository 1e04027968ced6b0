"""What earlier catalogs showed a member in vain: it weighs less in the next."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.runs.leaving_copies import HELD_BACK
from core.driver import driver_of

REMEMBERED_DAYS: Final = 183
"""Catalogs whose period ended longer ago say nothing any more."""

# Only what was handed over was seen; only a period that is over can have been let pass.
_IGNORED = f"""
    select shown.member_id, shown.article_id, count(*)
    from (
        select copy.copy_id, copy.member_id, member.account_id, edition.valid_from, edition.valid_to,
               (item ->> 'article_id')::integer as article_id
        from catalog_copy as copy
        join edition using (edition_id)
        join member using (member_id)
        cross join lateral jsonb_array_elements(copy.picks) as item
        where copy.member_id = any(%(members)s) and copy.state = 'sent' and not {HELD_BACK.replace("catalog_copy", "copy")}
          and edition.valid_to <= %(now)s::date and edition.valid_to > %(now)s::date - %(days)s
        group by copy.copy_id, member.account_id, edition.edition_id, item ->> 'article_id'
    ) as shown
    where not exists (
        select from receipt
        join receipt_line as line using (business_date, receipt_id)
        where receipt.account_id = shown.account_id and receipt.type = 'sale' and receipt.mode = 'live'
          and receipt.business_date >= shown.valid_from and line.business_date >= shown.valid_from
          and line.article_id = shown.article_id and line.quantity > 0
    )
    group by shown.member_id, shown.article_id
"""


def ignored_articles(
    session: Session, member_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, dict[int, int]]:
    """
    Return by member which articles their catalogs of the last half year showed in vain, and in how many of them.

    In vain is what was not bought from the catalog's first day on to this day, by anybody of the account.
    Members who ignored nothing, or got nothing, are left out.
    """
    rows = driver_of(session).execute(
        _IGNORED, {"members": list(member_ids), "now": now, "days": REMEMBERED_DAYS}
    )
    found: dict[UUID, dict[int, int]] = defaultdict(dict)
    for member_id, article_id, times in rows:
        found[member_id][article_id] = times
    return dict(found)
