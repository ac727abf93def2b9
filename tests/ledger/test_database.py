"""The database server itself: one that is away, one that may forget, and how its password is given."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from domain.errors import BadSetting, Busy
from ledger.database import Database, read_database
from ledger.engine import OnEngine
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from tests.ledger.scene import BY, NOW, new_job
from tests.postgres import PostgresServer, running_server


@pytest.fixture
def where(postgres: Database) -> Database:
    """All tests of this file are of this engine."""
    return postgres


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop and crash."""
    with running_server() as server:
        yield server


async def test_a_server_that_is_away_is_busy_and_its_return_is_noticed(
    own_server: PostgresServer, keys: KeyStore
) -> None:
    """Crashed and started again under an open ledger: Busy meanwhile, and nothing that was committed is lost."""
    server = own_server
    ledger = await open_ledger(Database(server.url("postgres")), keys)
    try:
        await ledger.receive(new_job("J1"), BY, NOW)
        server.stop(signal.SIGQUIT)
        with pytest.raises(Busy, match="cannot be reached"):
            await ledger.receive(new_job("J2"), BY, NOW)
        with pytest.raises(Busy, match="cannot be reached"):
            await ledger.job("J1")
        server.start()
        await ledger.receive(new_job("J2"), BY, NOW)
        assert [job.job for job in await ledger.jobs()] == ["J2", "J1"]
        assert (await ledger.verify_audit()).broken_at is None
        assert not await ledger.restored_from_copy()
    finally:
        await ledger.close()


@pytest.mark.parametrize("code", ["53100", "53200", "58030"])
async def test_a_server_without_room_memory_or_a_sound_disk_is_busy(
    postgres: Database, keys: KeyStore, code: str
) -> None:
    """What it refuses for that reason is undone and may be repeated; it is no fault of the statement."""
    ledger = await open_ledger(postgres, keys)
    assert isinstance(ledger, OnEngine)
    try:
        with pytest.raises(Busy):
            await ledger.engine.write(_refuse, code)
        assert (await ledger.receive(new_job("J1"), BY, NOW)).job == "J1"
    finally:
        await ledger.close()


def _refuse(connection: Connection, code: str) -> None:
    connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$")


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_may_forget_is_refused(
    postgres_server: PostgresServer, where: Database, keys: KeyStore, setting: str
) -> None:
    """With fsync or full_page_writes off, a power cut could undo what the registrar has recorded."""
    postgres_server.set(setting, "off")
    try:
        with pytest.raises(BadSetting, match="power cut"):
            await open_ledger(where, keys)
    finally:
        postgres_server.set(setting, "on")


async def test_the_password_comes_from_a_file(
    postgres_server: PostgresServer, where: Database, keys: KeyStore, tmp_path: Path
) -> None:
    """The right one opens the ledger by TCP; a wrong one is a wrong setting; neither is ever shown."""
    secret = tmp_path / "password"
    name = where.url.partition("@/")[2].partition("?")[0]
    for password, is_right in ((postgres_server.password, True), ("not-the-one", False)):
        secret.write_text(f"{password}\n")
        found = read_database(postgres_server.loopback_url(name), secret)
        assert password not in repr(found)
        if is_right:
            await (await open_ledger(found, keys)).close()
        else:
            with pytest.raises(BadSetting, match="does not let us in") as refused:
                await open_ledger(found, keys)
            assert password not in str(refused.value)
