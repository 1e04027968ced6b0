"""Reactions: what a member's answers to offers amount to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

React = Literal["accepted", "not_now", "never", "wrong_product"]
Scope = Literal["item", "category", "all"]

REACTIONS: tuple[React, ...] = ("accepted", "not_now", "never", "wrong_product")
SCOPES: tuple[Scope, ...] = ("item", "category", "all")

PAUSE = timedelta(days=30)
"""So long "not now" holds; "never" and "wrong product" hold until they are taken back."""

Subject = tuple[str, int | str | None]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer; about the category when there is one, else about the article, else about everything."""

    reaction: str
    scope: str
    article_id: int | None
    category: str | None
    recorded_at: datetime

    @property
    def subject(self) -> Subject:
        """What the answer is about; a later answer about the same takes its place."""
        if self.scope == "all":
            return "all", None
        if self.category is not None:
            return "category", self.category
        return "item", self.article_id

    def refuses(self, now: datetime) -> bool:
        """Whether the subject is not to be offered at `now`."""
        if self.reaction == "not_now":
            return now < self.recorded_at + PAUSE
        return self.reaction != "accepted"


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a member is not to be offered, in any channel."""

    everything: bool = False
    categories: frozenset[str] = frozenset()
    articles: frozenset[int] = frozenset()

    def cover(self, article_id: int, category: str | None) -> bool:
        """Return whether an article is among what was refused."""
        return self.everything or article_id in self.articles or category in self.categories


def standing_refusals(answers: Iterable[Answered], *, now: datetime) -> Refusals:
    """
    Return what stands refused at `now` after `answers`, which are given from the oldest to the newest.

    The newest answer about a subject holds: "accepted" takes a refusal of the same subject back.
    """
    newest = {answer.subject: answer for answer in answers}
    refused = [subject for subject, answer in newest.items() if answer.refuses(now)]
    return Refusals(
        everything=("all", None) in refused,
        categories=frozenset(str(name) for kind, name in refused if kind == "category"),
        articles=frozenset(number for kind, number in refused if kind == "item" and isinstance(number, int)),
    )
