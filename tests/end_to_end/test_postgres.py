"""The whole gate on PostgreSQL: real processes, a real server, which crashes under load and comes back, and whose standby takes over."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.town import TownPlan, party, town, write_members
from tests.end_to_end.hosts import ledger_url
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held
from tests.postgres import PostgresServer, running_server

ROWS = 400


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary that the test may crash, with an empty database `gate`, and a standby that has confirmed whatever the primary confirms."""
    with running_server() as primary:
        primary.sql("postgres", "CREATE DATABASE gate TEMPLATE template0")
        with running_server(primary, wal_retrieve_retry_interval="200ms") as standby:
            primary.set("synchronous_standby_names", "walreceiver")
            primary.set("synchronous_commit", "remote_apply")
            yield primary, standby


async def test_every_record_takes_effect_once_though_the_database_crashes_and_a_standby_takes_over(
    place: Path, pair: tuple[PostgresServer, PostgresServer]
) -> None:
    """Killed as by a power cut while records flow and started again; then gone for good: nothing is lost, doubled or asked about again."""
    primary, standby = pair
    secret = place / "db.password"
    secret.write_text(primary.password)
    environment = {
        "PRATUNAM_LEDGER_URL": ledger_url("gate", [("127.0.0.1", server.port) for server in pair]),
        "PRATUNAM_LEDGER_PASSWORD_FILE": str(secret),
    }
    plan = TownPlan([2, 2], [ROWS, ROWS], 160, 50, 40, 20, environment=environment)
    async with town(plan, place) as running:
        files = {party(number): write_members(place, party(number), ROWS, number) for number in (0, 1)}
        taken = await running.submit(files)
        await running.until_arrived(int(2 * ROWS * 0.2))
        await asyncio.to_thread(primary.stop, signal.SIGQUIT)
        await asyncio.to_thread(primary.start)
        await running.until_arrived(ROWS)
        await asyncio.to_thread(primary.crash)
        await asyncio.to_thread(standby.promote)
        await running.until_arrived(2 * ROWS)
        done = await running.until_done(taken, 90)
        report = await running.report()
        assert_limits_held(report)
        assert_all_in_effect(report, done)
        assert not await running.parts.ledger.restored_from_copy()
        assert (await running.parts.ledger.verify_audit()).broken_at is None
        assert await running.gate.stop() == 0
    assert traces(place, primary.password) == []


def traces(place: Path, password: str) -> list[str]:
    """Name what should not be there: a ledger in the home, and logs that show the password."""
    ledgers = [file.name for file in (place / "home").glob("ledger.db*")]
    return ledgers + [file.name for file in place.glob("*.log") if password in file.read_text("utf-8")]
