"""A home that is taken into PostgreSQL: all of it, once, and locked afterwards; a crash anywhere leaves a home that is whole."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.errors import BadSetting, Busy, Conflict, PratunamError
from ledger import move as moving
from ledger.database import Database
from ledger.engine import OnEngine
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.move import look_over, move
from ledger.postgres_keys import PostgresKeyStore
from ledger.postgres_spool import PostgresSpool
from ledger.spool import FolderSpool
from tests.ledger.conftest import MASTER
from tests.ledger.scene import ACCEPTED, BY, NOW, UNKNOWN, Scene, new_job, policy, policy_draft
from tests.postgres import PostgresServer


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[Database]:
    """A database with nothing in it, as an operator makes it."""
    name = postgres_server.make("template0")
    yield Database(postgres_server.url(name))
    postgres_server.drop(name)


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A home with a policy, jobs in several states, a destroyed key, a spooled file; closed."""
    home = tmp_path / "old"
    keys = KeyStore(home / "keys.db", MASTER)
    ledger = await open_ledger(home, keys)
    scene = Scene(ledger, keys)
    await ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.submit("J1", lines=(3, 2), invalid=2)
    await scene.submit("J2", lines=(2,), waits={0: ("J1.1",)})
    await scene.submit("J3", lines=(1,))
    await scene.claim()
    await scene.settle("J1.0", {0: ACCEPTED, 1: UNKNOWN})
    await scene.settle("J3.0", {0: ACCEPTED})
    await ledger.erase("J3", BY, NOW)
    await FolderSpool(home / "spool").put("blob-J1", 0, bytes(range(256)))
    await FolderSpool(home / "spool").put("blob-J1", 1, b"end")
    await ledger.close()
    keys.close()
    return home


async def test_everything_is_taken_along_and_goes_on_there(
    old: Path, empty: Database, tmp_path: Path
) -> None:
    """Jobs, counters, audit chain, keys, tombstones and spool; the next job and the next outcome follow on."""
    moved = move(old, empty)
    assert {one.table: one.rows for one in moved.tables}["pratunam.jobs"] == 3
    keys = PostgresKeyStore(empty, tmp_path / "new" / "keys.db", MASTER)
    ledger = await open_ledger(empty, keys)
    assert isinstance(ledger, OnEngine)
    scene = Scene(ledger, keys)
    assert await scene.states() == ["aup", "pp"]
    for job in ("J1", "J2", "J3"):
        assert await scene.is_counted_right(job)
    assert await ledger.blockers("J2") == {"J2.0": ["J1"]}
    assert (await ledger.verify_audit()).broken_at is None
    assert not await ledger.restored_from_copy()
    assert keys.jobs() == ["J1", "J2"]
    with pytest.raises(Conflict):
        keys.create("J3")
    assert [data async for data in PostgresSpool(ledger.engine).chunks("blob-J1")] == [
        bytes(range(256)),
        b"end",
    ]
    assert (await scene.settle("J1.0", {2: ACCEPTED})).moved == 1
    assert (await ledger.receive(new_job("J4"), BY, NOW)).job == "J4"
    assert len([one async for one in ledger.outcomes("J1")]) == 2
    await ledger.close()
    keys.close()


async def test_the_old_home_is_locked_and_its_keys_are_gone(old: Path, empty: Database) -> None:
    """It refuses to open, names where it went, and holds no key any more."""
    with closing(sqlite3.connect(old / "keys.db")) as base:
        wrapped = [row[0] for row in base.execute("SELECT wrapped FROM keys WHERE wrapped IS NOT NULL")]
    move(old, empty)
    keys = KeyStore(old / "keys.db", MASTER)
    with pytest.raises(BadSetting, match="moved into PostgreSQL"):
        await open_ledger(old, keys)
    with pytest.raises(BadSetting, match="moved into PostgreSQL"):
        look_over(old)
    assert keys.jobs() == []
    keys.close()
    assert wrapped
    assert not any(one in (old / "keys.db").read_bytes() for one in wrapped)


