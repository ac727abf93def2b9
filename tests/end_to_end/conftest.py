"""Fixtures of the proofs from end to end: a folder for one town, with a path short enough for a unix socket."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder for everything that one town leaves."""
    with tempfile.TemporaryDirectory(prefix="ptn-e-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the proofs time: real processes start slowly on a machine that others use too."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))
