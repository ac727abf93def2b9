"""Overload of ourselves: the pace of ten parties beside a crowd against what it was without, and the memory of each process.

Two hundred parties have a place here. Ten send all the time, 20 records/s each. In one run they send alone, then beside one of these:
a queue of 10 million pending records; 200 reads of the status a second; 189 parties that hand a file in at the same instant; one party
with as many small open jobs as it may have, which then hands in one more. Pace is counted in the registrar's log.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
from rich.console import Console

from benchmarks import crowd
from benchmarks.figures import print_table, write_json
from benchmarks.town import Town, TownPlan, party, town, write_members
from pratunam.settings import Settings

#: those whose pace is watched; the one that floods; the rest, whose windows are closed
SENDERS, FLOODER, PARTIES = 10, 10, 200
ACCOUNT_RATE = 20
#: how long is counted, after how long a start (s)
COUNT_S, RAMP_S = 8.0, 3.0
LOOK_S = 0.25
CLOSED = '[[party.{}.window]]\ndates = "2030-01-01"\nfrom = "00:00"\nto = "24:00"'


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large each crowd is: pending records, reads a second, parties at once and rows of each, small jobs and lines of each."""

    pending: int = 10_000_000
    reads: int = 200
    submitters: int = PARTIES - FLOODER - 1
    rows: int = 50
    jobs: int = Settings().party_open_jobs
    lines: int = 5
    count_s: float = COUNT_S
    ramp_s: float = RAMP_S


@dataclass
class Peaks:
    """The most memory that each process of the gate had (MB), by its name."""

    most: dict[str, int] = field(default_factory=dict)

    def look(self, place: Town) -> None:
        """Look at all of them once; children that read files count under one name."""
        for process in place.gate.family():
            try:
                name, memory = _name(process), process.memory_info().rss >> 20
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            self.most[name] = max(memory, self.most.get(name, 0))


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    if "intake.child" in words:
        return "child"
    if "pratunam.cli" in words:
        return words[words.index("pratunam.cli") + 1]
    return process.name()


Load = Callable[[Town, Sizes], Awaitable[Callable[[], Awaitable[dict[str, Any]]]]]


async def _nothing_more() -> dict[str, Any]:
    return {}


async def _queue(place: Town, sizes: Sizes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Make the queue: a tenth behind those that send, the rest of parties whose window is closed."""
    made, each = 0, sizes.pending // 100
    began = time.perf_counter()
    for number in [*range(SENDERS), *range(FLOODER + 1, FLOODER + 91)]:
        lines = min(500, each)
        made += await crowd.queue(place.parts, number, 1, each // lines, lines, "Q")
    figures = {"pending": made, "made_in_s": round(time.perf_counter() - began, 1)}
    ledger = place.folder / "home" / "ledger.db"
    figures["ledger_mb"] = ledger.stat().st_size >> 20

    async def told() -> dict[str, Any]:
        return figures

    return told


async def _flood(place: Town, sizes: Sizes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Give one party as many small jobs as it may have; one more is refused, and says when to come back."""
    await crowd.queue(place.parts, FLOODER, sizes.jobs, 1, sizes.lines, "F")
    file = write_members(place.folder, "one-more", 5, 1)
    said = await place.gate.command("submit", str(file), "--party", party(FLOODER), "--yes", "--json")

    async def told() -> dict[str, Any]:
        jobs = await place.parts.ledger.jobs(party(FLOODER), limit=2 * sizes.jobs)
        refusal = json.loads(said.out) if said.code else {}
        return {"small_jobs": len(jobs), "one_more_ended_with": said.code} | refusal

    return told


async def _status(place: Town, sizes: Sizes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Begin to read."""
    return await _begin(place, "read", round(sizes.ramp_s + sizes.count_s), sizes.reads)


async def _submits(place: Town, sizes: Sizes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Have everybody hand in."""
    first = FLOODER + 1
    return await _begin(place, "submit", first, first + sizes.submitters - 1, sizes.rows)


async def _begin(place: Town, *words: object) -> Callable[[], Awaitable[dict[str, Any]]]:
    what, *numbers = (str(word) for word in words)
    settings = place.parts.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.crowd", what, str(settings.home), *numbers,
        env=os.environ | {"PRATUNAM_MASTER_KEY_FILE": str(settings.master_key_path)},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def told() -> dict[str, Any]:
        out, _ = await process.communicate()
        return dict(json.loads(out))

    return told


LOADS: dict[str, Load] = {"queue": _queue, "status": _status, "submits": _submits, "flood": _flood}


def plan(sizes: Sizes) -> TownPlan:
    """Two hundred parties of one account each; the registry could bear twice what may be sent."""
    sends = round((2 * (sizes.count_s + sizes.ramp_s) + 8) * ACCOUNT_RATE)
    return TownPlan(
        [1] * PARTIES,
        [sends] * SENDERS,
        rate=2 * (SENDERS + 1) * ACCOUNT_RATE,
        burst=SENDERS * ACCOUNT_RATE,
        account_rate=ACCOUNT_RATE,
        account_burst=ACCOUNT_RATE,
        party_policy={k: CLOSED.format(party(k)) for k in range(FLOODER + 1, PARTIES)},
        keeps_arrivals=True,
    )


async def measure(name: str, sizes: Sizes | None = None) -> dict[str, Any]:
    """Run the senders alone, then beside one crowd; returns both paces, their ratio, the slowest sender's, and the peaks of memory."""
    sizes = sizes or Sizes()
    async with town(plan(sizes)) as place:
        await place.hold(on=True)
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(place.plan.rows)}
        await place.submit(files)
        async with _released(place):
            span, _ = await _watch(place, sizes)
        alone = _sent(place, *span)
        is_made_before = name in ("queue", "flood")
        told = await LOADS[name](place, sizes) if is_made_before else _nothing_more
        async with _released(place):
            if not is_made_before:
                told = await LOADS[name](place, sizes)
            span, peaks = await _watch(place, sizes)
        beside = _sent(place, *span)
        report = await place.report()
        figures = {"crowd": name, "alone_a_second": sum(alone) / sizes.count_s}
        figures["beside_a_second"] = sum(beside) / sizes.count_s
        figures["ratio"] = round(sum(beside) / sum(alone), 4)
        figures["slowest"] = round(min(b / a for a, b in zip(alone, beside, strict=True)), 4)
        figures["over"] = report["bucket"]["over"]
        return figures | {"peak_mb": peaks.most, "crowd_says": await told()}


@asynccontextmanager
async def _released(place: Town) -> AsyncIterator[None]:
    await place.hold(on=False)
    try:
        yield
    finally:
        await place.hold(on=True)


async def _watch(place: Town, sizes: Sizes) -> tuple[tuple[int, int], Peaks]:
    """Let the start pass, then look at memory while it is counted; returns the counted span (ms, the machine's clock)."""
    peaks = Peaks()
    await asyncio.sleep(sizes.ramp_s)
    began = time.time_ns() // 1_000_000
    until = began + round(sizes.count_s * 1000)
    while time.time_ns() // 1_000_000 < until:
        await asyncio.to_thread(peaks.look, place)
        await asyncio.sleep(LOOK_S)
    return (began, until), peaks


def _sent(place: Town, since: int, until: int) -> list[int]:
    """Return how many records of each sender arrived in a span."""
    counts = [0] * SENDERS
    for one in place.arrived():
        if one.party < SENDERS and since <= one.at < until:
            counts[one.party] += 1
    return counts


async def main(console: Console) -> None:
    """Run all crowds and print the table."""
    found = [await measure(name) for name in LOADS]
    print_table(console, found)
    write_json("overload", {"rounds": found})
