"""Fixtures of the tests of the scheduler."""

import pytest

from tests.scheduler.fakes import Stage, policy


@pytest.fixture
def stage() -> Stage:
    """Two parties with two accounts each, always open, the first generation begun."""
    return Stage(policy({"A": 2, "B": 2}))
