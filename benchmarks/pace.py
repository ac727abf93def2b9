"""Pace: twenty uneven parties against one registry, records in the first 20 s against the fluid optimum of weighted max-min.

Party k has 1 + k mod 4 accounts at 20 records/s; registry 800/s; 16,000 records, one party 40 %, four with 100; answers after 10 ms.
The files are checked before the clock starts (start-up apart): the registry is held, its buckets are full, then it is released.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.town import Town, TownPlan, party, town, write_json, write_members
from tests.scheduler.fluid import fluid_sent

PARTIES, RECORDS, SECONDS = 20, 16_000, 20
RATE, ACCOUNT_RATE = 800, 20
#: buckets are full after so long at a standstill, whatever happened before (s)
STANDSTILL_S = 14
#: width of the report's bins (ms), and how many make a second: the first bin begins up to one width before the first arrival
BIN_MS = 10
BINS_A_SECOND = 1000 // BIN_MS


def rows_of() -> list[int]:
    """Return each party's rows: number 3 has 40 %, four have 100, the others share the rest."""
    small = {4, 9, 14, 19}
    rest = (RECORDS - RECORDS * 4 // 10 - 100 * len(small)) // (PARTIES - 1 - len(small))
    rows = [RECORDS * 4 // 10 if k == 3 else 100 if k in small else rest for k in range(PARTIES)]
    rows[0] += RECORDS - sum(rows)
    return rows


async def measure(shape: str, burst_s: float) -> dict[str, Any]:
    """Run one round; returns the figures."""
    accounts = [1 + k % 4 for k in range(PARTIES)]
    burst, account_burst = round(RATE * burst_s), max(1, round(ACCOUNT_RATE * burst_s))
    plan = TownPlan(accounts, rows_of(), RATE, burst, ACCOUNT_RATE, account_burst, shape=shape)
    async with town(plan) as place:
        await place.hold(on=True)
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(plan.rows)}
        jobs = await place.submit(files)
        await asyncio.sleep(STANDSTILL_S)
        cpu_before = place.cpu_s()
        await place.hold(on=False)
        await asyncio.sleep(SECONDS + 1)  # from the release to a second after: session start-up counts
        cpu = place.cpu_s() - cpu_before
        await place.until_done(jobs)
        report = await place.report(bins=BIN_MS)
        return _figures(place, report, cpu, burst, account_burst)


def _figures(
    place: Town, report: Mapping[str, Any], cpu_s: float, burst: int, account_burst: int
) -> dict[str, Any]:
    plan = place.plan
    sent = _sent_by(report["bins"], SECONDS)
    fluid = fluid_sent(
        [float(n) for n in plan.rows],
        plan.accounts,
        120,
        rate=RATE,
        burst=burst,
        each=ACCOUNT_RATE,
        each_burst=account_burst,
    )
    best = sum(fluid[SECONDS * 200 - 1])
    return {
        "shape": plan.shape,
        "burst": burst,
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
        "jain": round(_jain(place, report), 5),
        "small_jobs": round(_small(place, report, fluid), 3),
        "cpu_s_per_1000": round(cpu_s / (_sent_by(report["bins"], SECONDS + 1) / 1000), 3),
    }


def _sent_by(bins: Mapping[str, Any], seconds: float) -> int:
    return sum(bins["counts"][: round(seconds * BINS_A_SECOND)])


def _jain(place: Town, report: Mapping[str, Any]) -> float:
    """Return Jain's index of records per account among parties that are backlogged for all of the first 8 s."""
    first = report["bins"]["first"]
    rates: list[float] = []
    for number, count in enumerate(place.plan.accounts):
        bins = report["parties"][party(number)]["bins"]
        offset = bins["first"] - first
        sent = [0] * offset + list(bins["counts"])
        if place.plan.rows[number] - sum(sent[: 8 * BINS_A_SECOND]) > 0:
            rates.append(sum(sent[3 * BINS_A_SECOND : 8 * BINS_A_SECOND]) / count)
    return sum(rates) ** 2 / (len(rates) * sum(each * each for each in rates)) if rates else 0.0


def _small(place: Town, report: Mapping[str, Any], fluid: Sequence[Sequence[float]]) -> float:
    """Return the worst time of a party with 100 records, over its fluid time (both from the first arrival of all)."""
    first, worst = report["first_at"], 0.0
    for number, rows in enumerate(place.plan.rows):
        if rows == 100:
            took = (report["parties"][party(number)]["last_at"] - first) / 1000
            fair = next(step for step, sent in enumerate(fluid, 1) if sent[number] >= rows - 0.5) * 0.005
            worst = max(worst, took / max(fair, 0.25))
    return worst


async def main(console: Console, rounds: int = 1) -> None:
    """Run each shape and burst, and print the table."""
    found = [
        await measure(shape, burst_s)
        for _ in range(rounds)
        for shape in ("stream", "batch")
        for burst_s in (1.0, 0.25)
    ]
    table = Table(*found[0], box=None)
    for each in found:
        table.add_row(*(str(value) for value in each.values()))
    console.print(table)
    write_json("pace", {"rounds": found})
