"""The command line of the ground floor: the database, and whether all is well."""

import shutil
import subprocess
from typing import Any

import click
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.database import APP_ROLE, make_engine, revisions, upgrade
from core.diagnosis import Symptom, examine_database, examine_machine
from core.errors import NotFound, RegularsError
from core.postgres_programs import find_programs


class NoClient(NotFound):
    """There is no psql on this machine."""


@click.group()
def db() -> None:
    """The database: its schema, its state, and a shell."""


@db.command("upgrade")
@click.argument("revision", default="head")
@json_option
@pass_workplace
@refusals_exit_2
def upgrade_schema(workplace: Workplace, revision: str, *, as_json: bool) -> None:
    """Bring the schema to the newest revision, or to REVISION."""
    upgrade(workplace.unmigrated_url, revision)
    _print_status(workplace, as_json=as_json)


@db.command()
@json_option
@pass_workplace
@refusals_exit_2
def status(workplace: Workplace, *, as_json: bool) -> None:
    """Say which database this is, how large, and whether its schema is the newest."""
    _print_status(workplace, as_json=as_json)


def _print_status(workplace: Workplace, *, as_json: bool) -> None:
    url = workplace.unmigrated_url
    engine = make_engine(url, role=None)
    try:
        current, head = revisions(engine)
        with engine.connect() as connection:
            version, size = connection.execute(
                text("select current_setting('server_version'), pg_database_size(current_database())")
            ).one()
    finally:
        engine.dispose()
    document: dict[str, Any] = {
        "url": make_url(url).render_as_string(hide_password=True),
        "server_version": version,
        "revision": current,
        "newest_revision": head,
        "current": current == head,
        "bytes": size,
    }
    if as_json:
        print_json(document)
    else:
        for name, value in document.items():
            click.echo(f"{name.replace('_', ' '):16} {value}")


@db.command(context_settings={"ignore_unknown_options": True})
@click.option("--owner", is_flag=True, help="With the owner's rights instead of the application's.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@pass_workplace
@refusals_exit_2
def shell(workplace: Workplace, context: click.Context, *, owner: bool, arguments: tuple[str, ...]) -> None:
    """Open psql, with ARGUMENTS of its own."""
    url = make_url(workplace.url).set(drivername="postgresql")
    if not owner:
        url = url.update_query_dict({"options": f"-c role={APP_ROLE}"})
    address = url.render_as_string(hide_password=False).replace("+", "%20")
    context.exit(subprocess.run([_psql(), address, *arguments], check=False).returncode)  # noqa: S603


def _psql() -> str:
    try:
        inside = find_programs().program("psql")
        if inside.exists():
            return str(inside)
    except NotFound:
        pass
    found = shutil.which("psql")
    if found is None:
        raise NoClient("there is no psql here; install PostgreSQL's client programs")
    return found


@click.command()
@json_option
@click.pass_context
@pass_workplace
def doctor(workplace: Workplace, context: click.Context, *, as_json: bool) -> None:
    """Say what is missing here, and what mends it."""
    symptoms = list(examine_machine(workplace.data))
    try:
        symptoms += examine_database(workplace.unmigrated_url)
    except RegularsError as error:
        symptoms.append(Symptom("database", ok=False, found=str(error), mend="see what it says"))
    well = all(symptom.ok for symptom in symptoms)
    if as_json:
        checks = [
            {"name": symptom.name, "ok": symptom.ok, "found": symptom.found, "mend": symptom.mend or None}
            for symptom in symptoms
        ]
        print_json({"ok": well, "checks": checks})
    else:
        for symptom in symptoms:
            click.echo(f"{'ok  ' if symptom.ok else 'ILL '} {symptom.name}: {symptom.found}")
            if not symptom.ok:
                click.echo(f"     {symptom.mend}")
    context.exit(0 if well else 1)


commands: tuple[click.Command, ...] = (db, doctor)
