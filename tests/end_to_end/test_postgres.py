"""The whole gate on PostgreSQL: real processes, a real server, which crashes under load and comes back."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.town import TownPlan, party, town, write_members
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held
from tests.postgres import PostgresServer

ROWS = 400


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that the test may crash, with an empty database `gate`."""
    with tempfile.TemporaryDirectory(prefix="ptn-pg-", ignore_cleanup_errors=True) as folder:
        made = PostgresServer(Path(folder))
        made.start()
        made.sql("postgres", "CREATE DATABASE gate TEMPLATE template0")
        yield made
        made.stop()


async def test_every_record_takes_effect_once_though_the_database_crashes_under_load(
    place: Path, server: PostgresServer
) -> None:
    """Killed as by a power cut while records flow and started again: nothing is lost, nothing happens twice, all ends by itself."""
    secret = place / "db.password"
    secret.write_text(server.password)
    environment = {
        "PRATUNAM_LEDGER_URL": server.loopback_url("gate"),
        "PRATUNAM_LEDGER_PASSWORD_FILE": str(secret),
    }
    plan = TownPlan([2, 2], [ROWS, ROWS], 160, 50, 40, 20, environment=environment)
    async with town(plan, place) as running:
        files = {party(number): write_members(place, party(number), ROWS, number) for number in (0, 1)}
        taken = await running.submit(files)
        for share in (0.2, 0.5):
            await running.until_arrived(int(2 * ROWS * share))
            await asyncio.to_thread(server.stop, signal.SIGQUIT)
            await asyncio.to_thread(server.start)
        await running.until_arrived(2 * ROWS)
        done = await running.until_done(taken, 90)
        report = await running.report()
        assert_limits_held(report)
        assert_all_in_effect(report, done)
        assert not await running.parts.ledger.restored_from_copy()
        assert (await running.parts.ledger.verify_audit()).broken_at is None
        assert await running.gate.stop() == 0
    assert traces(place, server.password) == []


def traces(place: Path, password: str) -> list[str]:
    """Name what should not be there: a ledger in the home, and logs that show the password."""
    ledgers = [file.name for file in (place / "home").glob("ledger.db*")]
    return ledgers + [file.name for file in place.glob("*.log") if password in file.read_text("utf-8")]
