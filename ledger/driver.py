"""Hot statements on the driver itself: compiled once per dialect, run without the library's work per call.

A statement is written with SQLAlchemy's expressions like every other, so that it is the same on each engine, but for `IN`, whose length
is known only when run. Values go in and come back as the driver has them. It must not begin or end transactions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection

#: most ids in one `IN (…)`
CHUNK = 500

_Prepare = Callable[[Mapping[str, Any]], Any]


class HotStatement:
    """One statement; its parameters are given by the names of its `bindparam`s."""

    __slots__ = ("_clause", "_compiled")

    def __init__(self, clause: ClauseElement) -> None:
        """Remember the expression; it is compiled when first run."""
        self._clause = clause
        self._compiled: dict[str, tuple[str, _Prepare]] = {}

    def rows(self, connection: Connection, /, **given: Any) -> list[Any]:
        """Run it and return all rows, as tuples."""
        return self._run(connection, given).fetchall()  # type: ignore[no-any-return]  # a driver's cursor has no types

    def first(self, connection: Connection, /, **given: Any) -> Any:
        """Run it and return the first row as a tuple, or None."""
        return self._run(connection, given).fetchone()

    def change(self, connection: Connection, /, **given: Any) -> int:
        """Run it and return how many rows it changed."""
        return self._run(connection, given).rowcount  # type: ignore[no-any-return]  # a driver's cursor has no types

    def _run(self, connection: Connection, given: Mapping[str, Any]) -> Any:
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            found = self._compiled[name] = self._compile(connection)
        text, prepare = found
        cursor: Any = connection.connection.cursor()
        cursor.execute(text, prepare(given))
        return cursor

    def _compile(self, connection: Connection) -> tuple[str, _Prepare]:
        compiled: Any = self._clause.compile(dialect=connection.dialect)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        order: Sequence[str] | None = compiled.positiontup
        if order is None:
            return str(compiled), lambda given: fixed | given
        return str(compiled), lambda given: [given[name] if name in given else fixed[name] for name in order]


def chunked(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield the ids in parts that fit one statement."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
