"""What must always hold of catalogs: nobody gets one against their will."""

from core.verification import Check, QueryCheck

AGAINST_THEIR_WILL = """
    select 'copy ' || copy_code || ' was made or sent after its member objected to profiling'
    from catalog_copy join member using (member_id)
    where profiling_objected_at < coalesce(sent_at, made_at)
    union all
    select 'copy ' || copy_code || ' was made or sent while its member had agreed to no catalog'
    from catalog_copy
    where not exists (
        select from (
            select distinct on (purpose, channel) granted from consent
            where consent.member_id = catalog_copy.member_id and recorded_at <= coalesce(sent_at, made_at)
              and (purpose = 'catalog' or (purpose = 'offers' and channel = 'email'))
            order by purpose, channel, recorded_at desc, consent_id desc
        ) as newest
        where granted
    )
"""

UNAPPROVED = """
    select 'copy ' || copy_code || ' was sent, but nobody approved its run'
    from catalog_copy
    join edition using (edition_id)
    left join catalog_run using (catalog_run_id)
    where catalog_copy.state = 'sent' and (approved_by is null or approved_at > sent_at)
"""

CHECKS: tuple[Check, ...] = (
    QueryCheck(
        "I10b", "nobody has a catalog made after objecting or without having agreed", AGAINST_THEIR_WILL
    ),
    QueryCheck("K1", "no catalog left the house that a second person had not approved", UNAPPROVED),
)
