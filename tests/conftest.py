"""Fixtures of every test: an environment without the caller's settings, and a home of its own."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.postgres"]


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
