"""What the demonstration remembers in its data folder: how it was made, and whom it told what."""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from core.errors import Refused
from core.whole_files import whole_file

FORMAT = 1


class OtherDemonstration(Refused):
    """The data folder holds a demonstration that was made otherwise."""


@dataclass
class DemoRecord:
    """
    The demonstration of one data folder, kept in `demo.json`.

    It holds passwords and a till key, as they were printed: its file is the owner's
    alone, and what it tells is for a demonstration on this machine only.
    """

    as_is: bool
    weeks: int
    last_day: date
    """The last business date of the data, moved."""
    files: dict[str, int] = field(default_factory=dict)
    """What was written for import; empty until all of it was."""
    imported: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each import did."""
    passwords: dict[str, str] = field(default_factory=dict)
    """By login."""
    till: dict[str, str] = field(default_factory=dict)
    """Store, till and key."""
    night: date | None = None
    complete: bool = False

    @classmethod
    def read(cls, path: Path) -> "DemoRecord | None":
        """Return what the file holds, None when there is none; raises `OtherDemonstration`."""
        if not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format", None) != FORMAT:
            raise OtherDemonstration(
                f"{path} was written by another version of Regulars; start again with --fresh"
            )
        night = content.pop("night")
        return cls(
            **{
                **content,
                "last_day": date.fromisoformat(content["last_day"]),
                "night": night and date.fromisoformat(night),
            }
        )

    def write(self, path: Path) -> None:
        """Keep everything in the file, whole or not at all, readable by its owner only."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=2, default=str)
        with whole_file(path) as file:
            file.write(text.encode())
