"""What must always hold of mail: nobody is written to against their will, nobody twice, and codes are forgotten."""

from contacts.outbox import SECRET_KINDS
from core.verification import Check, QueryCheck

_PROMOTES = "outgoing_mail.purpose <> 'service'"
_WAITS = (
    "(outgoing_mail.state = 'queued' or outgoing_mail.state = 'sending' and outgoing_mail.handed_at is null)"
)


def _agreed(moment: str) -> str:
    """Return whether the member of a mail agreed to its purpose at a moment."""
    return f"""coalesce((
        select consent.granted from consent
        where consent.member_id = outgoing_mail.member_id and consent.purpose = outgoing_mail.purpose
          and consent.channel = 'email' and consent.recorded_at <= {moment}
        order by consent.recorded_at desc, consent.consent_id desc limit 1
    ), false)"""


def _refused_all(moment: str) -> str:
    """Return whether the member of a mail had refused everything at a moment."""
    return f"""coalesce((
        select said.reaction in ('never', 'wrong_product') from reaction as said
        where said.member_id = outgoing_mail.member_id and said.scope = 'all'
          and greatest(said.recorded_at, said.moved_at) <= {moment}
        order by said.recorded_at desc, said.reaction_id desc limit 1
    ), false)"""


# What is said while a mail is handed over counts a second later (F-2): its moment is taken before it is kept.
_BEFORE_SENT = "handed_at - interval '1 second'"

AGAINST_THEIR_WILL = f"""
    select 'mail ' || mail_id || ' waits for a member who objected to profiling' as what
    from outgoing_mail join member using (member_id)
    where {_PROMOTES} and {_WAITS} and profiling_objected_at is not null
    union all
    select 'mail ' || mail_id || ' was sent after its member had objected to profiling'
    from outgoing_mail join member using (member_id)
    where {_PROMOTES} and profiling_objected_at < {_BEFORE_SENT}
    union all
    select 'mail ' || mail_id || ' waits for a member who has not agreed to it'
    from outgoing_mail where {_PROMOTES} and {_WAITS} and not {_agreed("'infinity'")}
    union all
    select 'mail ' || mail_id || ' was sent while its member had not agreed to it'
    from outgoing_mail where {_PROMOTES} and handed_at is not null and not {_agreed("handed_at")}
      and not {_agreed(_BEFORE_SENT)}
    union all
    select 'mail ' || mail_id || ' waits for a member who refuses everything'
    from outgoing_mail where {_PROMOTES} and {_WAITS} and {_refused_all("'infinity'")}
    union all
    select 'mail ' || mail_id || ' was sent although its member had refused everything'
    from outgoing_mail
    where {_PROMOTES} and handed_at is not null and {_refused_all("handed_at")} and {_refused_all(_BEFORE_SENT)}
"""

READABLE_CODES = f"""
    select 'mail ' || mail_id || ' still says its code'
    from outgoing_mail
    where kind in ({", ".join(f"'{kind}'" for kind in SECRET_KINDS)})
      and state not in ('queued', 'sending') and (text is not null or html is not null)
"""

CHECKS: tuple[Check, ...] = (
    QueryCheck(
        "I10", "no objector or unsubscribed person is in the outbox after the objection", AGAINST_THEIR_WILL
    ),
    QueryCheck(
        "C1", "what a mail with a secret said is forgotten once it is sent or given up", READABLE_CODES
    ),
)
