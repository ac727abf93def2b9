"""Who writes next, where several processes of one machine share a file: a lock that is handed on at once, in the order of asking.

SQLite's own waiting polls with growing pauses, up to 100 ms; polling faster lets whoever looks at the right moment go first. The kernel
wakes waiters in turn. The lock ends with its process, and a program that does not know it still meets SQLite's own.
It must not know what is written.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Busy


class Turnstile:
    """One lock file; several threads and processes take turns."""

    def __init__(self, path: Path, patience_s: float) -> None:
        """Make the file where there is none; who waits longer than `patience_s` is told Busy."""
        self._path = path
        self._patience_s = patience_s
        os.close(self._open())

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the turn while the block runs. Raises Busy: whoever has it may be stopped for good (SIGSTOP)."""
        file = self._open()
        if not taken_at_once(file):
            self._wait(file)
        try:
            yield
        finally:
            # closing alone would leave it to a child that was forked meanwhile
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)

    def _open(self) -> int:
        return os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)

    def _wait(self, file: int) -> None:
        # the kernel's waiting knows no time-out, so it is done by a thread that is left behind where it takes too long
        granted: Future[None] = Future()
        threading.Thread(target=_take, args=(file, granted), name="ledger-turn", daemon=True).start()
        try:
            granted.result(self._patience_s)
        except TimeoutError:
            if granted.cancel():
                raise Busy("The ledger is busy.", message_th="สมุดงานกลางไม่ว่างชั่วขณะ") from None
            granted.result()


def taken_at_once(file: int) -> bool:
    """Take a file's lock where nobody has it, and say whether that was so; it ends with the file's handles."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(file: int, granted: Future[None]) -> None:
    """Wait for the lock; where nobody waits for it any more, give it back."""
    fcntl.flock(file, fcntl.LOCK_EX)
    if granted.set_running_or_notify_cancel():
        granted.set_result(None)
    else:
        os.close(file)
