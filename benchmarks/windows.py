"""Windows: one that closes under full load and opens again, in the registrar's time, its clock right or half a minute wrong.

The window is made by `policy apply` while records flow, and in the same moment by the registrar's own hand.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import REGISTRY, Arrival, Town, TownPlan, party, town, write_members
from domain.jobs import Job
from pratunam.outlooks import Outlooks

ACCOUNTS, ACCOUNT_RATE = (3, 2), 100
#: the guard of the policy, the time between the change and the closing, and how long it is closed (s)
GUARD_S, AHEAD_S, CLOSED_S = 1, 5, 4


@dataclass(frozen=True, slots=True)
class WindowRun:
    """What a run showed: the instants by the registrar's clock (ms), its report and log, the jobs at their end."""

    closes_at: int
    opens_at: int
    report: dict[str, Any]
    arrivals: list[Arrival]
    jobs: list[Job]
    #: made when the window had been set, by the gate's clock (ms): when, and each job's end as foreseen then
    foreseen_at: int
    foreseen: list[int | None]

    @property
    def last_before_s(self) -> float:
        """Return how long before the close the last record came in."""
        return min(self.closes_at - each.at for each in self.arrivals if each.at < self.opens_at) / 1000

    @property
    def first_after_s(self) -> float:
        """Return how long after the opening the first record came in."""
        return min(each.at - self.opens_at for each in self.arrivals if each.at >= self.closes_at) / 1000


async def play(
    offset_s: int, rows: int, shape: str = "stream", folder: Path | None = None, after: int = 0
) -> WindowRun:
    """Run two backlogged parties into a window's end and out of its beginning; the registrar's clock is `offset_s` ahead.

    The window is set once `after` records have arrived.
    """
    rate = sum(ACCOUNTS) * ACCOUNT_RATE
    plan = TownPlan(
        ACCOUNTS, [rows] * len(ACCOUNTS), rate, rate // 4, ACCOUNT_RATE, ACCOUNT_RATE // 4, shape=shape,
        keeps_arrivals=True, top_registrar=f"clock_offset_s = {offset_s}",
        extra_policy=f"guard_s = {GUARD_S}\nanswer_timeout_s = 5",
    )  # fmt: skip
    async with town(plan, folder) as place:
        files = {party(k): write_members(place.folder, party(k), rows, k) for k in range(len(ACCOUNTS))}
        jobs = await place.submit(files)
        await place.until_arrived(after or rate // 4)
        closes_at, opens_at = await _close(place, offset_s)
        foreseen_at, outlooks = place.parts.clock.now(), Outlooks(place.parts)
        foreseen = [(await outlooks.of_job(job)).finish_at for job in await place.now(jobs)]
        done = await place.until_done(jobs)
        report = await place.report()
        return WindowRun(closes_at, opens_at, report, place.arrived(), done, foreseen_at, foreseen)


async def _close(place: Town, offset_s: int) -> tuple[int, int]:
    """Close in `AHEAD_S` and open `CLOSED_S` later, on whole seconds of the registrar's clock, on both sides."""
    closes_at = (int(time.time()) + offset_s + AHEAD_S + 1) * 1000
    opens_at = closes_at + CLOSED_S * 1000
    await place.control(
        windows=[{"registry": REGISTRY, "windows": [{"to_at": closes_at}, {"from_at": opens_at}]}]
    )
    await place.apply(replace(place.plan, windows=hours(closes_at, opens_at)))
    return closes_at, opens_at


def hours(closes_at: int, opens_at: int) -> str:
    """Return a policy's windows, open but for one stretch; the time zone is one where it is about noon, far from midnight."""
    zone = 12 - datetime.fromtimestamp(closes_at / 1000, UTC).hour
    closes, opens = (
        (datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=zone)).strftime("%H:%M:%S")
        for at in (closes_at, opens_at)
    )
    head = f'[[registry.{REGISTRY}.window]]\ndays = "daily"\n'
    name = f"Etc/GMT{-zone:+d}" if zone else "Etc/GMT"
    return f'timezone = "{name}"\n{head}from = "00:00"\nto = "{closes}"\n{head}from = "{opens}"\nto = "24:00"'


async def main(console: Console) -> None:
    """Run both shapes with the registrar's clock right, ahead and behind."""
    found = []
    for shape in ("stream", "batch"):
        for offset_s in (0, 30, -30):
            run = await play(offset_s, 2_000, shape)
            found.append(
                {
                    "shape": shape,
                    "registrar_ahead_s": offset_s,
                    "arrivals_outside": run.report["outside"]["count"],
                    "last_before_close_s": round(run.last_before_s, 3),
                    "first_after_opening_s": round(run.first_after_s, 3),
                    "accepted": sum(job.records.accepted for job in run.jobs),
                    "pushbacks": sum(run.report["pushbacks"].values()),
                }
            )
    print_table(console, found)
    write_json("windows", {"rounds": found})
