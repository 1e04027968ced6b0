"""What must always hold of the groups that are served."""

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

CHECKS: tuple[Check, ...] = (QueryCheck("I9", "the served groups are one completed run", SERVED_GROUPS),)
