"""Pace: twenty uneven parties against one registry, records in the first 20 s against the fluid optimum of weighted max-min.

Party k has 1 + k mod 4 accounts at 20 records/s; registry 800/s; 16,000 records, one party 40 %, four with 100; answers after 10 ms.
The files are checked before the clock starts (start-up apart): the registry is held, its buckets are full, then it is released.

A machine that others use changes its speed between minutes, so processor time is told beside that of a peer in the same round:
`cpu_to_bare_loop` is ours over that of `peers/bare_loop.py`, which ran between ours. Options: `--rounds N` (medians, worst of
what is counted), `--shape` and `--burst` (only these), `--brief` (ends each run after the 20 s that are judged).
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from math import inf
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.peers.peer import missing, peer
from benchmarks.town import TownPlan, party, report_of, town, write_members
from tests.scheduler.fluid import fluid_sent

PARTIES, RECORDS, SECONDS = 20, 16_000, 20
RATE, ACCOUNT_RATE = 800, 20
#: buckets are full after so long at a standstill, whatever happened before (s)
STANDSTILL_S = 14
#: width of the report's bins (ms), and how many make a second: the first bin begins up to one width before the first arrival
BIN_MS = 10
BINS_A_SECOND = 1000 // BIN_MS
BARE_LOOP = "bare_loop"
SHAPES, BURSTS_S = ("stream", "batch", "single"), (1.0, 0.25)
#: of several rounds the worst is told, not the median: one violation is one too many
COUNTED = frozenset({"over", "pushbacks", "most_sessions_of_an_account"})


def rows_of() -> list[int]:
    """Return each party's rows: number 3 has 40 %, four have 100, the others share the rest."""
    small = {4, 9, 14, 19}
    rest = (RECORDS - RECORDS * 4 // 10 - 100 * len(small)) // (PARTIES - 1 - len(small))
    rows = [RECORDS * 4 // 10 if k == 3 else 100 if k in small else rest for k in range(PARTIES)]
    rows[0] += RECORDS - sum(rows)
    return rows


def plan_of(shape: str, burst_s: float) -> TownPlan:
    """Return the town of one round; a burst is worth so many seconds."""
    accounts = [1 + k % 4 for k in range(PARTIES)]
    burst, account_burst = round(RATE * burst_s), max(1, round(ACCOUNT_RATE * burst_s))
    return TownPlan(accounts, rows_of(), RATE, burst, ACCOUNT_RATE, account_burst, shape=shape)


async def measure(shape: str, burst_s: float, *, brief: bool = False) -> dict[str, Any]:
    """Run one round of ours; returns the figures. `brief`: without waiting for the records after the 20 s."""
    plan = plan_of(shape, burst_s)
    async with town(plan) as place:
        await place.hold(on=True)
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(plan.rows)}
        jobs = await place.submit(files)
        await asyncio.sleep(STANDSTILL_S)
        cpu_before = place.cpu_s()
        await place.hold(on=False)
        await asyncio.sleep(SECONDS + 1)  # from the release to a second after: session start-up counts
        cpu, then = place.cpu_s() - cpu_before, await place.report()
        if not brief:
            await place.until_done(jobs)
        return _figures("pratunam", plan, await place.report(bins=BIN_MS), cpu_a_1000(cpu, then))


async def measure_peer(name: str, burst_s: float, *, brief: bool = False) -> dict[str, Any]:
    """Run one round of a peer against the same registrar; returns the same figures."""
    plan = plan_of("single", burst_s)
    async with peer(name, plan) as other:
        cpu_before = other.cpu_s()
        await other.release()
        await asyncio.sleep(SECONDS + 1)
        cpu, then = other.cpu_s() - cpu_before, await report_of(other.endpoint)
        if not brief:
            await other.until_done()
        return _figures(name, plan, await report_of(other.endpoint, BIN_MS), cpu_a_1000(cpu, then))


def cpu_a_1000(cpu_s: float, report: Mapping[str, Any]) -> float:
    """Return processor time for each 1,000 records accepted when it was read: what comes later has not been paid for."""
    accepted: int = report["outcomes"]["accepted"]
    return round(cpu_s / (accepted / 1000), 3)


def _figures(who: str, plan: TownPlan, report: Mapping[str, Any], cpu_a_1000: float) -> dict[str, Any]:
    sent = sum(report["bins"]["counts"][: SECONDS * BINS_A_SECOND])
    fluid = fluid_sent(
        [float(n) for n in plan.rows],
        plan.accounts,
        120,
        rate=plan.rate,
        burst=plan.burst,
        each=plan.account_rate,
        each_burst=plan.account_burst,
    )
    best = sum(fluid[SECONDS * 200 - 1])
    return {
        "who": who,
        "shape": plan.shape,
        "burst": plan.burst,
        "records_in_20_s": sent,
        "fluid": round(best, 1),
        "ratio": round(sent / best, 4),
        "over": report["bucket"]["over"]
        + sum(
            p["bucket"]["over"] + sum(a["bucket"]["over"] for a in p["accounts"].values())
            for p in report["parties"].values()
        ),
        "pushbacks": sum(report["pushbacks"].values()),
        "most_sessions_of_an_account": max(
            a["sessions"]["most"] for p in report["parties"].values() for a in p["accounts"].values()
        ),
        "jain": round(_jain(plan, report), 5),
        "small_jobs": round(small_jobs(plan, report, fluid), 3),
        "cpu_s_per_1000": cpu_a_1000,
    }


def _jain(plan: TownPlan, report: Mapping[str, Any]) -> float:
    """Return Jain's index of records per account among parties that are backlogged for all of the first 8 s."""
    first = report["bins"]["first"]
    rates: list[float] = []
    for number, count in enumerate(plan.accounts):
        bins = report["parties"][party(number)]["bins"]
        offset = bins["first"] - first
        sent = [0] * offset + list(bins["counts"])
        if plan.rows[number] - sum(sent[: 8 * BINS_A_SECOND]) > 0:
            rates.append(sum(sent[3 * BINS_A_SECOND : 8 * BINS_A_SECOND]) / count)
    return sum(rates) ** 2 / (len(rates) * sum(each * each for each in rates)) if rates else 0.0


def small_jobs(plan: TownPlan, report: Mapping[str, Any], fluid: Sequence[Sequence[float]]) -> float:
    """Return the worst time of a party with 100 records, over its fluid time; endless where not all are in.

    Both times count from the first arrival of all.
    """
    first, worst = report["first_at"], 0.0
    for number, rows in enumerate(plan.rows):
        if rows == 100:
            seen = report["parties"][party(number)]
            took = (seen["last_at"] - first) / 1000 if seen["outcomes"].get("accepted") == rows else inf
            fair = next(step for step, sent in enumerate(fluid, 1) if sent[number] >= rows - 0.5) * 0.005
            worst = max(worst, took / max(fair, 0.25))
    return worst


async def one_round(
    shapes: Sequence[str], bursts_s: Sequence[float], *, with_peer: bool, brief: bool
) -> list[dict[str, Any]]:
    """Run each combination once, the peer after the first of ours with the same burst: ours, peer, ours, ours, peer, ours."""
    found = []
    for burst_s in bursts_s:
        ours = [await measure(shapes[0], burst_s, brief=brief)]
        theirs = [await measure_peer(BARE_LOOP, burst_s, brief=brief)] if with_peer else []
        ours += [await measure(shape, burst_s, brief=brief) for shape in shapes[1:]]
        for each in ours + theirs:
            cost = theirs[0]["cpu_s_per_1000"] if theirs else None
            each["cpu_to_bare_loop"] = round(each["cpu_s_per_1000"] / cost, 3) if cost else None
        found += ours + theirs
    return found


def medians(rounds: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return one row for each combination: medians over rounds, the worst of what is counted."""
    rows = []
    for same in zip(*rounds, strict=True):
        row: dict[str, Any] = dict(same[0])
        for name, value in row.items():
            if isinstance(value, int | float):
                row[name] = (max if name in COUNTED else median)(each[name] for each in same)
        rows.append(row)
    return rows


def options(words: Sequence[str]) -> dict[str, Any]:
    """Read the options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py bench pace")
    reader.add_argument("--rounds", type=int, default=1, help="how often each combination is run")
    reader.add_argument(
        "--shape", action="append", choices=SHAPES, help="only this shape (default: stream, batch)"
    )
    reader.add_argument("--burst", action="append", type=float, choices=BURSTS_S, help="only this burst (s)")
    reader.add_argument("--brief", action="store_true", help="end each run after the 20 s that are judged")
    return vars(reader.parse_args(words))


async def main(
    console: Console,
    rounds: int = 1,
    shape: Sequence[str] | None = None,
    burst: Sequence[float] | None = None,
    *,
    brief: bool = False,
) -> None:
    """Run each shape and burst and the peer, print the table, and write all rounds."""
    without = missing(BARE_LOOP)
    if without:
        console.print(without, style="yellow")
    each = [
        await one_round(shape or SHAPES[:2], burst or BURSTS_S, with_peer=not without, brief=brief)
        for _ in range(rounds)
    ]
    rows = medians(each)
    print_table(console, rows)
    write_json("pace", {"rounds": [row for found in each for row in found], "medians": rows})