async def test_a_process_that_had_the_old_home_open_writes_nothing_more(old: Path, empty: Database) -> None:
    """Whoever slept through the move finds every change refused; looking still works."""
    keys = KeyStore(old / "keys.db", MASTER)
    sleeper = await open_ledger(old, keys)
    move(old, empty)
    with pytest.raises(Exception, match=r"(?i)constraint|moved"):
        await sleeper.receive(new_job("J9"), BY, NOW)
    assert len(await sleeper.jobs()) == 3
    await sleeper.close()
    keys.close()


async def test_a_crash_before_the_database_commits_leaves_all_as_it_was(
    old: Path, empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home opens as ever, the database is empty, and the move is begun anew."""

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moving, "_compare", crash)
        with pytest.raises(KeyboardInterrupt):
            move(old, empty)
    keys = KeyStore(old / "keys.db", MASTER)
    await (await open_ledger(old, keys)).close()
    keys.close()
    assert not move(old, empty).again


@pytest.mark.parametrize("step", ["_lock", "_forget_keys"])
async def test_a_crash_after_it_is_ended_by_asking_again(
    old: Path, empty: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Nothing is taken in twice; the home is locked and its keys are gone in the end."""

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moving, step, crash)
        with pytest.raises(KeyboardInterrupt):
            move(old, empty)
    for _ in range(2):
        assert move(old, empty).again
    keys = KeyStore(old / "keys.db", MASTER)
    with pytest.raises(BadSetting, match="moved into PostgreSQL"):
        await open_ledger(old, keys)
    assert keys.jobs() == []
    keys.close()


async def test_a_home_that_went_on_after_a_crash_is_not_locked(
    old: Path, empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database holds an earlier state: locking the home now would lose what came after."""
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_lock", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(old, empty)
    keys = KeyStore(old / "keys.db", MASTER)
    ledger = await open_ledger(old, keys)
    await ledger.receive(new_job("J9"), BY, NOW)
    await ledger.close()
    keys.close()
    with pytest.raises(Conflict, match="earlier state"):
        move(old, empty)


async def test_a_database_that_is_in_use_is_refused(old: Path, postgres: Database, tmp_path: Path) -> None:
    """Another installation's ledger is never mixed with this one."""
    keys = KeyStore(tmp_path / "other" / "keys.db", MASTER)
    ledger = await open_ledger(postgres, keys)
    await ledger.receive(new_job("X1"), BY, NOW)
    await ledger.close()
    keys.close()
    with pytest.raises(Conflict, match="not empty"):
        move(old, postgres)


async def test_two_homes_never_share_a_database(old: Path, empty: Database, tmp_path: Path) -> None:
    """A second home is refused also when it is a copy that forgot where the first one went."""
    shutil.copytree(old, tmp_path / "second")
    move(old, empty)
    with pytest.raises(Conflict, match="another home"):
        move(tmp_path / "second", empty)


async def test_what_comes_back_otherwise_is_not_kept(
    old: Path, empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was changed on its way shows in the digest, and the database stays empty."""
    pour = moving._pour

    def pouring(
        target: psycopg.Connection[Any], name: str, columns: list[str], rows: Iterator[tuple[Any, ...]]
    ) -> None:
        pour(target, name, columns, rows)
        if name == "pratunam.jobs":
            target.execute("UPDATE jobs SET pending = pending + 1 WHERE job = 'J2'")

    with monkeypatch.context() as patch:
        patch.setattr(moving, "_pour", pouring)
        with pytest.raises(PratunamError, match=r"pratunam\.jobs: 3 rows were sent and 3 came back"):
            move(old, empty)
    assert not move(old, empty).again


async def test_a_look_changes_nothing(old: Path, empty: Database) -> None:
    """A dry run gives the counts and the digest of the move itself."""
    seen = look_over(old)
    assert seen.digest == look_over(old).digest
    assert {one.table: one.rows for one in seen.tables} == {
        one.table: one.rows for one in move(old, empty).tables
    }


async def test_a_server_that_is_away_leaves_the_home_as_it_was(old: Path, tmp_path: Path) -> None:
    """Busy, and the home opens as ever."""
    with pytest.raises(Busy):
        move(old, Database(f"postgresql://nobody@/none?host={tmp_path}"))
    keys = KeyStore(old / "keys.db", MASTER)
    await (await open_ledger(old, keys)).close()
    keys.close()
