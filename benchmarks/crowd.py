"""Crowds before the gate, as processes of their own: readers of the status, parties that hand files in; and queues, made in the ledger.

`python -m benchmarks.crowd read HOME SECONDS A_SECOND` and `… submit HOME FIRST LAST ROWS` print their figures as JSON.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.town import BY, REGISTRY, party
from domain.errors import Busy
from domain.jobs import NewJob, SliceDraft
from intake.receive import receive
from ledger import checks, jobs
from ledger.boxes import SliceBox, seal_slice
from ledger.engine import OnEngine
from ledger.values import CheckResult, CheckTicket
from pratunam.doorbells import ring_check
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import Parts, open_parts
from pratunam.running import redis_address
from pratunam.settings import read_settings
from pratunam.status import StatusReader
from profiles.party_members.made_up import made_up_members
from quotas.quotas import RedisQuotas

#: how long one look at the gate serves all who read its status (ms)
FRESH_MS = 250
#: slices that one transaction takes while a queue is made
AT_ONCE = 40


async def queue(parts: Parts, number: int, count: int, slices: int, lines: int, name: str) -> int:
    """Put checked jobs of one party into the ledger; returns how many records. Lines that share a body are as good as any to count."""
    ledger, owner = parts.ledger, party(number)
    assert isinstance(ledger, OnEngine)
    for each in range(count):
        job, now = f"J{name}{number:03d}{each:05d}", parts.clock.now()
        sealer = await asyncio.to_thread(parts.keys.create, job)
        digest = f"{name}{number:03d}{each:05d}".encode().hex().rjust(64, "0")
        new = NewJob(job, owner, REGISTRY, "party-members", 1, f"{job}.csv", digest, f"{job}.table", "ADD")
        ticket = await ledger.engine.write(_begin, new, now)
        for first in range(0, slices, AT_ONCE):
            drafts = []
            for seq in range(first, min(first + AT_ONCE, slices)):
                box = SliceBox(
                    tuple(f"{job}-{seq}-{line}" for line in range(lines)), (b"{}",) * lines, tuple(range(lines)), {}
                )  # fmt: skip
                index = os.urandom(24 * lines)  # as `pack_index` lays it out: no two persons alike
                drafts.append(SliceDraft(seq, lines, seal_slice(box, sealer, owner, job, seq), index))
            await ledger.accept(job, drafts, [], now, ticket=ticket)
        records = slices * lines
        await ledger.finish_check(ticket, CheckResult(records, 0, records, {}), BY, now)
    return count * slices * lines


def _begin(connection: Connection, new: NewJob, now: int) -> CheckTicket:
    """Receive a job and begin its check in one step: the gate that runs would else begin it itself."""
    received = jobs.receive(connection, new, BY, now)
    ticket = checks.begin_check(connection, received.job, now, attempts=3, lock_ms=600_000)
    assert ticket is not None
    return ticket


async def read(home: Path, seconds: float, a_second: int) -> dict[str, object]:
    """Read the status so often a second, as a console does for everybody who looks: one look serves all for a moment."""
    settings = read_settings(home)
    async with open_parts(settings) as parts:
        address = redis_address(settings)
        quotas = RedisQuotas(address) if address else None
        reader = StatusReader(parts, quotas, FRESH_MS)
        took: list[float] = []

        async def one() -> None:
            began = time.perf_counter()
            await reader.read()
            took.append(time.perf_counter() - began)

        began, tasks = time.perf_counter(), set[asyncio.Task[None]]()
        for number in range(int(seconds * a_second)):
            await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        over_s = time.perf_counter() - began
        if quotas is not None:
            await quotas.close()
    took.sort()
    return {
        "reads_a_second": round(len(took) / over_s, 1),
        "read_p50_ms": round(took[len(took) // 2] * 1000, 2),
        "read_p99_ms": round(took[len(took) * 99 // 100] * 1000, 1),
    }


async def submit(home: Path, first: int, last: int, rows: int) -> dict[str, object]:
    """Hand in one file of each of these parties, all at the same instant; a refusal must say when to come back."""
    settings = read_settings(home)
    ended: Counter[str] = Counter()
    polite, began, taken_s = 0, time.perf_counter(), 0.0
    async with open_parts(settings) as parts:
        intake = await intake_parts(parts, REGISTRY)
        data = {n: made_up_members(rows, n).write_csv().encode() for n in range(first, last + 1)}

        async def one(number: int) -> None:
            nonlocal polite, taken_s
            request = submit_request(party(number), intake.rules, "members.csv")
            try:
                job = await receive(BytesIO(data[number]), request, intake, BY, parts.clock.now())
            except Busy as busy:
                ended["refused"] += 1
                polite += busy.retry_after_ms >= 10_000 and busy.message_th != busy.message_en
                return
            ended["taken"] += 1
            taken_s = time.perf_counter() - began
            await ring_check(settings, job.job)

        began = time.perf_counter()
        await asyncio.gather(*(one(number) for number in data))
    return {**ended, "refused_politely": polite, "last_taken_s": round(taken_s, 1)}


async def main(words: list[str]) -> None:
    """Do one of the two and print its figures."""
    what, home, *numbers = words
    begin = read if what == "read" else submit
    figures = await begin(Path(home), *(int(number) for number in numbers))
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
