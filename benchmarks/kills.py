"""Kills: worker, scheduler, Redis, its contents, and the whole gate die one after another under load; how soon does work go on.

The registrar's own log says when each account sent again; its report says whether a limit was broken across the gap.
Options: `--rounds N` (how often each strikes), `--what` and `--shape` (only these).
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import redis.asyncio as aioredis
from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import REGISTRY, Arrival, Town, TownPlan, party, town, write_members
from domain.jobs import Job
from pratunam.child import ready_children
from pratunam.running import must_run
from pratunam.up import names_of_children
from registrar.report import verdict

ACCOUNTS, ACCOUNT_RATE = (3, 2, 1), 30
SHAPES, ROUNDS = ("stream", "batch"), 3
ANSWER_TIMEOUT_S = 2
#: records of the moment of the kill itself may still be on their way (ms)
_ON_THE_WAY_MS = 250
#: what the design promises, after a start of processes (s): lease + 3, leader 3, answer time-out + 5
PROMISED_S = {"worker": 9, "scheduler": 3, "redis": ANSWER_TIMEOUT_S + 5, "flush": ANSWER_TIMEOUT_S + 5}

Disaster = Callable[[Town], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Blow:
    """One disaster: when it struck (ms by the machine's clock, as the registrar's) and when all was at work again."""

    name: str
    at: int
    over_at: int

    def back_s(self, arrivals: Sequence[Arrival]) -> float:
        """Return how long it took until every account had sent again."""
        first: dict[tuple[int, int], int] = {}
        for each in arrivals:
            if self.at + _ON_THE_WAY_MS < each.at:
                first.setdefault((each.party, each.account), each.at)
        return (max(first.values()) - self.at) / 1000

    def pause_s(self, arrivals: Sequence[Arrival]) -> float:
        """Return the longest stretch without any arrival while it was not over."""
        times = [each.at for each in arrivals if self.at <= each.at <= self.over_at + 1000]
        return max(b - a for a, b in zip([self.at, *times], times, strict=False)) / 1000


@dataclass(frozen=True, slots=True)
class KillsRun:
    """What a run showed."""

    blows: list[Blow]
    report: dict[str, Any]
    arrivals: list[Arrival]
    jobs: list[Job]


async def play(
    disasters: Sequence[str], rows: int, shape: str = "stream", folder: Path | None = None
) -> KillsRun:
    """Let disasters strike backlogged parties one after another, each once all is at work again; `rows` an account."""
    rate = sum(ACCOUNTS) * ACCOUNT_RATE
    plan = TownPlan(
        ACCOUNTS, [rows * count for count in ACCOUNTS], rate, rate // 4, ACCOUNT_RATE, ACCOUNT_RATE // 4,
        shape=shape, keeps_arrivals=True, extra_policy=f"answer_timeout_s = {ANSWER_TIMEOUT_S}",
        extra_registrar=f"[registries.{REGISTRY}.membership]",
    )  # fmt: skip
    async with town(plan, folder) as place:
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(plan.rows)}
        jobs = await place.submit(files)
        await _until_all_send(place, {})
        blows = []
        for name in disasters:
            at = time.time_ns() // 1_000_000
            await DISASTERS[name](place)
            await asyncio.sleep(_ON_THE_WAY_MS / 1000)
            await _until_all_send(place, await _sent(place))
            await _until_all_run(place)
            blows.append(Blow(name, at, time.time_ns() // 1_000_000))
        await place.hurry()
        done = await place.until_done(jobs)
        return KillsRun(blows, await place.report(), place.arrived(), done)


async def _sent(place: Town) -> dict[str, int]:
    report = await place.report()
    return {
        account: seen["arrivals"]
        for each in report["parties"].values()
        for account, seen in each["accounts"].items()
    }


async def _until_all_send(place: Town, before: Mapping[str, int], within_s: float = 60) -> None:
    """Wait until every account has sent more than before; raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not all(count > before.get(name, 0) for name, count in (await _sent(place)).items()):
            await asyncio.sleep(0.1)


async def _until_all_run(place: Town, within_s: float = 60) -> None:
    """Wait until every process is ready again: the next blow must strike a gate that is whole."""
    settings = place.parts.settings
    async with asyncio.timeout(within_s):
        while not set(names_of_children(settings)) <= set(ready_children(settings)):
            await asyncio.sleep(0.1)


async def kill_worker(place: Town) -> None:
    """End the worker by force."""
    os.kill(place.gate.child("worker-1"), signal.SIGKILL)


async def kill_scheduler(place: Town) -> None:
    """End the scheduler by force."""
    os.kill(place.gate.child("scheduler"), signal.SIGKILL)


async def kill_redis(place: Town) -> None:
    """End the embedded server by force."""
    os.kill(place.gate.redis(), signal.SIGKILL)


async def flush_redis(place: Town) -> None:
    """Take all of Redis' contents away while it runs."""
    async with aioredis.from_url(must_run(place.parts.settings).redis_url) as client:
        await client.flushall()


async def kill_gate(place: Town) -> None:
    """End the supervisor by force, wait until nothing of the gate is left, and start it again."""
    family = place.gate.family()
    await place.gate.kill()
    await asyncio.to_thread(psutil.wait_procs, family[1:], 30)
    await place.gate.start()


DISASTERS: dict[str, Disaster] = {
    "worker": kill_worker,
    "scheduler": kill_scheduler,
    "redis": kill_redis,
    "flush": flush_redis,
    "gate": kill_gate,
}


def summary(shape: str, what: str, found: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return one row: how long until every account had sent again, and the longest silence of all (both s), of each time it struck."""
    backs, pauses = [back for back, _ in found], [pause for _, pause in found]
    return {
        "shape": shape,
        "what": what,
        "times": len(found),
        "promised s": PROMISED_S.get(what),
        "all back s: least": min(backs),
        "median": round(median(backs), 2),
        "most": max(backs),
        "silence s: most": max(pauses),
    }


def options(words: Sequence[str]) -> dict[str, Any]:
    """Read the options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py bench kills")
    reader.add_argument("--rounds", type=int, default=ROUNDS, help="how often each strikes, in each shape")
    reader.add_argument("--what", action="append", choices=DISASTERS, help="only this (default: all)")
    reader.add_argument("--shape", action="append", choices=SHAPES, help="only this shape (default: both)")
    return {name: value for name, value in vars(reader.parse_args(words)).items() if value}


async def main(
    console: Console,
    rounds: int = ROUNDS,
    what: Sequence[str] = tuple(DISASTERS),
    shape: Sequence[str] = SHAPES,
) -> None:
    """Let every disaster strike `rounds` times in each shape, and print one row of each."""
    found, each = list[dict[str, Any]](), list[dict[str, Any]]()
    for one in shape:
        run = await play([*what] * rounds, 700 * rounds, one)
        blows = [
            (b.name, round(b.back_s(run.arrivals), 2), round(b.pause_s(run.arrivals), 2)) for b in run.blows
        ]
        found += [summary(one, name, [(b, p) for other, b, p in blows if other == name]) for name in what]
        each += [
            {"shape": one, "what": name, "back_s": back, "pause_s": pause} for name, back, pause in blows
        ]
        console.print(
            f"{one}: {sum(job.rows for job in run.jobs)} rows, {run.report['effects']['exactly_one']} in effect once, "
            f"{run.report['effects']['more']} more often; promises broken: {'; '.join(verdict(REGISTRY, run.report)) or 'none'}"
        )
    print_table(console, found)
    write_json("kills", {"rows": found, "blows": each})
