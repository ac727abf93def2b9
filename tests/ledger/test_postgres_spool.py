"""The spool in PostgreSQL keeps the contract of the one in a folder."""

import pytest

from ledger.database import Database
from ledger.engine import OnEngine
from ledger.postgres_spool import PostgresSpool
from ledger.protocols import Ledger
from tests.ledger.test_spool import (
    test_a_blob_s_name_leads_nowhere_else,
    test_chunks_come_back_in_order,
    test_what_is_not_there_is_not_found,
)

__all__ = [
    "test_a_blob_s_name_leads_nowhere_else",
    "test_chunks_come_back_in_order",
    "test_what_is_not_there_is_not_found",
]


@pytest.fixture
def where(postgres: Database) -> Database:
    """All tests of this file are of this engine."""
    return postgres


@pytest.fixture
def spool(ledger: Ledger) -> PostgresSpool:
    """An empty spool."""
    assert isinstance(ledger, OnEngine)
    return PostgresSpool(ledger.engine)


async def test_a_deleted_blob_is_gone_and_others_stay(spool: PostgresSpool) -> None:
    """All its chunks; deleting again is no error."""
    await spool.put("b1", 0, b"a")
    await spool.put("b2", 0, b"b")
    for _ in range(2):
        await spool.delete("b1")
    assert [data async for data in spool.chunks("b1")] == []
    assert list(await spool.blobs()) == ["b2"]
    assert (await spool.blobs())["b2"] > 1_700_000_000_000


async def test_bytes_come_back_as_they_were(spool: PostgresSpool) -> None:
    """Every byte, and a chunk of some megabytes."""
    sealed = bytes(range(256)) * 16_384
    await spool.put("b1", 0, sealed)
    assert await spool.get("b1", 0) == sealed
