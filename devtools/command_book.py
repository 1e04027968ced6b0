"""
Write docs/command-line.md: what `--help` says of every command.

`python -m devtools.command_book` after a command changed; a test holds the book to the commands.
"""

from collections.abc import Iterator

import click

from cli import BOOK, regulars

WIDTH = 78
PREFACE = """\
# The command line

What `regulars … --help` says of every command. `regulars` stands in `.venv/bin` after set-up, and finds the database by
`DATABASE_URL` or `--data DIR`. Answers go to stdout, everything else to stderr; exit code 2 is for input that was refused,
1 for work that failed.
"""


def book() -> str:
    """Return the whole text."""
    root = click.Context(regulars, info_name="regulars", terminal_width=WIDTH)
    pages = (f"\n## {title}\n\n```text\n{text}\n```\n" for title, text in _pages(root))
    return PREFACE + "".join(pages)


def _pages(context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path.split(" [")[0], context.get_help()
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            if part is not None:
                yield from _pages(click.Context(part, info_name=name, parent=context))


if __name__ == "__main__":
    BOOK.write_text(book(), encoding="utf-8")
