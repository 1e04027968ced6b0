"""What must always hold of the groups and the standings that are served."""

from core.verification import Check, QueryCheck

SERVED_GROUPS = """
    select 'the served run ' || run_id || ' is ' || state
    from served_run join analysis_run using (run_id) where state <> 'completed'
    union all
    select 'group ' || shopper_group.group_id || ' says it has ' || members || ' members, and '
        || coalesce(found, 0) || ' are remembered'
    from served_run join shopper_group using (run_id)
    left join (select run_id, group_id, count(*) as found from group_membership group by run_id, group_id) as remembered
        using (run_id, group_id)
    where members <> coalesce(found, 0)
    union all
    select 'member ' || member_id || ' is in group ' || group_membership.group_id || ', which the run does not have'
    from served_run join group_membership using (run_id) left join shopper_group using (run_id, group_id)
    where shopper_group.run_id is null
    union all
    select 'member ' || member_id || ' objected to profiling before the run, and is in a group'
    from served_run join analysis_run using (run_id) join group_membership using (run_id) join member using (member_id)
    where profiling_objected_at < analysis_run.started_at
"""

SERVED_STANDINGS = """
    with placed as (
        select member_id from served_run join group_membership using (run_id)
    ), standing as (
        select standing.* from served_run join member_standing as standing using (run_id)
    )
    select 'member ' || member_id || ' has a group or a phase, and not both'
    from placed full join standing using (member_id)
    where exists (select from standing) and (placed.member_id is null or standing.member_id is null)
    union all
    select 'member ' || member_id || ' objected to profiling before the run, and has a phase'
    from standing join analysis_run using (run_id) join member using (member_id)
    where profiling_objected_at < analysis_run.started_at
    union all
    select 'member ' || member_id || ' is told to have moved to ' || (contact.detail ->> 'to') || ', and is not there'
    from standing join contact using (member_id)
    where contact.source = 'run ' || standing.run_id
      and contact.detail ->> 'to' <> case contact.kind when 'phase' then phase when 'value_class' then value_class
                                       else contact.detail ->> 'to' end
    union all
    select 'member ' || member_id || ' has values that do not add up'
    from standing
    where informational <> told_profile + told_consents + told_answers + told_redemptions
       or reference_value <> brought + household
"""

CHECKS: tuple[Check, ...] = (
    QueryCheck("I9", "the served groups are one completed run", SERVED_GROUPS),
    QueryCheck("I12", "members with a group have a phase, and their histories agree", SERVED_STANDINGS),
)
