"""Scheduler: time of a decision and of a whole round, permits a second and the script's p99, and what Redis does for a record.

*decide*: the pure function on a snapshot in which all parties want to send. *round*: the scheduler's `run_once` on a real ledger and
a real server, at its own pace, with sessions that draw beside it; rings go nowhere. *tick*: one worker's call for all its sessions,
limits lifted, as fast as it comes back; the script's own time by the server's count. *commands*: a short town, from the release to
the end. Options: `--part round|tick|commands`, `--parties N` (only these sizes), `--rounds N`.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis.asyncio as aioredis
from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import REGISTRY, Town, TownPlan, party, town, write_members
from benchmarks.waiting import Sitters, waiting
from domain.events import Event, RoundDecided
from domain.quota import AccountQuota, RegistryQuota, Share
from pratunam.child import collect_seldom
from pratunam.running import redis_address
from quotas.quotas import connect
from scheduler.decide import decide
from scheduler.loop import Scheduler
from scheduler.snapshot import LiveSession, PartyView, RegistryView, Snapshot
from tests.scheduler.fakes import FakeDoorbell

PARTS = ("round", "tick", "commands")
PARTIES, SESSIONS = (10, 100, 1_000, 8_000), (1, 20, 60, 300)
#: the registry's limits (records/s, records) and its cap of sessions
RATE, ACCOUNT_RATE, CAP = 800, 20, 300
LINES, DECISIONS, ROUNDS, WARM, TICKS = 10, 40, 24, 12, 400
#: a share lapses after 5 s; renewed seldom, since the server counts that with the ticks
RENEWED_S = 3.0
NO_LIMIT, NOW = 1_000_000, 1_800_000_000_000
#: the short town: accounts of each party, and its records
TOWN_ACCOUNTS, TOWN_RECORDS = (4,) * 5, 3_000


def snapshot(parties: int) -> Snapshot:
    """Return a registry before which so many parties wait, of one account each; the first sit, as many as may."""
    registry = RegistryView(REGISTRY, RATE, RATE, CAP, ACCOUNT_RATE, ACCOUNT_RATE)
    views = []
    for number in range(parties):
        sessions = (LiveSession(f"{party(number)}-00", NOW - 1_000),) if number < CAP else ()
        since_at = None if sessions else NOW - number
        views.append(
            PartyView(
                party(number), 1_000, 1, 60_000, 1_000 + number, weight=1 + number % 3, sessions=sessions, waiting_since_at=since_at
            )
        )  # fmt: skip
    return Snapshot(registry, tuple(views))


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Search for cycles as seldom as the scheduler's own process does, and never through what is loaded here besides."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def decisions(parties: int) -> dict[str, Any]:
    """Time the pure decision."""
    world, took = snapshot(parties), []
    with seldom_collected():
        for number in range(DECISIONS):
            began = time.perf_counter()
            decide(world, NOW + number)
            took.append(time.perf_counter() - began)
    return {"parties": parties, "decide_p50_ms": _ms(took, 0.5), "decide_slowest_ms": _ms(took, 1)}


async def whole_rounds(parties: int, count: int, warm: int = WARM) -> dict[str, Any]:
    """Time whole rounds: ledger and gate are read, decided, and what changed is written."""
    plan = TownPlan([1] * parties, [], RATE, RATE, ACCOUNT_RATE, ACCOUNT_RATE, sessions=CAP)
    async with waiting(plan, LINES) as place:
        bell, sitters, events = FakeDoorbell(), Sitters(place.quotas), list[Event]()
        scheduler = Scheduler(
            place.parts.ledger, place.quotas, bell, place.parts.clock, events.append, "bench"
        )
        took, most = [], 0
        with seldom_collected():
            for number in range(warm + count):
                for name in bell.sessions:
                    await sitters.sit(name, f"{name}-00")
                bell.sessions.clear()
                most = max(most, len(sitters.sitting))
                await sitters.tick(2)
                began = time.perf_counter()
                sleep_s = await scheduler.run_once()
                if number >= warm:
                    took.append(time.perf_counter() - began)
                await asyncio.sleep(sleep_s)
    decided = [each.took_ms / 1000 for each in events if isinstance(each, RoundDecided)][-count:]
    return {
        "most sessions": most,
        "round_p50_ms": _ms(took, 0.5),
        "round_slowest_ms": _ms(took, 1),
        "of it views and decision_p50_ms": _ms(decided, 0.5),
    }


async def ticks(sessions: int) -> dict[str, Any]:
    """Time one worker's ticks with so many sessions that all want ten permits, limits lifted."""
    plan = TownPlan([sessions], [], NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT)
    async with waiting(plan, LINES) as place:
        quotas, client = place.quotas, connect(place.url)
        accounts = {
            f"{party(0)}-{number:02d}": AccountQuota(NO_LIMIT, NO_LIMIT) for number in range(sessions)
        }
        registry = RegistryQuota(REGISTRY, NO_LIMIT, NO_LIMIT, sessions, 1_000, 0, newest_wins=True)
        share = {party(0): Share(NO_LIMIT, NO_LIMIT, 5_000, sessions)}
        await quotas.begin(1, registry)
        await quotas.configure(registry, accounts)
        await quotas.set_shares(REGISTRY, 1, share, NO_LIMIT)
        sitters = Sitters(quotas)
        for account in accounts:
            await sitters.sit(party(0), account)
        await client.config_resetstat()
        took, granted, renewed = [], 0, time.perf_counter()
        for _ in range(TICKS):
            began = time.perf_counter()
            if began - renewed > RENEWED_S:
                await quotas.set_shares(REGISTRY, 1, share, NO_LIMIT)
                began = renewed = time.perf_counter()
            granted += await sitters.tick(10)
            took.append(time.perf_counter() - began)
        lua = dict(await client.info("latencystats"))["latency_percentiles_usec_evalsha"]
        await client.aclose()
    return {
        "sessions": sessions,
        "permits/s": round(granted / sum(took)),
        "ticks/s": round(TICKS / sum(took)),
        "tick_p50_ms": _ms(took, 0.5),
        "tick_p99_ms": _ms(took, 0.99),
        "lua_p50_ms": round(lua["p50"] / 1000, 3),
        "lua_p99_ms": round(lua["p99"] / 1000, 3),
    }


