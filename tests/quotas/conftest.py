"""Fixtures of the tests of quotas."""

import pytest
import redis.asyncio as aioredis

from tests.quotas.rig import Gate


@pytest.fixture
def gate(valkey: aioredis.Redis) -> Gate:
    """A gate on an empty server, on a clock that the test moves."""
    return Gate(valkey)
