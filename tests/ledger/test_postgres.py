"""PostgreSQL as the ledger's engine: connections that end at any moment, answers that are lost, servers that may not be trusted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from domain.errors import Busy
from ledger import changes, jobs, work
from ledger.changes import SliceRow
from ledger.database import Database
from ledger.host_mirror import HostMirror
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.meta import is_restored
from ledger.postgres import PostgresEngine
from ledger.protocols import Ledger
from tests.ledger.scene import BY, NOW, REGISTRY, Scene, lease, new_job
from tests.postgres import PostgresServer


@pytest.fixture
def where(postgres: Database) -> Database:
    """All tests of this file are of this engine."""
    return postgres


@pytest.fixture
async def engine(postgres: Database, tmp_path: Path) -> AsyncIterator[PostgresEngine]:
    """An engine on a database of the test's own."""
    opened = PostgresEngine(postgres, HostMirror(tmp_path / "commits"))
    yield opened
    await opened.close()


@pytest.fixture
def after_commit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Any], None]]:
    """What is put into the list is done, once each, when the server has carried out a commit and before we hear of it."""
    todo: list[Callable[[Any], None]] = []
    commit = psycopg.Connection.commit

    def committing(self: psycopg.Connection[Any]) -> None:
        commit(self)
        if todo:
            todo.pop()(self)

    monkeypatch.setattr(psycopg.Connection, "commit", committing)
    return todo


def receive_once(connection: Connection, job: str) -> str:
    """A verb that would do its work twice when run twice."""
    connection.execute(text("INSERT INTO meta VALUES (:name, 'x')"), {"name": job})
    return job


def cut(connection: Connection) -> None:
    """End this very session, as a server that goes down would."""
    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_a_session_cut_in_mid_verb_leaves_nothing_and_the_verb_is_run_again(
    engine: PostgresEngine,
) -> None:
    """The first try dies after its first write; the second does all of it, on a new connection."""
    tries = []

    def verb(connection: Connection) -> str:
        tries.append(1)
        receive_once(connection, "a")
        if len(tries) == 1:
            cut(connection)
        return receive_once(connection, "b")

    assert await engine.write(verb) == "b"
    assert len(tries) == 2


