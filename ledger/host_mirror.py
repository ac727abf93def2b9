"""The commit counter of one host, beside its keys, where the ledger's database is shared by several. It knows no SQL.

Each host counts its own commits, so that hosts never wait for one another to count; by any of them a database that was put back from a
copy, or fell back to a standby that lacked commits, is noticed.
"""

import fcntl
import os
import secrets
import threading
from pathlib import Path

from ledger.meta import CommitMirror

_COUNT_BYTES = 21
_NAME_BYTES = 16


class HostMirror(CommitMirror):
    """The counter and the host's name in one file; several threads and processes of the host use it at once."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a new one gets a name of its own."""
        super().__init__(path)
        self._lock = threading.Lock()
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if len(self._name()) != _NAME_BYTES:
                name = secrets.token_hex(_NAME_BYTES // 2)
                os.pwrite(self._file, b"%020d\n%s\n" % (self.read(), name.encode()), 0)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self.host = self._name().decode()

    def read(self) -> int:
        """Return the last counter written (0 at first)."""
        text = os.pread(self._file, _COUNT_BYTES, 0).strip()
        return int(text) if text.isdigit() else 0

    def write(self, commits: int) -> None:
        """Write the counter unless a later one stands there."""
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                if commits > self.read():
                    super().write(commits)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _name(self) -> bytes:
        return os.pread(self._file, _NAME_BYTES, _COUNT_BYTES)
