"""The hand-written peer against the reference registrar: it does the whole work, keeps one session an account, and heeds refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.peers.bare_loop import Loop, Tally
from benchmarks.peers.peer import work_of
from benchmarks.town import TownPlan, registrar_of, report_of
from registrar import running
from registrar.config import load_config


async def all_sent(plan: TownPlan, folder: Path) -> tuple[Tally, Mapping[str, Any]]:
    """Let the loop do a plan's work with a permit for everything; returns what it noted and what the registrar saw."""

    async def permit(_: str) -> None:
        pass

    (folder / "registrar.toml").write_text(registrar_of(plan, folder), "utf-8")
    async with (
        running(load_config(folder / "registrar.toml")) as endpoint,
        aiohttp.ClientSession() as session,
    ):
        work = work_of(plan, endpoint, folder)
        tally = await Loop(work, permit, session).run()
        return tally, await report_of(endpoint)


async def test_every_record_is_accepted_once_through_one_session_an_account(tmp_path: Path) -> None:
    """All records of all parties have a receipt, none takes effect twice, and no account opens a second session."""
    plan = TownPlan([1, 2], [30, 60], 1e6, 1_000_000, 1e6, 1_000_000, service_ms=0)
    tally, seen = await all_sent(plan, tmp_path)
    assert (len(tally.receipts), tally.others) == (90, {})
    assert seen["outcomes"] == {"accepted": 90}
    assert {a["sessions"]["logins"] for p in seen["parties"].values() for a in p["accounts"].values()} == {1}


async def test_a_record_that_is_refused_for_its_pace_is_sent_again_when_it_may(tmp_path: Path) -> None:
    """Without permits the registrar refuses; each record is tried again under its key until it has its receipt."""
    plan = TownPlan([2], [40], 500, 1, 1e6, 1_000_000, service_ms=0)
    tally, seen = await all_sent(plan, tmp_path)
    assert len(tally.receipts) == seen["outcomes"]["accepted"] == 40
    assert tally.others["429"] == seen["pushbacks"]["too-fast"] > 0
