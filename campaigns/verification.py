"""What must always hold of decisions."""

from core.verification import Check, QueryCheck

# Of the last week, which the nights before have not looked at: decisions are many. An answer counts from the moment it was given; what the tills' clocks and requests under way can differ by is allowed for.
UNWANTED = """
    select 'decision ' || decision.decision_id || ' offered what had been refused before'
    from decision
    join article using (article_id)
    join lateral (
        select distinct on (said.scope = 'all', said.category is not null) said.reaction,
               greatest(said.recorded_at, said.moved_at) as known_at
        from reaction as said
        where (said.member_id = decision.member_id
               or said.member_id is null and said.account_id = decision.account_id)
          and greatest(said.recorded_at, said.moved_at) < decision.at
          and (said.scope = 'all' or said.category = article.category
               or said.category is null and said.article_id = decision.article_id)
        order by said.scope = 'all', said.category is not null, said.recorded_at desc, said.reaction_id desc
    ) as newest on newest.reaction in ('never', 'wrong_product')
      and newest.known_at < decision.at - interval '1 minute'
    where decision.day > current_date - 8
    union all
    select 'decision ' || decision.decision_id || ' is about a member who had objected to profiling before'
    from decision join member using (member_id)
    where decision.day > current_date - 8 and member.profiling_objected_at < decision.at - interval '1 minute'
    union all
    select 'an outcome of ' || outcome.day || ' belongs to no decision: ' || outcome.decision_id
    from decision_outcome as outcome
    left join decision using (day, decision_id)
    where decision.decision_id is null
    union all
    select 'decision ' || decision.decision_id || ' was bought before it was made'
    from decision_outcome as outcome join decision using (day, decision_id)
    where outcome.bought_at < decision.at
"""

CHECKS: tuple[Check, ...] = (
    QueryCheck(
        "I13", "nobody is offered what they refused, and nobody who objects is offered anything", UNWANTED
    ),
)
