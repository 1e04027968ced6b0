"""
Statements that travel together: sent in one packet, answered in one, prepared once per connection.

psycopg's own pipeline hands statements to the network one by one, and looks after each whether something
has come back. On the hot path that costs more than the statements themselves, on both sides of the wire. So
they are put together here, with psycopg's own adapters and libpq underneath.
"""

import re
import select
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import abc, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult

Values = Sequence[Any] | Mapping[str, Any]
Connection = psycopg.Connection[tuple[Any, ...]]

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?s|%%")


class _Wire:
    """What is known about a connection: what its server session has prepared, and how values are said on it."""

    __slots__ = ("age", "packer", "prepared", "unpacker")

    def __init__(self, connection: Connection) -> None:
        self.age = 0
        self.prepared: set[int] = set()
        self.packer: abc.Transformer = Transformer(connection)
        self.unpacker: abc.Transformer = Transformer(connection)

    def forget(self) -> None:
        """Prepare everything anew, under other names: what was prepared does not fit the database any more."""
        self.prepared.clear()
        self.age += 1


_WIRE = "regulars_wire"


def _wire_of(connection: Connection) -> _Wire:
    # Kept on the connection and nowhere else: it knows the connection itself, and must end with it.
    known: _Wire | None = vars(connection).get(_WIRE)
    if known is None:
        known = vars(connection)[_WIRE] = _Wire(connection)
    return known


_numbers = count(1)


class _Text:
    """A statement as the server wants it: `$1` for each place; equal names share a place."""

    __slots__ = ("names", "number", "picked", "sql")

    def __init__(self, statement: str) -> None:
        self.number = next(_numbers)
        names: list[str | None] = []

        def place(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            name = match["name"]
            if name is None or name not in names:
                names.append(name)
                return f"${len(names)}"
            return f"${names.index(name) + 1}"

        self.sql = _PLACEHOLDER.sub(place, statement).encode()
        self.names = [name for name in names if name is not None]
        if 0 < len(self.names) < len(names):
            raise psycopg.ProgrammingError("a statement names all of its places, or none")
        self.picked = itemgetter(*self.names) if len(self.names) > 1 else None

    def called(self, age: int) -> bytes:
        """Return its name in a server session that was forgotten `age` times."""
        return b"trip_%d_%d" % (age, self.number)

    def ordered(self, values: Values) -> Sequence[Any]:
        """Return the values in the order of their places."""
        if self.picked is not None:
            picked: Sequence[Any] = self.picked(values)
            return picked
        if isinstance(values, Mapping):
            return [values[name] for name in self.names]
        return values


_text = lru_cache(maxsize=2048)(_Text)
_columns: dict[str, tuple[str, ...]] = {}


class Answer:
    """What a statement came to, once its trip is over; read like psycopg's cursor."""

    __slots__ = ("_at", "_result", "_unpacker", "statement", "values")

    def __init__(self, statement: str, values: Values) -> None:
        self.statement = statement
        self.values = values
        self._result: PGresult | None = None
        self._unpacker: abc.Transformer | None = None
        self._at = 0

    def came(self, result: PGresult, unpacker: abc.Transformer) -> None:
        """Keep what the server answered, and what makes rows of it."""
        self._result, self._unpacker = result, unpacker

    @property
    def rowcount(self) -> int:
        """How many rows the statement returned or changed."""
        result = self._came()
        return result.ntuples if result.status == ExecStatus.TUPLES_OK else result.command_tuples or 0

    def fetchone(self) -> Any:
        """Return the next row as a tuple; None when there is none left."""
        if self._at >= self._came().ntuples:
            return None
        row = self._loader().load_row(self._at, tuple)
        self._at += 1
        return row

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        rows = self._loader().load_rows(self._at, self._came().ntuples, tuple)
        self._at = self._came().ntuples
        return rows

    def named(self) -> dict[str, Any] | None:
        """Return the next row by the names of its columns; None when there is none left."""
        row = self.fetchone()
        return None if row is None else dict(zip(self._names(), row, strict=True))

    def _names(self) -> Sequence[str]:
        """Return the names of the columns: those that the statement had the last time, if there are as many."""
        known, result = _columns.get(self.statement, ()), self._came()
        if len(known) != result.nfields:
            known = tuple([(result.fname(column) or b"").decode() for column in range(result.nfields)])
            _columns[self.statement] = known
        return known

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""
        return iter(self.fetchall())

    def _came(self) -> PGresult:
        if self._result is None:
            raise psycopg.ProgrammingError("the statement has not travelled yet")
        return self._result

    def _loader(self) -> abc.Transformer:
        assert self._unpacker is not None
        # One for all answers of a connection, which remembers the types that it has met.
        if self._unpacker.pgresult is not self._result:
            self._unpacker.set_pgresult(self._came())
        return self._unpacker


_STALE = (errors.FeatureNotSupported, errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)
"""What the server says to a statement whose result has another shape now, that is gone, or there already."""


def travel(
    connection: Connection, answers: Sequence[Answer], *, begin: bool = False, end: bool = False
) -> None:
    """
    Do the statements of `answers` in their order, in one round trip.

    With `begin` a transaction is begun before them, with `end` it is committed after them, if none fails. Raises
    psycopg's error of the first that fails; none after it was done. A statement that was prepared before the schema
    changed raises its SerializationFailure. Who is stopped while waiting, by a signal or
    otherwise, loses the connection.
    """
    wire = connection.pgconn
    if wire.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection is closed")
    of_wire = _wire_of(connection)
    packed = [_packed(of_wire.packer, answer) for answer in answers]
    try:
        fresh = _send(wire, of_wire, packed, begin=begin, end=end)
        results = _receive(wire)
    except BaseException:
        # Nobody can tell what is still under way.
        wire.finish()
        raise
    wrong = _look(results[1:] if begin else results, fresh, of_wire, answers)
    wrong = results[0] if begin and results[0].status == ExecStatus.FATAL_ERROR else wrong
    if wrong is None:
        return
    error = errors.error_from_result(wrong, connection.info.encoding)
    if isinstance(error, _STALE):
        # The schema changed under what was prepared. Nothing is committed, so a new attempt may do it all again.
        of_wire.forget()
        raise errors.SerializationFailure(f"prepared anew: {error}") from error
    raise error


def _packed(packer: abc.Transformer, answer: Answer) -> tuple[_Text, Sequence[Any]]:
    """Return a statement with its values as the server reads them: in words, whose types it tells by their places."""
    text = _text(answer.statement)
    values = [
        (_array(value) or value) if type(value) is list else value for value in text.ordered(answer.values)
    ]
    return text, packer.dump_sequence(values, [PyFormat.TEXT] * len(values))


def _array(values: list[Any]) -> str | None:
    """Return a list of texts, or of whole numbers, as the server reads arrays; None for any other, which psycopg can say."""
    try:
        # Codes of articles, nearly always: all are texts, and none has anything to escape.
        plain = '","'.join(values)
    except TypeError:
        return _array_with_gaps(values)
    if values and "\\" not in plain and plain.count('"') == 2 * (len(values) - 1):
        return f'{{"{plain}"}}'
    return _array_with_gaps(values)


_WHOLE = {int, type(None)}
_TEXTS = {str, type(None)}


def _array_with_gaps(values: list[Any]) -> str | None:
    kinds = set(map(type, values))
    if kinds <= _WHOLE:
        return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
    if not kinds <= _TEXTS:
        return None
    plain = "".join(filter(None, values))
    if "\\" in plain or '"' in plain:
        values = [value and value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in values]) + "}"


