"""Sessions of PostgreSQL that end when their server falls silent: stopped, cut off without a word, or a primary that hangs.

The driver waits without limit for an answer, and what stands between (a proxy, the kernel of a host that hangs) may keep a connection
alive that nobody serves. So whoever has waited long is looked for on a session of its own; where the server that may be written has no
such session, or none answers, the waiting one is cut, which the driver tells as a connection that broke. It must not judge errors.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

#: a wait that is longer is looked into (s), and how often is looked for such (s)
PATIENCE_S, EVERY_S = 10.0, 1.0


class Session(psycopg.Connection[Any]):
    """One session; `born` tells it from any other that its server ever had."""

    born = ""
    _lever = -1

    def take_lever(self) -> None:
        """Keep a hold of the connection that stays good while the driver waits on it in another thread."""
        self._lever = os.dup(self.fileno())

    def cut(self) -> None:
        """Break the connection; whoever waits on it is told at once."""
        with suppress(OSError), socket.socket(fileno=os.dup(self._lever)) as end:
            end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, and let go of what was kept."""
        super().close()
        lever, self._lever = self._lever, -1
        if lever >= 0:
            os.close(lever)


@dataclass(slots=True, eq=False)
class _Waiting:
    session: Session
    is_served: Callable[[], bool]
    since: float
    is_asked: bool = False


class Watch:
    """One for a process; its thread begins with the first session."""

    def __init__(self) -> None:
        """Watch nothing."""
        self._changed = threading.Condition()
        self._waiting: set[_Waiting] = set()
        self._thread: threading.Thread | None = None
        self._is_idle = False

    @contextmanager
    def over(self, session: Session, is_served: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Watch a session while the block waits on it; when that takes long and `is_served` says no, cut it."""
        waiting = _Waiting(session, is_served, time.monotonic())
        with self._changed:
            self._waiting.add(waiting)
            if self._is_idle:  # told once a spell of work, not at each verb: a wake costs more than a look
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._waiting.discard(waiting)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._is_idle:
                    self._changed.wait_for(lambda: self._waiting)
                    self._is_idle = False
                self._changed.wait(EVERY_S)
                self._is_idle = not self._waiting
                now = time.monotonic()
                due = [one for one in self._waiting if not one.is_asked and now - one.since >= PATIENCE_S]
            for one in due:
                one.is_asked = True
                threading.Thread(target=self._look, args=(one,), name="ledger-look", daemon=True).start()

    def _look(self, one: _Waiting) -> None:
        if one.is_served():
            one.since, one.is_asked = time.monotonic(), False
            return
        with self._changed:
            if one in self._waiting:
                one.session.cut()


WATCH = Watch()
