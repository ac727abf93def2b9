"""Connections that are opened once for each thread and kept: a pool's work would cost as much as a short transaction itself.

A connection on which anything but a verb's own answer went wrong is closed, and the thread's next transaction opens another.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import PratunamError


class KeptConnections:
    """One connection a thread, on one engine."""

    def __init__(self, engine: Engine) -> None:
        """Open nothing until the first transaction."""
        self._engine = engine
        self._of_thread = threading.local()
        self._open: list[Connection] = []

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give this thread's connection within a transaction, committed at the end of the block."""
        connection = self.mine()
        try:
            with connection.begin():
                yield connection
        except PratunamError:
            raise
        except BaseException:
            self._drop(connection)
            raise

    def mine(self) -> Connection:
        """Return this thread's connection."""
        connection: Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._engine.connect()
            self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close all; no thread may be using one any more."""
        while self._open:
            self._open.pop().close()
        self._engine.dispose()

    def _drop(self, connection: Connection) -> None:
        self._of_thread.connection = None
        self._open.remove(connection)
        with suppress(SQLAlchemyError):  # it is of no use any more, whatever it says to that
            connection.close()
