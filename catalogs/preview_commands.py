"""The command `regulars catalogs preview`: a theme on its dummy data, for whoever designs or chooses one."""

from pathlib import Path

import click

from catalogs.layouts import load_theme
from catalogs.pdf.composing import compose
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_booklet
from core.commandline import refusals_exit_2
from core.i18n import LANGUAGES


@click.command()
@click.argument("theme")
@click.option("--size", default="A4", show_default=True, help="A4 or A5.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option(
    "--colour", type=click.IntRange(min=0), default=0, show_default=True, help="Number of the colour scheme."
)
@click.option("--offers", type=click.IntRange(min=0), help="So many articles at most, as a small shop has.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("preview.pdf"), show_default=True)
@refusals_exit_2
def preview(theme: str, *, size: str, language: str, colour: int, offers: int | None, out: Path) -> None:
    """Show a THEME as a PDF of invented articles."""
    design = load_theme(theme, size)
    booklet = preview_booklet(design, language, colour=colour, offers=offers)
    document = compose(booklet, Typesetter(design, None))
    out.write_bytes(document.content)
    click.echo(f"{out}: {document.pages} pages, {len(document.content):,} bytes")
