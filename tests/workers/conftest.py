"""Fixtures that several tests of sessions share."""

from collections.abc import AsyncIterator

import pytest

from tests.workers.bench import Bench
from tests.workers.surroundings import surroundings
from tests.workers.wires.scripted import Scripted, scripted_registrar


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    """A registrar that accepts everything until told otherwise."""
    async with scripted_registrar() as running:
        yield running


@pytest.fixture
async def work(server: Scripted) -> AsyncIterator[Bench]:
    """A stream session's surroundings, with pacer and settler running."""
    async for made in surroundings(server):
        yield made
