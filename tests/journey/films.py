"""What a camera would see, as a film that Chromium plays instead of a camera (YUV4MPEG2)."""

import re
from pathlib import Path

from web.codes_shown import bars_of

WIDTH, HEIGHT = 640, 480
PAPER, TABLE, INK = 240, 96, 24
MODULE = 4
"""Pixels of the narrowest bar."""
QUIET = 11
"""Modules without ink beside the bars, as the standard has it."""


def film_a_card(path: Path, number: str) -> Path:
    """Write a film of the bars that a member's page shows for a card, lying on a table; returns `path`."""
    bars = bars_of(number)
    assert bars is not None
    first = (WIDTH - bars.modules * MODULE) // 2
    row = bytearray([TABLE] * WIDTH)
    row[first - QUIET * MODULE : first + (bars.modules + QUIET) * MODULE] = bytes([PAPER]) * (
        (bars.modules + 2 * QUIET) * MODULE
    )
    for place, width in re.findall(r"M(\d+) 0h(\d+)", bars.path):
        start, long = first + int(place) * MODULE, int(width) * MODULE
        row[start : start + long] = bytes([INK]) * long
    empty = bytes([TABLE]) * WIDTH
    picture = empty * (HEIGHT // 4) + bytes(row) * (HEIGHT // 2) + empty * (HEIGHT // 4)
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    frame = b"FRAME\n" + picture + grey
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420\n".encode() + frame * 2)
    return path
