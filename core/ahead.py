"""Working ahead: the next items are made in a thread while the last one is being used."""

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 0.1


def ahead(items: Iterable[T], *, depth: int = 1) -> Iterator[T]:
    """
    Yield `items` in their order, of which up to `depth` are made before they are asked for.

    Worth it where making an item and using it both leave Python's lock, as arrow and
    the database's driver do. What making one raises is raised here, in its place.
    """
    maker = _Maker(items, depth)
    maker.start()
    try:
        yield from maker.made()
    finally:
        maker.wanted.clear()
        maker.join()


class _End:
    """Comes after the last item, with the error that ended it, if there was one."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Maker(threading.Thread, Generic[T]):
    """Makes items into a queue for as long as somebody wants them."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        super().__init__(name="ahead", daemon=True)
        self._items = items
        self._queue: Queue[T | _End] = Queue(depth)
        self.wanted = threading.Event()
        self.wanted.set()

    def run(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                self._put(item)
                if not self.wanted.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - it is raised again where the item was wanted
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> None:
        while self.wanted.is_set():
            try:
                self._queue.put(item, timeout=SECONDS_BETWEEN_LOOKS)
            except Full:
                continue
            return

    def made(self) -> Iterator[T]:
        while True:
            try:
                item = self._queue.get(timeout=SECONDS_BETWEEN_LOOKS)
            except Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
