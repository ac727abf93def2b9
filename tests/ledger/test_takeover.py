"""A standby takes over: what was committed is there, and what the standby never heard of is never taken for committed."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from domain.errors import Busy
from ledger.database import Database
from ledger.host_mirror import HostMirror
from ledger.meta import is_restored
from ledger.postgres import PostgresEngine
from tests.postgres import PostgresServer, running_server


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary with an empty database `ledger`, and a standby that has it."""
    with running_server() as primary:
        primary.sql("postgres", "CREATE DATABASE ledger TEMPLATE template0")
        with running_server(primary) as standby:
            yield primary, standby


@pytest.fixture
async def engine(
    pair: tuple[PostgresServer, PostgresServer], tmp_path: Path
) -> AsyncIterator[PostgresEngine]:
    """An engine that knows both servers and writes where it may."""
    opened = PostgresEngine(
        Database(PostgresServer.either("ledger", *pair)), HostMirror(tmp_path / "commits")
    )
    yield opened
    await opened.close()


def note(connection: Connection, name: str) -> str:
    """A verb that would do its work twice when run twice."""
    connection.execute(text("INSERT INTO meta VALUES (:name, 'x')"), {"name": name})
    return name


def names(connection: Connection) -> list[str]:
    """What the verb has written, in order."""
    return list(connection.execute(text("SELECT name FROM meta WHERE value = 'x' ORDER BY name")).scalars())


async def test_what_a_synchronous_standby_has_confirmed_survives_the_primary(
    engine: PostgresEngine, pair: tuple[PostgresServer, PostgresServer]
) -> None:
    """The primary is gone for good; the same engine goes on with the standby, which lacks nothing and need not ask."""
    primary, standby = pair
    primary.set("synchronous_standby_names", "walreceiver")
    primary.set("synchronous_commit", "remote_apply")
    await engine.write(note, "a")
    primary.crash()
    with pytest.raises(Busy):
        await engine.write(note, "b")
    standby.promote()
    assert await engine.write(note, "b") == "b"
    assert await engine.read(names) == ["a", "b"]
    assert not await engine.read(is_restored)


async def test_a_commit_that_the_standby_never_heard_of_is_run_again(
    engine: PostgresEngine,
    pair: tuple[PostgresServer, PostgresServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its number belongs to somebody else's transaction by then, which was committed: that must not count as ours."""
    primary, standby = pair
    await engine.write(note, "a")
    primary.sql("postgres", "SELECT pg_switch_wal()")
    lost: list[str] = []

    def take_over_with(connection: psycopg.Connection[Any]) -> None:
        found = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert found is not None
        lost.append(found[0])
        take_over(primary, standby, found[0])

    lose_commit(monkeypatch, take_over_with)
    assert await engine.write(note, "b") == "b"
    assert standby.sql("ledger", "SELECT pg_xact_status(%s::xid8)", lost[0]) == [("committed",)]
    assert await engine.read(names) == ["a", "b"]


async def test_where_nobody_can_say_the_caller_is_told(
    engine: PostgresEngine,
    pair: tuple[PostgresServer, PostgresServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This host has counted further on the new primary since: whether that was ours is unknown, and nothing is run twice blindly."""
    primary, standby = pair
    await engine.write(note, "a")

    def count_further(_: psycopg.Connection[Any]) -> None:
        take_over(primary, standby, "0")
        standby.sql("ledger", "UPDATE pratunam.meta SET value = '9' WHERE name LIKE 'commits %%'")

    lose_commit(monkeypatch, count_further)
    with pytest.raises(Busy):
        await engine.write(note, "b")
    assert await engine.read(names) == ["a"]


def lose_commit(monkeypatch: pytest.MonkeyPatch, happens: Callable[[psycopg.Connection[Any]], None]) -> None:
    """Have the next commit be lost on its way, with its connection, while something happens."""
    commit = psycopg.Connection.commit

    def losing(self: psycopg.Connection[Any]) -> None:
        monkeypatch.setattr(psycopg.Connection, "commit", commit)
        happens(self)
        self.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Connection, "commit", losing)


def take_over(primary: PostgresServer, standby: PostgresServer, number: str) -> None:
    """Lose the primary, promote the standby, and let others commit there until it has given this transaction's number to one of them."""
    primary.crash()
    standby.promote()
    standby.sql("ledger", "CREATE TABLE IF NOT EXISTS others (n int)")
    while standby.sql(
        "ledger", "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint > %s", number
    ) == [(False,)]:
        standby.sql("ledger", "INSERT INTO others VALUES (1)")
