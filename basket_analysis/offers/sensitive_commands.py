"""`regulars offers sensitive`: which kinds of articles are too private for personal offers."""

import click
from sqlalchemy import select

from basket_analysis.models import SensitiveWord
from basket_analysis.offers.sensitive import TOPICS
from basket_analysis.offers.sensitive_operations import forget_sensitive_word, set_sensitive_word
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2

ACTOR = "command line"


@click.command("sensitive")
@click.option("--add", metavar="WORD", help="A word that makes articles private; * stands for any ending.")
@click.option("--topic", help="What it is about, with --add.")
@click.option("--lift", metavar="WORD", help="A word that means nothing private here.")
@click.option("--forget", metavar="WORD", help="Take back what was said about a word.")
@json_option
@pass_workplace
@refusals_exit_2
def sensitive(
    workplace: Workplace,
    *,
    add: str | None,
    topic: str | None,
    lift: str | None,
    forget: str | None,
    as_json: bool,
) -> None:
    """
    List, add and lift words that keep articles out of personal offers and their reasons.

    They are looked for in an article's type, category and department. The next night goes by what is changed.
    """
    if (add is None) != (topic is None):
        raise click.UsageError("--add and --topic go together")
    now = clock.now()
    with workplace.sessions.begin() as session:
        if add is not None and topic is not None:
            set_sensitive_word(session, word=add, topic=topic, sensitive=True, actor=ACTOR, now=now)
        if lift is not None:
            set_sensitive_word(session, word=lift, topic="none", sensitive=False, actor=ACTOR, now=now)
        if forget is not None:
            forget_sensitive_word(session, word=forget, actor=ACTOR, now=now)
        rows = session.execute(
            select(SensitiveWord.word, SensitiveWord.topic, SensitiveWord.sensitive).order_by(
                SensitiveWord.word
            )
        ).all()
    known = {name: [word.strip() for word in words.split(";")] for name, words in TOPICS.items()}
    if as_json:
        own = [{"word": row.word, "topic": row.topic, "sensitive": row.sensitive} for row in rows]
        print_json({"known": known, "own": own})
        return
    for name, words in known.items():
        click.echo(f"{name}: {', '.join(words)}")
    for row in rows:
        click.echo(f"{row.word}: {row.topic if row.sensitive else 'nothing private here'}")


parts: tuple[click.Command, ...] = (sensitive,)
