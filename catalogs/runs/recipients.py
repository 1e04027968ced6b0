"""Who gets a catalog: those who agreed to a channel, by group; settled once for a run, asked again with every copy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.runs.leaving_copies import HELD_BACK
from catalogs.runs.sampling import Candidate
from core.driver import driver_of

OBJECTED: Final = "objected"
WITHDREW: Final = "withdrew"
REFUSES: Final = "refuses"
NOTHING: Final = "nothing"
"""Why somebody of a run's audience gets no copy after all; the last: the store has nothing to show."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member who is to get a copy of an edition; `store_id` is the own shop, the most visited if none is named."""

    member_id: UUID
    account_id: UUID
    group_id: str
    edition_id: UUID
    name: str
    language: str
    store_id: int
    card_number: str | None
    channel: str | None = None
    """By which way the copy goes out; None outside of a run."""
    against: str | None = None
    """What speaks against a copy by now: objected or withdrew."""
    joined_on: date | None = None


# A member agrees to a catalog in a channel or in any, or to offers by e-mail; the newest decision of each holds.
AGREED: Final = """
    select bool_or(granted) filter (where purpose = 'catalog' and coalesce(channel, 'print') = 'print') as print,
           bool_or(granted) filter (where channel = 'email' or channel is null) as email,
           bool_or(granted) as somehow
    from (
        select distinct on (purpose, channel) purpose, channel, granted
        from consent
        where consent.member_id = member.member_id
          and (purpose = 'catalog' or (purpose = 'offers' and channel = 'email'))
        order by purpose, channel, recorded_at desc, consent_id desc
    ) as newest
"""
"""What the member of a larger question agrees to; one row, NULL where nothing was ever said."""

_NAME = (
    """coalesce(nullif(trim(member.given_name || ' ' || member.family_name), ''), member.company_name, '')"""
)

_CARD = """
    select card_number from card
    where card.member_id = member.member_id and card.state in ('active', 'issued')
    order by card.state, card.issued_at desc nulls last, card.card_number limit 1
"""

# The own store, else the one most visited lately.
_USUAL = """
    select receipt.store_id from receipt
    where receipt.account_id = member.account_id and home.store_id is null
      and receipt.business_date > %(day)s::date - 91 and receipt.business_date <= %(day)s
      and receipt.type = 'sale' and receipt.mode = 'live'
    group by receipt.store_id
    order by count(*) filter (where receipt.business_date > %(day)s::date - 28) desc, count(*) desc, receipt.store_id
    limit 1
"""

# Where a reader's store is, there they live as far as a catalog goes: its prices and its articles.
_IN_COUNTRIES = """store_id is not null and (%(countries)s::text[] = '{}' or store_id in
        (select store.store_id from store where store.country = any(%(countries)s)))"""

_WAITING = f"""
    with waiting as (
        select member.*, {_NAME} as name, membership.group_id, edition.edition_id,
               row_number() over (partition by membership.group_id order by md5(member.member_id::text)) as turn
        from group_membership as membership
        join member using (member_id)
        join lateral ({AGREED}) as agreed on agreed.somehow
        join edition on edition.group_id = membership.group_id and edition.edition_id = any(%(editions)s)
        where membership.run_id = %(run)s
          and member.profiling_objected_at is null
          and (%(member)s::text is null or member.member_code = %(member)s)
          and not exists (select from catalog_copy as made
                          where made.edition_id = edition.edition_id and made.member_id = member.member_id)
    )
    select member.member_id, member.account_id, member.group_id, member.edition_id, member.name, member.language,
           coalesce(home.store_id, usual.store_id), card.card_number
    from waiting as member
    left join store as home on home.store_code = member.home_store_code
    left join lateral ({_USUAL}) as usual on true
    left join lateral ({_CARD}) as card on true
    where coalesce(home.store_id, usual.store_id) is not null
    order by member.turn, member.group_id
"""


def waiting_for_trial(
    session: Session, *, run_id: UUID, editions: Collection[UUID], day: date, member_code: str | None = None
) -> list[Recipient]:
    """
    Return who could get a copy of `editions`, group by group in turns, so that any first part covers all groups.

    Left out are members who agreed to no channel, who object to profiling, who have their copy
    already, and whose shop nobody knows.
    """
    rows = driver_of(session).execute(
        _WAITING, {"run": run_id, "editions": list(editions), "day": day, "member": member_code}
    )
    return [Recipient(*row) for row in rows]


