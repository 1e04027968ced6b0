"""A line of time in weeks, with a bar for everything that runs: offers, programme versions, tier schemes, catalogs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup, escape

WEEK: Final = 7
MOST_WEEKS: Final = 26


@dataclass(frozen=True, slots=True)
class Window:
    """Some whole weeks, from a Monday on."""

    monday: date
    weeks: int

    @property
    def following(self) -> date:
        """The day after its last day."""
        return self.monday + timedelta(weeks=self.weeks)

    @property
    def mondays(self) -> tuple[date, ...]:
        """The Mondays of its weeks."""
        return tuple(self.monday + timedelta(weeks=number) for number in range(self.weeks))

    def holds(self, start: date | None, following: date | None) -> bool:
        """Return whether a period, None where it is open, reaches into it."""
        return (start is None or start < self.following) and (following is None or following > self.monday)


@dataclass(frozen=True, slots=True)
class Run:
    """Something on the line: a name, where it leads, from when until before when, and how it is drawn."""

    name: str
    href: str | None
    note: str
    start: date | None
    following: date | None
    meaning: str
    """runs, planned, draft or over."""
    series: str = "0"


@dataclass(frozen=True, slots=True)
class Lane:
    """Runs under one title."""

    title: str
    runs: tuple[Run, ...]


def window(asked: str | None, today: date, weeks: int = 13) -> Window:
    """Return the weeks to show: from the Monday of the day asked for, else from two weeks before today."""
    try:
        first = date.fromisoformat(asked or "")
    except ValueError:
        first = today - timedelta(weeks=2)
    first = min(max(first, date(2000, 1, 3)), date(2100, 1, 4))
    return Window(first - timedelta(days=first.weekday()), min(max(weeks, 4), MOST_WEEKS))


def drawn(run: Run, shown: Window, today: date, *, label: str) -> Markup:
    """Return the bar of a run on the whole width of the window, with the present day marked; ends left open fade out."""
    days = shown.weeks * WEEK
    start = max(0, (run.start - shown.monday).days) if run.start else 0
    end = min(days, (run.following - shown.monday).days) if run.following else days
    place = (today - shown.monday).days
    now = f'<path class="time-now" d="M{place + 0.5} 0v10"/>' if 0 <= place < days else ""
    return Markup(  # noqa: S704 - numbers of ours, and every word escaped
        f'<svg class="time series-{escape(run.series)}" viewBox="0 0 {days} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><path class="time-week" d="{_week_lines(shown.weeks)}"/>'
        f'<rect class="time-run time-{escape(run.meaning)}" x="{start}" y="2" width="{max(end - start, 0.5)}" height="6"/>{now}</svg>'
    )


def _week_lines(weeks: int) -> str:
    return "".join(f"M{week * WEEK} 0v10" for week in range(1, weeks))


def lanes_in(lanes: Iterable[Lane], shown: Window) -> list[Lane]:
    """Return the lanes with what reaches into the window, in order of their beginnings."""
    found = []
    for lane in lanes:
        runs = [run for run in lane.runs if shown.holds(run.start, run.following)]
        runs.sort(key=lambda run: (run.start or date.min, run.name))
        found.append(Lane(lane.title, tuple(runs)))
    return found


def successive(starts: Sequence[date]) -> list[tuple[date, date | None]]:
    """Return the periods of things each of which ends where the next begins."""
    return [(start, following) for start, following in zip(starts, [*starts[1:], None], strict=False)]
