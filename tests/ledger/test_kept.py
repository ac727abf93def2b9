"""Kept connections: one a thread, and none that went wrong."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from domain.errors import NotFound
from ledger.kept import KeptConnections


@pytest.fixture
def kept() -> Iterator[KeptConnections]:
    """Connections to a base in memory."""
    made = KeptConnections(
        create_engine("sqlite://", poolclass=NullPool, connect_args={"check_same_thread": False})
    )
    yield made
    made.close()


def used(kept: KeptConnections) -> Connection:
    """Run a transaction, and return the connection that it had."""
    with kept.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        return connection


def test_a_thread_keeps_its_connection(kept: KeptConnections) -> None:
    """The second transaction of a thread runs on the first one's connection."""
    assert used(kept) is used(kept)


async def test_each_thread_has_its_own(kept: KeptConnections) -> None:
    """No two threads ever share one."""
    with ThreadPoolExecutor(1) as other:
        theirs = await asyncio.get_running_loop().run_in_executor(other, used, kept)
    assert theirs is not used(kept)


def test_an_answer_that_is_an_error_keeps_the_connection(kept: KeptConnections) -> None:
    """The ledger said no; nothing is wrong with the connection."""
    mine = used(kept)
    with pytest.raises(NotFound), kept.begin():
        raise NotFound("no such thing", message_th="ไม่มี")
    assert used(kept) is mine


def test_a_connection_that_broke_is_not_used_again(kept: KeptConnections) -> None:
    """After anything unforeseen the thread begins anew."""
    mine = used(kept)
    with pytest.raises(ZeroDivisionError), kept.begin():
        raise ZeroDivisionError
    assert mine.closed
    assert used(kept) is not mine


def test_all_are_closed_at_the_end(kept: KeptConnections) -> None:
    """Also those of threads that are no more."""
    mine = used(kept)
    kept.close()
    assert mine.closed
