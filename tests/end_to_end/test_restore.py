"""The ledger is put back from a copy made under load, and the gate goes on: the registrar says what took effect, and how often."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from benchmarks.town import Town, TownPlan, party, town, write_members
from pratunam.backup import back_up
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held

ROWS = 300
#: once the copy is put back, there is no more to show and it need not take long


def put_back(copy: Path, home: Path) -> None:
    """Write the copy's ledger over the home's, as one transaction, for this test itself still has the home open."""
    with (
        closing(sqlite3.connect(copy / "ledger.db")) as old,
        closing(sqlite3.connect(home / "ledger.db")) as new,
    ):
        old.backup(new)


def recorded(place: Town) -> Counter[str]:
    """How often each key was recorded, or would have been again; questions arrive, too."""
    return Counter(
        arrival.key for arrival in place.arrived() if arrival.decision in {"accepted", "duplicate"}
    )


async def test_a_copy_made_in_mid_load_and_put_back_sends_nothing_twice(place: Path) -> None:
    """Much of what the copy calls pending or in hand was sent since, and keys protect nothing: the gate asks, each is in effect once."""
    plan = TownPlan(
        (2, 1), (ROWS, ROWS), 120, 60, 60, 30, keeps_arrivals=True,
        extra_policy="idempotent = false\nsettle_s = 2\nanswer_timeout_s = 2",
        extra_registrar="idempotent = false",
    )  # fmt: skip
    async with town(plan, place) as here:
        files = {party(k): write_members(place, party(k), rows, k) for k, rows in enumerate(plan.rows)}
        jobs = await here.submit(files)
        await here.until_arrived(ROWS // 4)
        await back_up(here.parts, place / "copy", with_keys=False)
        at_copy = await here.arrivals()
        await here.until_arrived(at_copy + ROWS // 2)
        await here.gate.stop()
        put_back(place / "copy", here.gate.home)
        before = await here.arrivals()
        await here.gate.start()
        told = (await here.gate.command("status", "--json")).json["restored"]
        assert told["asked_about"] > 0
        await here.hurry()
        done = await here.until_done(jobs, 120)
        report = await here.report()
        assert_limits_held(report)
        assert_all_in_effect(report, done)
        assert before >= at_copy + ROWS // 2
        assert max(recorded(here).values()) == 1
        assert report["effects"]["exactly_one"] == 2 * ROWS
        audited = [line.action for line in await here.parts.ledger.audit(subject="ledger")]
        assert audited == ["ledger.restored"]
