"""Latency: a file of 100 rows, from its submission to its last receipt, on an idle gate and beside a large backlog that is being sent.

The registry is not what binds: it bears all that all accounts may send, so that only the gate itself could keep a small file waiting.
What the account's rate demands is taken off: what exceeds its accounts' full buckets, at their rate. Submission is the verb that the
command calls, in this process: a program's own start is not in it. Whether it is checked is asked every 0.1 s. The end is the instant
that the ledger wrote with the last receipt. Options: `--backlog N` (rows waiting, default 100,000), `--times N`.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import Town, TownPlan, party, town, write_members
from domain.jobs import Job

ROWS, BACKLOG, TIMES = 100, 100_000, 5
#: the party of the small files is number 0; the others have the backlog
OTHERS, ACCOUNTS, ACCOUNT_RATE = 9, 4, 20
#: between two small files: buckets fill and the session ends (s); before the first beside the backlog, all others send
REST_S, RAMP_S = 4.0, 4.0


def plan_of(backlog: int) -> TownPlan:
    """Return the town: all accounts together may send what the registry bears."""
    rate = (OTHERS + 1) * ACCOUNTS * ACCOUNT_RATE
    rows = [0, *[backlog // OTHERS] * OTHERS]
    return TownPlan([ACCOUNTS] * (OTHERS + 1), rows, rate, rate, ACCOUNT_RATE, ACCOUNT_RATE)


async def measure(backlog: int, times: int) -> list[dict[str, Any]]:
    """Hand small files in one after another, first alone, then beside the backlog; returns a row for each of both."""
    plan = plan_of(backlog)
    async with town(plan) as place:
        small = [
            write_members(place.folder, f"small-{each}", ROWS, 5_000 + each) for each in range(2 * times)
        ]
        large = {
            party(k): write_members(place.folder, party(k), plan.rows[k], k) for k in range(1, OTHERS + 1)
        }
        await asyncio.sleep(REST_S)
        alone = [await _one(place, file) for file in small[:times]]
        waiting = await place.submit(large)
        await asyncio.sleep(RAMP_S)
        beside = [await _one(place, file) for file in small[times:]]
        left = sum(job.records.total - job.records.accepted for job in await place.now(waiting))
    return [_row("idle gate", 0, alone), _row("beside a backlog", left, beside)]


async def _one(place: Town, file: Path) -> dict[str, float]:
    """Hand one small file in; returns its instants in seconds after the submission."""
    began_at = place.parts.clock.now()
    [queued] = await place.submit({party(0): file})
    checked_s = (place.parts.clock.now() - began_at) / 1000
    [done] = await place.until_done([queued], within_s=60)
    await asyncio.sleep(REST_S)
    return {"checked": checked_s, "done": (_finished_at(done) - began_at) / 1000}


def _finished_at(job: Job) -> int:
    assert job.records.accepted == ROWS, job
    assert job.finished_at is not None
    return job.finished_at


def demanded_s() -> float:
    """Return what the accounts' rate demands of such a file whose buckets are full (s)."""
    return max(0.0, (ROWS - ACCOUNTS * ACCOUNT_RATE) / (ACCOUNTS * ACCOUNT_RATE))


def _row(name: str, backlog: int, found: Sequence[dict[str, float]]) -> dict[str, Any]:
    done = [each["done"] for each in found]
    return {
        "gate": name,
        "records waiting at the end": backlog,
        "files": len(done),
        "checked after (median, s)": round(median(each["checked"] for each in found), 2),
        "last receipt after (median, s)": round(median(done), 2),
        "slowest (s)": round(max(done), 2),
        "the accounts' rate demands (s)": demanded_s(),
        "beyond it (median, s)": round(median(done) - demanded_s(), 2),
    }


def options(words: Sequence[str]) -> dict[str, Any]:
    """Read the options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py bench latency")
    reader.add_argument(
        "--backlog", type=int, default=BACKLOG, help="rows waiting beside (1000000: a million)"
    )
    reader.add_argument("--times", type=int, default=TIMES, help="small files in each situation")
    return vars(reader.parse_args(words))


async def main(console: Console, backlog: int = BACKLOG, times: int = TIMES) -> None:
    """Measure both and print the table."""
    found = await measure(backlog, times)
    print_table(console, found)
    ratio = found[1]["beyond it (median, s)"] / max(found[0]["beyond it (median, s)"], 0.01)
    console.print(f"beside the backlog / idle, beyond the accounts' rate: {ratio:.2f}")
    write_json("latency", {"rounds": found, "beside_to_idle": round(ratio, 3)})
