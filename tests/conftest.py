"""Fixtures of every test: an environment without the caller's settings, a home of its own, and files in memory where there is room."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.postgres"]
_MEMORY = Path("/dev/shm")
#: what must be free there: two clusters of PostgreSQL and the files of two tests (bytes)
_ROOM_BYTES = 1 << 30


def pytest_configure() -> None:
    """Have temporary files lie in memory: commits are synced as in earnest and yet wait for no disk. A caller's TMPDIR stands."""
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    if has_room and "TMPDIR" not in os.environ:
        # test processes and all that they start find it there; a kill of a process loses none of it
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches one."""
    for name in [n for n in os.environ if n.startswith("PRATUNAM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home directory for one test; its path is short, since unix-socket paths end at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ptn-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o700)
        monkeypatch.setenv("PRATUNAM_HOME", str(path))
        yield path
