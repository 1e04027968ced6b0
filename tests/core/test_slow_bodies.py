"""Bodies that come slowly hold up nobody; those that stand still lose their connection."""

import io
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from core.slow_bodies import LONG_ONES_AT_ONCE, PIECE, STEP, TAKEN_IN_FIRST, Unhurried, connections_to

PATIENCE = 30.0


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def ask(application, body=b"", **changes):
    source = changes.pop("source", None) or io.BytesIO(body)
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": source, "SERVER_PORT": "1"} | changes
    told = {name: value for name, value in environ.items() if value is not None}
    return b"".join(application(told, lambda *_: None))


class Slow:
    """A body whose rest comes when it is let."""

    def __init__(self, body: bytes) -> None:
        self.body, self.come = io.BytesIO(body), threading.Event()
        self.asked = threading.Event()

    def read(self, size: int) -> bytes:
        self.asked.set()
        assert self.come.wait(PATIENCE)
        return self.body.read(size)


class TestUnhurried:
    @pytest.mark.parametrize("size", [1, PIECE, 3 * PIECE + 7, TAKEN_IN_FIRST, TAKEN_IN_FIRST + 1])
    @pytest.mark.parametrize("stated", [True, False], ids=["of a stated length", "of none"])
    def test_hands_over_every_byte(self, size, stated):
        body = bytes(range(256)) * (size // 256 + 1)
        without = {} if stated else {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
        assert ask(Unhurried(echo, at_once=1), body[:size], **without) == body[:size]

    def test_hands_over_what_came_of_a_body_that_was_cut(self):
        assert ask(Unhurried(echo, at_once=1), b"half", CONTENT_LENGTH="8") == b"half"

    def test_keeps_room_for_addresses_that_are_apart(self):
        working, may_end = threading.Semaphore(0), threading.Event()

        def stands(environ, start_response):
            working.release()
            assert may_end.wait(PATIENCE)
            return echo(environ, start_response)

        application = Unhurried(stands, at_once=1, apart={"/pos/": 2})
        places = ["/", "/pos/v1/cards/1", "/pos/v1/quotes", "/pos", "/pos/v1/quotes"]
        threads = [
            threading.Thread(target=lambda place=place: ask(application, b"x", PATH_INFO=place))
            for place in places
        ]
        for thread in threads:
            thread.start()
        for _ in range(3):
            assert working.acquire(timeout=PATIENCE)
        # One besides, two apart: the others wait for one of their own kind.
        assert not working.acquire(timeout=0.2)
        may_end.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert [working.acquire(timeout=PATIENCE) for _ in range(2)] == [True, True]

    def test_lets_others_work_while_bodies_are_on_their_way(self):
        application = Unhurried(echo, at_once=1)
        slow = [Slow(b"late") for _ in range(20)]
        long = [Slow(b"x" * (TAKEN_IN_FIRST + 1)) for _ in range(LONG_ONES_AT_ONCE + 1)]
        answers: list[bytes] = []
        threads = [
            threading.Thread(
                target=lambda one=one: answers.append(
                    ask(application, source=one, CONTENT_LENGTH=str(len(one.body.getvalue())))
                )
            )
            for one in (*slow, *long)
        ]
        for thread in threads:
            thread.start()
        assert all(one.asked.wait(PATIENCE) for one in slow)
        assert ask(application, b"quick") == b"quick"
        assert ask(application, CONTENT_LENGTH=None) == b""
        assert answers == []
        for one in (*slow, *long):
            one.come.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(map(len, answers)) == [4] * 20 + [TAKEN_IN_FIRST + 1] * len(long)


@pytest.fixture
def wires() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection of a client, and the server's side of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with client, accepted:
            yield client, accepted


class TestConnectionsTo:
    def test_are_those_that_were_accepted_and_leave_no_file_open(self, wires):
        client, accepted = wires
        port = accepted.getsockname()[1]
        for _ in range(3):
            found = list(connections_to(port))
            # Both ends are of this process here; the client's has another port of its own.
            assert [wire.getpeername() for _, wire in found] == [client.getsockname()]
            numbers = [wire.fileno() for _, wire in found]
            for _, wire in found:
                wire.close()
        assert min(numbers) < 1000


class TestABodyThatComesSlowly:
    def test_is_taken_whole_however_long_it_takes(self, wires):
        client, accepted = wires
        body = bytes(range(256)) * (10 * STEP // 256)

        def drip():
            for start in range(0, len(body), STEP):
                time.sleep(0.6)
                client.sendall(body[start : start + STEP])

        sender = threading.Thread(target=drip)
        sender.start()
        # As the server's: a read waits until all that it asks for is there.
        with accepted.makefile("rb") as source:
            application = Unhurried(echo, at_once=1, longest=3.0)
            port = str(accepted.getsockname()[1])
            taken = ask(application, source=source, CONTENT_LENGTH=str(len(body)), SERVER_PORT=port)
        sender.join()
        assert taken == body


class TestABodyThatStandsStill:
    @pytest.mark.parametrize("answered", [False, True], ids=["at first", "after an answer"])
    def test_loses_its_connection(self, wires, answered):
        client, accepted = wires
        client.sendall(b"half")
        if answered:
            accepted.sendall(b"an answer")
        source = accepted.makefile("rb", buffering=0)
        application = Unhurried(echo, at_once=1, longest=1.5)
        port = str(accepted.getsockname()[1])
        client.settimeout(PATIENCE)
        assert ask(application, source=source, CONTENT_LENGTH="8", SERVER_PORT=port) == b"half"
        source.close()
        while client.recv(100):
            pass