_COUNT = f"""
    insert into catalog_recipient (catalog_run_id, member_id, edition_id, store_id, channel, held_out, turn)
    select %(run)s, member_id, edition_id, store_id, channel, held_out,
           row_number() over (order by case when %(mixed)s then mix else 0 end, store_id, edition_id, language, draw)
    from (
        select member.member_id, edition.edition_id, coalesce(home.store_id, usual.store_id) as store_id,
               case when 'print' = any(%(channels)s) and agreed.print then 'print'
                    when 'email' = any(%(channels)s) and agreed.email and member.email is not null then 'email'
               end as channel,
               ('x' || substr(md5(%(run)s::text || member.account_id::text), 1, 7))::bit(28)::integer
                   < floor(%(share)s::numeric * 268435456)::integer as held_out,
               row_number() over (partition by edition.edition_id order by md5(member.member_id::text)) as mix,
               md5(member.member_id::text) as draw, member.language
        from group_membership as membership
        join member using (member_id)
        join lateral ({AGREED}) as agreed on agreed.somehow
        join edition on edition.group_id = membership.group_id and edition.catalog_run_id = %(run)s
        left join store as home on home.store_code = member.home_store_code
        left join lateral ({_USUAL}) as usual on true
        where membership.run_id = (select run_id from served_run) and member.profiling_objected_at is null
    ) as found
    where channel is not null and {_IN_COUNTRIES}
    on conflict do nothing
"""


def count_audience(
    session: Session,
    *,
    catalog_run_id: UUID,
    channels: Collection[str],
    countries: Collection[str],
    share: Decimal,
    mixed: bool,
    day: date,
) -> int:
    """
    Settle who is in a run: its groups' members as served now who agreed to one of its channels; returns how many.

    Where `countries` are named, only those whose store is in one of them: the home store, else the one most visited.

    Each goes by print where that is agreed to and wanted, else by e-mail. A `share` of them, drawn by
    `runs.held_out`, gets nothing. `mixed` takes turns over the groups; otherwise neighbours share store, edition and
    language, in this order: what a store has is read once for all of its editions.
    """
    return (
        driver_of(session)
        .execute(
            _COUNT,
            {
                "run": catalog_run_id,
                "channels": list(channels),
                "countries": list(countries),
                "share": share,
                "mixed": mixed,
                "day": day,
            },
        )
        .rowcount
    )


_OF_RUN = f"""
    select member.member_id, member.account_id, edition.group_id, recipient.edition_id, {_NAME}, member.language,
           recipient.store_id, card.card_number, recipient.channel,
           case when member.profiling_objected_at is not null then '{OBJECTED}'
                when not coalesce(case recipient.channel when 'print' then agreed.print else agreed.email end, false)
                then '{WITHDREW}' end,
           member.joined_on
    from {{these}} as recipient
    join edition using (edition_id)
    join member on member.member_id = recipient.member_id
    cross join lateral ({AGREED}) as agreed
    left join lateral ({_CARD}) as card on true
"""

_NEXT = (
    _OF_RUN.format(
        these="""(
    select * from catalog_recipient as one
    where one.catalog_run_id = %(run)s and not one.held_out and one.left_out is null
      and not exists (select from catalog_copy as made
                      where made.edition_id = one.edition_id and made.member_id = one.member_id)
    order by one.turn limit %(limit)s
)"""
    )
    + "order by recipient.turn"
)

_THESE = (
    _OF_RUN.format(
        these="""(
    select * from catalog_recipient as one
    where one.catalog_run_id = %(run)s and one.member_id = any(%(members)s)
)"""
    )
    + "order by recipient.turn"
)


def next_recipients(session: Session, *, catalog_run_id: UUID, limit: int) -> list[Recipient]:
    """Return the next who wait for a copy of a run, with what speaks against it by now."""
    rows = driver_of(session).execute(_NEXT, {"run": catalog_run_id, "limit": limit})
    return [Recipient(*row) for row in rows]


def these_recipients(
    session: Session, *, catalog_run_id: UUID, member_ids: Collection[UUID]
) -> list[Recipient]:
    """Return some of a run's audience, with what speaks against a copy by now."""
    rows = driver_of(session).execute(_THESE, {"run": catalog_run_id, "members": list(member_ids)})
    return [Recipient(*row) for row in rows]