def _send(
    wire: PGconn,
    of_wire: _Wire,
    packed: Iterable[tuple[_Text, Sequence[Any]]],
    *,
    begin: bool,
    end: bool,
) -> list[_Text | None]:
    """Put everything on the wire; return what each result will be of: a statement prepared anew, or None."""
    fresh: list[_Text | None] = []
    prepared: set[int] = set()
    wire.enter_pipeline_mode()
    if begin:
        wire.send_query_params(b"begin", None)
    for text, values in packed:
        called = text.called(of_wire.age)
        if text.number not in of_wire.prepared and text.number not in prepared:
            prepared.add(text.number)
            wire.send_prepare(called, text.sql)
            fresh.append(text)
        wire.send_query_prepared(called, values)
        fresh.append(None)
    if end:
        wire.send_query_params(b"commit", None)
    wire.pipeline_sync()
    return fresh


def _receive(wire: PGconn) -> list[PGresult]:
    """Return the results of everything that was sent, one each; the pipeline is over then."""
    waiting = select.poll()
    while wire.flush() == 1:
        waiting.register(wire.socket, select.POLLIN | select.POLLOUT)
        waiting.poll()
        wire.consume_input()
    waiting.register(wire.socket, select.POLLIN)
    results: list[PGresult] = []
    while True:
        while wire.is_busy():
            waiting.poll()
            wire.consume_input()
        result = wire.get_result()
        if result is None:
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            break
        results.append(result)
        if wire.status != ConnStatus.OK:
            raise errors.error_from_result(result)
    wire.exit_pipeline_mode()
    return results


def _look(
    results: Sequence[PGresult],
    fresh: Sequence[_Text | None],
    of_wire: _Wire,
    answers: Sequence[Answer],
) -> PGresult | None:
    """Give each statement its result and remember what is prepared now; return the first that is an error."""
    waiting = iter(answers)
    for text, result in zip(fresh, results, strict=False):
        if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            break
        if text is not None:
            of_wire.prepared.add(text.number)
        else:
            next(waiting).came(result, of_wire.unpacker)
    return next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)


def in_pipeline(connection: Connection) -> bool:
    """Return whether psycopg's own pipeline is open on `connection`, in which nothing else may be sent."""
    return connection.pgconn.pipeline_status != PipelineStatus.OFF
