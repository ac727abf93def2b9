"""A server that falls silent: whoever waits on it is let go, one that only takes long is left in peace."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from domain.errors import Busy
from ledger import sessions
from ledger.database import Database, Trouble
from ledger.host_mirror import HostMirror
from ledger.postgres import _PAUSES, PostgresEngine
from ledger.postgres_keys import PostgresKeyStore
from tests.gauntlet.proxy import Door, Link
from tests.ledger.conftest import MASTER
from tests.postgres import PostgresServer

PATIENCE_S = 0.3


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ten seconds here."""
    monkeypatch.setattr(sessions, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(sessions, "EVERY_S", 0.1)
    monkeypatch.setattr("ledger.database._REACH", {"connect_timeout": 2, "application_name": "pratunam"})
    monkeypatch.setitem(_PAUSES, Trouble.LOST, ())


@pytest.fixture
def link(postgres_server: PostgresServer) -> Link:
    """The way to the server, which keeps connections alive whatever happens behind it."""
    return Link("ledger", ("127.0.0.1", postgres_server.port))


@pytest.fixture
async def far(link: Link, postgres: Database, postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """The test's own database, by that way."""
    door = Door({}, link)
    _, port = await door.open()
    name = postgres.url.partition("@/")[2].partition("?")[0]
    yield Database(postgres_server.loopback_url(name, port), postgres_server.password)
    await door.close()


@pytest.fixture
async def engine(far: Database, tmp_path: Path) -> AsyncIterator[PostgresEngine]:
    """An engine that lies far from its database."""
    opened = await asyncio.to_thread(PostgresEngine, far, HostMirror(tmp_path / "commits"))
    yield opened
    await opened.close()


def note(connection: Connection, name: str) -> str:
    """A verb that would do its work twice when run twice."""
    connection.execute(text("INSERT INTO meta VALUES (:name, 'x')"), {"name": name})
    return name


async def test_a_link_that_carries_nothing_more_keeps_nobody_waiting(
    engine: PostgresEngine, link: Link
) -> None:
    """Nothing breaks, nothing comes: the caller is told Busy, and goes on when the link is whole; what came late changes nothing."""
    await engine.write(note, "a")
    link.stall()
    async with asyncio.timeout(60):
        with pytest.raises(Busy):
            await engine.write(note, "b")
        with pytest.raises(Busy):
            await engine.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
    link.heal()
    assert await engine.write(note, "b") == "b"


async def test_keys_do_not_wait_for_a_silent_server(far: Database, link: Link, tmp_path: Path) -> None:
    """A process that asks for a key goes on after a while, with Busy."""
    store = await asyncio.to_thread(PostgresKeyStore, far, tmp_path / "keys.db", MASTER)
    await asyncio.to_thread(store.create, "J1")
    link.stall()
    async with asyncio.timeout(60):
        with pytest.raises(Busy):
            await asyncio.to_thread(store.create, "J2")
    link.heal()
    store.close()


async def test_a_statement_that_takes_long_is_left_in_peace(engine: PostgresEngine) -> None:
    """The server still works for it: it is looked for several times, and never cut."""

    def slow(connection: Connection) -> str:
        connection.execute(text("SELECT pg_sleep(:s)"), {"s": PATIENCE_S * 6})
        return note(connection, "slow")

    assert await engine.write(slow) == "slow"


async def test_a_verb_that_thinks_for_long_is_left_in_peace(engine: PostgresEngine) -> None:
    """Its session waits for it, not it for the session."""

    def thoughtful(connection: Connection) -> str:
        note(connection, "before")
        threading.Event().wait(PATIENCE_S * 4)
        return note(connection, "after")

    assert await engine.write(thoughtful) == "after"


@pytest.fixture
def primary(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which goes on in the end."""
    yield postgres_server
    postgres_server.signal(signal.SIGCONT)


async def test_a_server_that_hangs_is_given_up(
    postgres: Database, primary: PostgresServer, tmp_path: Path
) -> None:
    """Stopped, with all its sessions: connections stand and the kernel takes new ones, but nobody answers."""
    engine = PostgresEngine(postgres, HostMirror(tmp_path / "commits"))
    await engine.write(note, "a")
    primary.signal(signal.SIGSTOP)
    async with asyncio.timeout(60):
        with pytest.raises(Busy):
            await engine.write(note, "b")
    primary.signal(signal.SIGCONT)
    assert await engine.write(note, "b") == "b"
    await engine.close()