async def commands(shape: str) -> dict[str, Any]:
    """Count what Redis does for a record, from the release of a short town to its end."""
    rows = [TOWN_RECORDS // len(TOWN_ACCOUNTS)] * len(TOWN_ACCOUNTS)
    plan = TownPlan(TOWN_ACCOUNTS, rows, RATE, RATE, ACCOUNT_RATE, ACCOUNT_RATE, shape=shape)
    async with town(plan) as place:
        await place.hold(on=True)
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(rows)}
        jobs = await place.submit(files)
        before, began = await redis_calls(place), time.perf_counter()
        await place.hold(on=False)
        await place.until_done(jobs)
        after, took_s = await redis_calls(place), time.perf_counter() - began
    calls = {name: count - before.get(name, 0) for name, count in after.items()}
    reads, every = calls.pop("reads"), sum(calls.values())
    most = sorted(calls, key=lambda name: -calls[name])[:5]
    return {
        "shape": shape,
        "records": sum(rows),
        "took_s": round(took_s, 1),
        "calls from outside a record": round(reads / sum(rows), 3),
        "scripts a record": round(calls.get("evalsha", 0) / sum(rows), 3),
        "commands a record, those in scripts too": round(every / sum(rows), 3),
        "most of them": ", ".join(f"{name} {calls[name] / sum(rows):.2f}" for name in most if calls[name]),
    }


async def redis_calls(place: Town) -> Mapping[str, int]:
    """Return how often each command was run so far, scripts' own included; `reads`: how often a client sent something."""
    address = redis_address(place.parts.settings)
    assert address is not None
    async with aioredis.from_url(address) as client:
        stats = await client.info("commandstats")
        reads = int((await client.info("stats"))["total_reads_processed"])
    return {name.removeprefix("cmdstat_"): int(each["calls"]) for name, each in stats.items()} | {
        "reads": reads
    }


def _ms(took: Sequence[float], part: float) -> float:
    ordered = sorted(took)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 3)


def options(words: Sequence[str]) -> dict[str, Any]:
    """Read the options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py bench scheduler")
    reader.add_argument("--part", action="append", choices=PARTS, help="only this part (default: all three)")
    reader.add_argument(
        "--parties", type=int, action="append", help="only so many parties (default: all four sizes)"
    )
    reader.add_argument("--rounds", type=int, default=ROUNDS, help="how many rounds are timed")
    return vars(reader.parse_args(words))


async def main(
    console: Console,
    part: Sequence[str] = PARTS,
    parties: Sequence[int] | None = None,
    rounds: int = ROUNDS,
) -> None:
    """Measure all parts and print their tables."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in part or PARTS:
        if name == "round":
            found[name] = [decisions(each) | await whole_rounds(each, rounds) for each in parties or PARTIES]
        elif name == "tick":
            found[name] = [await ticks(each) for each in SESSIONS]
        else:
            found[name] = [await commands(shape) for shape in ("stream", "batch")]
        print_table(console, found[name])
    write_json("scheduler", found)