_CANDIDATES = f"""
    with found as (
        select member.member_id, member.account_id, edition.group_id, edition.edition_id, {_NAME} as name,
               member.language, coalesce(home.store_id, usual.store_id) as store_id, card.card_number,
               case when 'print' = any(%(channels)s) and agreed.print then 'print'
                    when 'email' = any(%(channels)s) and agreed.email and member.email is not null then 'email'
               end as channel,
               member.joined_on, standing.tier_code, coalesce(balance.points, 0) as points,
               (select store.currency from store
                where store.store_id = coalesce(home.store_id, usual.store_id)) as currency
        from group_membership as membership
        join member using (member_id)
        join lateral ({AGREED}) as agreed on agreed.somehow
        join edition on edition.group_id = membership.group_id and edition.catalog_run_id = %(run)s
        left join store as home on home.store_code = member.home_store_code
        left join lateral ({_USUAL}) as usual on true
        left join lateral ({_CARD}) as card on true
        left join tier_standing as standing on standing.account_id = member.account_id
        left join balance on balance.account_id = member.account_id
        where membership.run_id = (select run_id from served_run) and member.profiling_objected_at is null
    ), numbered as (
        select found.*, row_number() over (order by length(name) desc, member_id) as by_name,
               row_number() over (partition by currency, group_id, language, tier_code order by md5(member_id::text)) as by_kind,
               row_number() over (order by points desc) as by_points
        from found where channel is not null and {_IN_COUNTRIES}
    )
    select member_id, account_id, group_id, edition_id, name, language, store_id, card_number, channel, null, joined_on,
           currency, tier_code, points,
           (select count(distinct line.article_id) from receipt join receipt_line as line using (business_date, receipt_id)
            where receipt.account_id = numbered.account_id and receipt.business_date > %(day)s::date - 182
              and line.business_date > %(day)s::date - 182)
    from numbered
    where by_name <= 20 or by_kind <= 6 or by_points <= 5 or name ~ '[<>&{{}}"=%%|\\[\\]\\\\]'
    order by by_kind, by_name
    limit 600
"""


def candidates_of(
    session: Session,
    *,
    catalog_run_id: UUID,
    channels: Collection[str],
    countries: Collection[str],
    day: date,
) -> tuple[dict[UUID, Recipient], list[Candidate]]:
    """Return some hundreds of a run's audience, of every kind some, as recipients and as what differs about them."""
    rows = driver_of(session).execute(
        _CANDIDATES,
        {"run": catalog_run_id, "channels": list(channels), "countries": list(countries), "day": day},
    )
    readers: dict[UUID, Recipient] = {}
    candidates: list[Candidate] = []
    for *reader, currency, tier, points, bought in rows:
        one = Recipient(*reader)
        readers[one.member_id] = one
        candidates.append(
            Candidate(
                one.member_id,
                one.group_id,
                one.language,
                one.store_id,
                currency,
                one.name,
                tier,
                bought,
                points,
            )
        )
    return readers, candidates


def leave_out(session: Session, *, catalog_run_id: UUID, why: Mapping[UUID, str]) -> None:
    """Note of members of a run's audience why they get no copy after all."""
    if why:
        driver_of(session).execute(
            """
            update catalog_recipient set left_out = why.word
            from unnest(%(members)s::uuid[], %(words)s::text[]) as why (member_id, word)
            where catalog_run_id = %(run)s and catalog_recipient.member_id = why.member_id
            """,
            {"run": catalog_run_id, "members": list(why), "words": list(why.values())},
        )


@dataclass(frozen=True, slots=True)
class Audience:
    """How many are in a run: those who get a copy, are held out, are left out after all; copies made, sent, dropped."""

    wanted: int
    held_out: int
    left_out: Mapping[str, int]
    made: int
    sent: int
    dropped: int

    @property
    def waiting(self) -> int:
        """How many copies are still to be made."""
        return max(0, self.wanted - self.made)


def audience_by_country(session: Session, *, catalog_run_id: UUID) -> dict[str | None, int]:
    """Return in the stores of which countries those shop who get a copy of a run, the most first; None where stores name none."""
    rows = driver_of(session).execute(
        """
        select store.country, sum(readers.count)::bigint
        from (select store_id, count(*) from catalog_recipient
              where catalog_run_id = %s and not held_out and left_out is null group by store_id) as readers
        join store using (store_id) group by store.country order by 2 desc, 1
        """,
        (catalog_run_id,),
    )
    return dict(rows.fetchall())


def audience_of(session: Session, *, catalog_run_id: UUID) -> Audience:
    """Return how far a run is; all zero before its audience is settled."""
    driver = driver_of(session)
    wanted = held = 0
    left: dict[str, int] = {}
    for out, why, count in driver.execute(
        "select held_out, left_out, count(*) from catalog_recipient where catalog_run_id = %s group by 1, 2",
        (catalog_run_id,),
    ):
        if out:
            held += count
        elif why is not None:
            left[why] = count
        else:
            wanted += count
    states: dict[str, int] = dict(
        driver.execute(
            f"select case when catalog_copy.state = 'sent' and {HELD_BACK} then 'held_back' else catalog_copy.state end, count(*)"
            " from catalog_copy join edition using (edition_id)"
            " where edition.catalog_run_id = %s group by 1",
            (catalog_run_id,),
        ).fetchall()
    )
    return Audience(
        wanted=wanted,
        held_out=held,
        left_out=left,
        made=sum(states.values()),
        sent=states.get("sent", 0),
        dropped=states.get("dropped", 0),
    )
