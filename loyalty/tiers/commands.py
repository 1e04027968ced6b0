"""The command group `regulars tiers`."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import NotFound
from loyalty.tiers.changes import approve_scheme, draft_scheme
from loyalty.tiers.codec import read_scheme, scheme_document
from loyalty.tiers.grants import grant_tier
from loyalty.tiers.queries import TierStory, account_of_member, tier_story
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.versions import all_schemes, find_scheme, read_schemes, version_document
from loyalty.tiers.words import amount_words, event_words, tier_sentences
from loyalty.version_commands import ACTOR, print_versions, read_version_file, say_approved, say_drafted

DAY = click.DateTime(["%Y-%m-%d"])


class NoTiersToday(NotFound):
    """No version of the tiers holds today."""


@click.group()
def tiers() -> None:
    """Tiers: versions of them with the day from which they hold, and how members stand."""


@tiers.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def list_versions(workplace: Workplace, *, as_json: bool) -> None:
    """Print every version, the one of the latest start first."""
    with workplace.sessions() as session:
        versions = all_schemes(session)
    print_versions(versions, version_document, none="No version yet: there are no tiers.", as_json=as_json)


@tiers.command("show")
@click.argument("version", type=int, required=False)
@json_option
@pass_workplace
@refusals_exit_2
def show_version(workplace: Workplace, *, version: int | None, as_json: bool) -> None:
    """Print the tiers of a version in words; of the one that holds today if none is named."""
    with workplace.sessions() as session:
        scheme = _scheme(session, version)
    if as_json:
        print_json({"version": scheme.version, "rules": scheme_document(scheme)})
        return
    click.echo(f"Version {scheme.version}" if scheme.version else "There are no tiers")
    for said in tier_sentences(scheme, "en"):
        click.echo(f"{said.title:24} {said.words}")


@tiers.command("export")
@click.argument("version", type=int, required=False)
@pass_workplace
@refusals_exit_2
def export_version(workplace: Workplace, *, version: int | None) -> None:
    """Print a version as the JSON that `import` reads; the one that holds today if none is named."""
    with workplace.sessions() as session:
        if version:
            print_json(version_document(find_scheme(session, version=version)))
            return
        scheme = _scheme(session, None)
    print_json({"valid_from": None, "note": "", "rules": scheme_document(scheme)})


@tiers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--valid-from", type=DAY, help="Instead of the day that the file says.")
@click.option("--by", "actor", default=ACTOR, show_default=True, help="Who drafts it.")
@json_option
@pass_workplace
@refusals_exit_2
def import_version(
    workplace: Workplace, *, file: Path, valid_from: datetime | None, actor: str, as_json: bool
) -> None:
    """Write the tiers in a file as a draft, for a second person to approve."""
    first_day = valid_from.date() if valid_from else None
    scheme, start, note = read_version_file(file, first_day, read_scheme, group="tiers")
    with workplace.sessions.begin() as session:
        version = draft_scheme(
            session, scheme=scheme, valid_from=start, note=note, actor=actor, now=clock.now()
        )
    say_drafted(version, start, as_json=as_json)


@tiers.command("approve")
@click.argument("version", type=int)
@click.option("--by", "actor", required=True, help="Who approves it; not who drafted it.")
@pass_workplace
@refusals_exit_2
def approve(workplace: Workplace, *, version: int, actor: str) -> None:
    """Let a draft hold from its day on."""
    with workplace.sessions.begin() as session:
        draft = find_scheme(session, version=version)
        done = approve_scheme(session, version=version, seen=draft.drafted_at, actor=actor, now=clock.now())
    say_approved(done)


@tiers.command("standing")
@click.argument("member")
@json_option
@pass_workplace
@refusals_exit_2
def standing(workplace: Workplace, *, member: str, as_json: bool) -> None:
    """Print how the member of a code stands."""
    with workplace.sessions() as session:
        story = _story(session, member)
    if as_json:
        print_json(_document(member, story))
        return
    state = story.state
    click.echo(f"{state.named('en') or 'no tier'}, looked at on {state.period_end or 'no fixed day'}")
    click.echo(f"counted since {story.window_start}: {_counted(story)}")
    missing = story.scheme.missing(story.scheme.rank(state.code), state.qualifying)
    if missing is not None:
        click.echo(f"missing for the next: {amount_words(story.scheme, missing, 'en')}")


@tiers.command("why")
@click.argument("member")
@json_option
@pass_workplace
@refusals_exit_2
def why(workplace: Workplace, *, member: str, as_json: bool) -> None:
    """Print what led to where a member stands."""
    with workplace.sessions() as session:
        story = _story(session, member)
    if as_json:
        print_json(_document(member, story))
        return
    for said in tier_sentences(story.scheme, "en"):
        click.echo(f"{said.title:24} {said.words}")
    click.echo(f"counted since {story.window_start}: {_counted(story)}")
    for grant in story.grants:
        click.echo(f"{grant.tier_code} until {grant.valid_until}, by {grant.granted_by}: {grant.reason}")
    for one in story.happened:
        click.echo(f"{one.on}  {event_words(story.scheme, one, 'en')}")


@tiers.command("grant")
@click.argument("member")
@click.argument("tier")
@click.option("--until", type=DAY, required=True, help="The last day on which it holds.")
@click.option("--reason", required=True)
@click.option("--by", "actor", required=True, help="Who gives it.")
@pass_workplace
@refusals_exit_2
def grant(workplace: Workplace, *, member: str, tier: str, until: datetime, reason: str, actor: str) -> None:
    """Give a member at least a tier until a day."""
    with workplace.sessions.begin() as session:
        member_id, account_id = account_of_member(session, member_code=member)
        grant_tier(
            session,
            account_id=account_id,
            member_id=member_id,
            tier_code=tier,
            valid_until=until.date(),
            reason=reason,
            actor=actor,
            now=clock.now(),
        )
    click.echo(f"{member} has {tier} until {until.date()}")


def _counted(story: TierStory) -> str:
    return amount_words(story.scheme, int(story.state.qualifying), "en")


def _story(session: Session, member_code: str) -> TierStory:
    _, account_id = account_of_member(session, member_code=member_code)
    story = tier_story(session, account_id=account_id, today=clock.now().date())
    if story is None:
        raise NoTiersToday("no version of the tiers holds today")
    return story


def _document(member: str, story: TierStory) -> dict[str, Any]:
    state, scheme = story.state, story.scheme
    return {
        "member_code": member,
        "tier": state.code,
        "earned": state.earned,
        "since": state.since and state.since.isoformat(),
        "period_end": state.period_end and state.period_end.isoformat(),
        "grace_until": state.grace_until and state.grace_until.isoformat(),
        "counted_since": story.window_start.isoformat(),
        "measure": scheme.measure,
        "qualifying": int(state.qualifying),
        "missing": scheme.missing(scheme.rank(state.code), state.qualifying),
        "version": scheme.version,
        "grants": [
            {
                "kind": one.kind,
                "tier": one.tier_code,
                "from": one.valid_from.isoformat(),
                "until": one.valid_until.isoformat(),
                "reason": one.reason,
                "by": one.granted_by,
            }
            for one in story.grants
        ],
        "history": [
            {
                "on": one.on.isoformat(),
                "kind": one.kind,
                "from": one.before,
                "to": one.after,
                "receipt_id": one.receipt_id and str(one.receipt_id),
                "detail": dict(one.detail),
                "by": one.actor,
            }
            for one in story.happened
        ],
    }


def _scheme(session: Session, version: int | None) -> Scheme:
    if version is None:
        return read_schemes(session).on(clock.now().date())
    return find_scheme(session, version=version).rules


commands: tuple[click.Command, ...] = (tiers,)
