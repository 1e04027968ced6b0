"""What must always hold, checked against the database as it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database import Sessions

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """How many violations there are, and the first few in words."""

    violations: int
    examples: tuple[str, ...] = ()


class Check(Protocol):
    """An invariant: its code (such as "I1"), its promise in one sentence, and how to look for violations."""

    @property
    def code(self) -> str:
        """The invariant's number."""

    @property
    def promise(self) -> str:
        """What always holds."""

    def look(self, session: Session) -> Findings:
        """Return what breaks the promise, changing nothing."""


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """A check that is one SELECT: each row it returns is a violation, described by its first column."""

    code: str
    promise: str
    query: str

    def look(self, session: Session) -> Findings:
        """Return the rows of the query, counted by the database."""
        violations = session.scalar(text(f"select count(*) from ({self.query}) as violation")) or 0
        if not violations:
            return Findings(0)
        rows = session.execute(text(f"{self.query} limit {EXAMPLES}"))
        return Findings(violations, tuple(str(row[0]) for row in rows))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found."""

    code: str
    promise: str
    violations: int
    examples: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the promise holds."""
        return self.violations == 0


def verify(sessions: Sessions, checks: Iterable[Check]) -> list[Verdict]:
    """Return the verdict of each check, all of them looking at one and the same moment of the database."""
    with sessions.begin() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return [
            Verdict(check.code, check.promise, found.violations, found.examples)
            for check in checks
            for found in (check.look(session),)
        ]
