"""Reactions: what a member's answers to offers amount to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

React = Literal["accepted", "not_now", "never", "wrong_product"]
Scope = Literal["item", "category", "all"]

REACTIONS: tuple[React, ...] = ("accepted", "not_now", "never", "wrong_product")
SCOPES: tuple[Scope, ...] = ("item", "category", "all")
TAKEN_BACK = "taken_back"
"""What stands in the place of an answer from the moment the member takes it back."""
OPEN_CASE = "open_case"
"""No answer, but an open case about an article, which quiets it and its category until it is resolved."""

PAUSE = timedelta(days=30)
"""So long "not now" holds; "never" and "wrong product" hold until they are taken back."""

Subject = tuple[str, int | str | None]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer; about the category when there is one, else the article, else the offer, else everything."""

    reaction: str
    scope: str
    article_id: int | None
    category: str | None
    recorded_at: datetime
    offer_code: str | None = None
    name: str | None = None
    """How the article is called, where that is known."""

    @property
    def subject(self) -> Subject:
        """What the answer is about; a later answer about the same takes its place."""
        if self.scope == "all":
            return "all", None
        if self.category is not None:
            return "category", self.category
        if self.article_id is None and self.offer_code is not None:
            return "offer", self.offer_code
        return "item", self.article_id

    def until(self) -> datetime | None:
        """Return the moment at which a refusal ends by itself; None for those that do not."""
        return self.recorded_at + PAUSE if self.reaction == "not_now" else None

    def refuses(self, now: datetime) -> bool:
        """Whether the subject is not to be offered at `now`."""
        if self.reaction in {"accepted", TAKEN_BACK}:
            return False
        until = self.until()
        return until is None or now < until


@dataclass(frozen=True, slots=True)
class Refusals:
    """
    What a member is not to be offered, in any channel.

    What is quieted was not refused: the member has an open case about the article, and nobody praises it, or what
    is like it, to them until that is resolved.
    """

    everything: bool = False
    categories: frozenset[str] = frozenset()
    articles: frozenset[int] = frozenset()
    offers: frozenset[str] = frozenset()
    quieted_articles: frozenset[int] = frozenset()
    quieted_categories: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset(), compare=False)
    """How refused and quieted articles are called: who refused one is not offered another that reads just the same."""

    def cover(self, article_id: int, category: str | None, name: str | None = None) -> bool:
        """Return whether an article is among what was refused or is quieted, or is called as one that is."""
        return (
            self.everything
            or article_id in self.articles
            or category in self.categories
            or article_id in self.quieted_articles
            or category in self.quieted_categories
            or (name is not None and name in self.names)
        )

    def called(self, names: Iterable[str]) -> "Refusals":
        """Return the same, with what its articles are called."""
        return replace(self, names=self.names.union(names))

    def cover_category(self, category: str) -> bool:
        """Return whether a whole category was refused or is quieted."""
        return self.everything or category in self.categories or category in self.quieted_categories

    def cover_offer(self, offer_code: str) -> bool:
        """Return whether the offer itself was refused, or everything was."""
        return self.everything or offer_code in self.offers


def standing_refusals(answers: Iterable[Answered], *, now: datetime) -> Refusals:
    """
    Return what stands refused at `now` after `answers`, which are given from the oldest to the newest.

    The newest answer about a subject holds: "accepted" takes a refusal of the same subject back, and so does
    "taken_back". Open cases count apart, since an answer does not end them.
    """
    newest: dict[Subject, Answered] = {}
    cases: list[Answered] = []
    for answer in answers:
        if answer.reaction == OPEN_CASE:
            cases.append(answer)
        else:
            newest[answer.subject] = answer
    standing = {subject: answer for subject, answer in newest.items() if answer.refuses(now)}
    refused = list(standing)
    named = [*(answer for (kind, _what), answer in standing.items() if kind == "item"), *cases]
    return Refusals(
        everything=("all", None) in refused,
        categories=frozenset(str(name) for kind, name in refused if kind == "category"),
        articles=frozenset(number for kind, number in refused if kind == "item" and isinstance(number, int)),
        offers=frozenset(str(code) for kind, code in refused if kind == "offer"),
        quieted_articles=frozenset(case.article_id for case in cases if case.article_id is not None),
        quieted_categories=frozenset(case.category for case in cases if case.category is not None),
        names=frozenset(answer.name for answer in named if answer.name is not None),
    )
