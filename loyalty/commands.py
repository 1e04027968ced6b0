"""The command group `regulars receipts`."""

from dataclasses import asdict
from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.copying import refresh_statistics
from core.progress import progress_bar
from loyalty.imports.receipts import WRITTEN, import_receipts
from loyalty.offline.signing import all_keys, rotate_key

ACTOR = "command line"


@click.group()
def receipts() -> None:
    """Receipts: past ones from files; new ones come from tills."""


@receipts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_workplace
@refusals_exit_2
def receipts_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """
    Store receipts from a file and book their points; what is stored already is left alone.

    FILE is CSV, parquet or POSLog 6 XML, plain or .gz; see docs/poslog.md for the last.
    """
    done = import_receipts(workplace.sessions, file, now=clock.now(), show=progress_bar)
    if done.receipts:
        refresh_statistics(workplace.url, WRITTEN)
    if as_json:
        print_json(done.as_json())
        return
    click.echo(done.summary.in_words())
    if done.skipped:
        click.echo(f"{done.skipped:,} transactions are no receipts and were passed over")
    loading = done.seconds["reading"] + done.seconds["loading"]
    speed = f" ({done.lines / loading:,.0f} lines a second)" if done.lines else ""
    click.echo(
        f"{done.receipts:,} receipts loaded in {loading:.1f} s{speed}; "
        f"{done.points:,} points booked in {done.seconds['booking']:.1f} s"
    )


@click.group("signing-keys")
def signing_keys() -> None:
    """Keys that sign what tills may let be spent offline; the first is made when it is needed."""


@signing_keys.command("list")
@json_option
@pass_workplace
def signing_keys_list(workplace: Workplace, *, as_json: bool) -> None:
    """List the keys by their names; their secrets are never shown."""
    with workplace.sessions.begin() as session:
        keys = all_keys(session)
    if as_json:
        print_json({"keys": [asdict(key) for key in keys]})
        return
    for key in keys:
        end = "signs" if key.retired_at is None else f"retired {key.retired_at:%Y-%m-%d %H:%M}"
        revoked = f", revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        click.echo(f"{key.key_id}  made {key.created_at:%Y-%m-%d %H:%M}, {end}{revoked}")


@signing_keys.command("rotate")
@click.option("--revoke", is_flag=True, help="Nothing that older keys signed holds any more.")
@json_option
@pass_workplace
def signing_keys_rotate(workplace: Workplace, *, revoke: bool, as_json: bool) -> None:
    """Let a new key sign; what the old one signed holds until it ends by itself."""
    with workplace.sessions.begin() as session:
        key_id = rotate_key(session, now=clock.now(), actor=ACTOR, revoke=revoke)
    if as_json:
        print_json({"key_id": key_id, "revoked": revoke})
    else:
        click.echo(f"{key_id} signs from now on")


commands: tuple[click.Command, ...] = (
    signing_keys,
    receipts,
)