async def test_sessions_that_died_while_idle_are_replaced(
    engine: PostgresEngine, postgres_server: PostgresServer
) -> None:
    """Every connection of the pool is dead after a restart of the server; neither a look nor a change notices."""
    await engine.write(receive_once, "a")
    await engine.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
    postgres_server.end_sessions()
    assert await engine.write(receive_once, "b") == "b"
    assert await engine.read(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(
    engine: PostgresEngine, after_commit: list[Callable[[Any], None]]
) -> None:
    """The server is asked what became of the transaction; it was committed, so its result counts."""

    def lose(connection: psycopg.Connection[Any]) -> None:
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    after_commit.append(lose)
    assert await engine.write(receive_once, "a") == "a"
    with pytest.raises(Exception, match="UniqueViolation"):
        await engine.write(receive_once, "a")


async def test_a_commit_that_never_arrived_is_done_again(
    engine: PostgresEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session dies as the commit is sent; the server says that it was rolled back, and the verb runs again."""
    commit = psycopg.Connection.commit
    died: list[int] = []

    def committing(self: psycopg.Connection[Any]) -> None:
        if not died:
            died.append(1)
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        commit(self)

    monkeypatch.setattr(psycopg.Connection, "commit", committing)
    assert await engine.write(receive_once, "a") == "a"
    assert len(died) == 1
    with pytest.raises(Exception, match="UniqueViolation"):
        await engine.write(receive_once, "a")


async def test_a_deadlock_is_resolved_by_running_one_again(engine: PostgresEngine) -> None:
    """Two verbs that lock two rows in opposite order both end, each done once."""
    await engine.write(receive_once, "a")
    await engine.write(receive_once, "b")
    both_hold_one = asyncio.Barrier(2)
    loop = asyncio.get_running_loop()
    tries = []

    def crossing(connection: Connection, first: str, second: str) -> None:
        tries.append(first)
        add = text("UPDATE meta SET value = value || 'x' WHERE name = :name")
        connection.execute(add, {"name": first})
        if tries.count(first) == 1:
            asyncio.run_coroutine_threadsafe(_reach(both_hold_one), loop).result(10)
        connection.execute(add, {"name": second})

    await asyncio.gather(engine.write(crossing, "a", "b"), engine.write(crossing, "b", "a"))
    found = await engine.read(
        lambda connection: connection.execute(
            text("SELECT value FROM meta WHERE name IN ('a', 'b')")
        ).scalars()
    )
    assert list(found) == ["xxx", "xxx"]
    assert len(tries) == 3


async def _reach(barrier: Any) -> None:
    await barrier.wait()


async def test_a_row_that_stays_locked_is_busy(
    ledger: Ledger, scene: Scene, where: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session holds the job and says nothing: the caller is told to come back."""
    await scene.submit(lines=(1,))
    monkeypatch.setattr("ledger.database.LOCK_MS", 100)
    with psycopg.connect(where.url, options="-c search_path=pratunam") as other:
        other.execute("SELECT * FROM jobs FOR UPDATE")
        impatient = await open_ledger(where, scene.keys)
        with pytest.raises(Busy, match="is busy"):
            await impatient.pause("J1", "", BY, NOW)
        await impatient.close()
    assert (await ledger.pause("J1", "", BY, NOW)).state.value == "paused"


async def test_a_database_that_falls_behind_while_open_is_noticed(
    ledger: Ledger, tamper: Callable[[str], None]
) -> None:
    """A standby took over that lacked the last commits: the ledger asks first from the very next change on."""
    await ledger.receive(new_job("J1"), BY, NOW)
    await ledger.receive(new_job("J2"), BY, NOW)
    tamper("UPDATE meta SET value = '1' WHERE name LIKE 'commits %'")
    await ledger.receive(new_job("J3"), BY, NOW)
    assert await ledger.restored_from_copy()
    assert len(await ledger.jobs()) == 3


async def test_noticing_it_takes_no_second_session(
    postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All writers may notice at once: none waits for a session that the others hold."""
    monkeypatch.setattr("ledger.postgres.WRITERS", 1)
    mirror = HostMirror(tmp_path / "commits")
    engine = PostgresEngine(postgres, mirror)
    mirror.write(9)
    async with asyncio.timeout(20):
        assert await engine.write(receive_once, "a") == "a"
    assert await engine.read(is_restored)
    await engine.close()


async def test_a_database_put_back_from_a_copy_knows_it(
    ledger: Ledger, where: Database, keys: KeyStore, tamper: Callable[[str], None]
) -> None:
    """Behind what this host has committed it asks first; for a host that is new there is nothing to ask."""
    await ledger.receive(new_job("J1"), BY, NOW)
    await ledger.close()
    newcomer = await open_ledger(where, KeyStore(keys.path.parent / "other.db", b"m" * 32))
    assert not await newcomer.restored_from_copy()
    await newcomer.close()
    tamper("DELETE FROM meta WHERE name LIKE 'commits %'")
    again = await open_ledger(where, keys)
    assert await again.restored_from_copy()
    await again.close()


async def test_a_refused_statement_quotes_nothing(engine: PostgresEngine) -> None:
    """An error of ours that reaches the log holds no value that was being written."""
    await engine.write(jobs.receive, new_job("J1"), BY, NOW)

    def verb(connection: Connection) -> None:
        connection.execute(text("INSERT INTO meta VALUES (:name, NULL)"), {"name": "นายสมชาย"})

    with pytest.raises(Exception, match="NotNullViolation") as refused:
        await engine.write(verb)
    assert "สมชาย" not in str(refused.value)


async def test_rescue_leaves_a_slice_that_was_claimed_anew_since_it_looked(
    ledger: Ledger, scene: Scene, where: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed with a dead token, given back and claimed by a live one before it was locked: the live claim stays."""
    await scene.submit(lines=(2,))
    await scene.claim(1)
    other_host = PostgresEngine(where, HostMirror(tmp_path / "other"))
    load = changes.load

    def late(connection: Connection, slice_ids: Collection[str]) -> dict[str, SliceRow]:
        monkeypatch.setattr(work, "load", load)
        other_host.write_now(work.give_back, "J1.0", 1, [], NOW)
        assert other_host.write_now(work.claim, lease(2), NOW) is not None
        return load(connection, slice_ids)

    monkeypatch.setattr(work, "load", late)
    assert await ledger.rescue(REGISTRY, frozenset({2}), NOW, idempotent=True) == 0
    assert await ledger.mark_sent("J1.0", 2, 1, NOW)
    await other_host.close()


async def test_commits_wait_for_the_disk_whatever_the_server_s_default(
    postgres_server: PostgresServer, engine: PostgresEngine
) -> None:
    """`synchronous_commit` off or local is raised to on; stricter ways stay."""
    postgres_server.set("synchronous_commit", "off")
    try:
        with engine._database.connect() as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        postgres_server.set("synchronous_commit", "remote_apply")
        with engine._database.connect() as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)
    finally:
        postgres_server.set("synchronous_commit", "on")
