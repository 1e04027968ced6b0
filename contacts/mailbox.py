"""A mailbox for demonstrations: it takes every mail and keeps it as a file that any mail program opens."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from core import clock

HOST: Final = "127.0.0.1"
LARGEST: Final = 64 * 1024**2


class Mailbox:
    """Keeps mails in `folder`, one `.eml` file each, named by moment and recipient."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail."""
        self._kept += 1
        recipient = re.sub(r"[^A-Za-z0-9@._-]", "_", ",".join(envelope.rcpt_tos))[:80]
        moment = clock.now().strftime("%Y%m%d-%H%M%S")
        path = self._folder / f"{moment}-{self._kept:04d}-{recipient}.eml"
        path.write_bytes(envelope.content)
        return "250 Kept"


class _Controller(Controller):
    def factory(self) -> Any:
        return SMTP(self.handler, enable_SMTPUTF8=True, data_size_limit=LARGEST)


@contextmanager
def open_mailbox(folder: Path, *, port: int) -> Iterator[int]:
    """Take mail on a port of this machine (0: any free one) for as long as the block lasts; yields the port."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = port or _free_port()
    controller = _Controller(Mailbox(folder), hostname=HOST, port=taken)
    controller.start()
    try:
        yield taken
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])
