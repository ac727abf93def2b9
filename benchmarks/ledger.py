"""Ledger: the same job on SQLite and on PostgreSQL, through the real verbs: a file checked and committed, then claimed and settled.

Intake is the real one, its child included; so is what settles. The sessions are loops that claim and mark as a worker's do, less wire,
pacer and limits; a smaller job goes through everything. Both engines lie on the same disk and wait for it at each commit. Sizes are
read when all is done, the spool's apart.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.intake import csv_file
from benchmarks.town import ALWAYS, REGISTRY, TownPlan, party, town, write_members
from domain.jobs import By, Job, Outcome, Settled
from domain.quota import Lease
from domain.states import JobState, RecordState
from intake.check_job import check_job
from intake.receive import receive
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import Parts, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import Settings
from tests.postgres import PostgresServer, running_server
from workers.settling import Settler

BY = By("benchmark", "bench")
ENGINES = ("sqlite", "postgres")
ROWS, SESSIONS, PARTY = 1_000_000, 64, "P001"
#: records that go through the whole gate, and the accounts that send them
THROUGH, ACCOUNTS, NO_LIMIT = 100_000, 4, 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where one engine keeps its own."""

    settings: Settings
    server: PostgresServer | None

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of the ledger and of the spool."""
        if self.server is None:
            home = self.settings.home
            ledger = sum(file.stat().st_size for file in home.glob("ledger.db*"))
            return ledger, sum(file.stat().st_size for file in (home / "spool").rglob("*") if file.is_file())
        query = (
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
            " WHERE relnamespace = 'pratunam'::regnamespace AND relkind = 'r' AND (relname = 'spool_chunks') = %s"
        )
        return tuple(self.server.sql("bench", query, is_spool)[0][0] for is_spool in (False, True))


async def main(console: Console, rows: int = ROWS) -> None:
    """Measure both engines and print the table."""
    found = [await measure(engine, rows) for engine in ENGINES]
    whole = [await through_the_gate(engine, THROUGH) for engine in ENGINES]
    for rounds in (found, whole):
        print_table(console, rounds)
    write_json("ledger", {"rounds": found, "through": whole})


async def measure(engine: str, rows: int) -> dict[str, Any]:
    """Take one file in, check it, and settle every record of it; returns the figures."""
    with _place(engine) as place:
        file = csv_file(place.settings.home.parent, rows)
        async with open_parts(place.settings) as parts:
            await _policy(parts)
            empty = place.sizes()
            began = time.perf_counter()
            job = await _take_in(parts, file)
            checked_s, began = time.perf_counter() - began, time.perf_counter()
            await _settle_all(parts)
            settled_s = time.perf_counter() - began
            done = await parts.ledger.job(job.job)
            assert (done.state, done.records.accepted) == (JobState.FINISHED, rows)
            await parts.ledger.verify_audit()
        full = place.sizes()
    return {
        "engine": engine,
        "rows": rows,
        "taken in and checked, rows/s": round(rows / checked_s),
        "claimed and settled, records/s": round(rows / settled_s),
        "both, records/s": round(rows / (checked_s + settled_s)),
        "ledger, bytes a record": round((full[0] - empty[0]) / rows),
        "spool, bytes a record": round((full[1] - empty[1]) / rows),
    }


async def through_the_gate(engine: str, rows: int) -> dict[str, Any]:
    """Send one job through everything, limits lifted, one worker process; records/s from the first arrival to the job's end."""
    with _place(engine) as place:
        url = place.settings.ledger_url
        plan = TownPlan(
            [ACCOUNTS], [rows], NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, service_ms=0, judged=False,
            environment={"PRATUNAM_LEDGER_URL": url} if url else {},
        )  # fmt: skip
        async with town(plan, place.settings.home.parent) as here:
            await here.hold(on=True)
            jobs = await here.submit({party(0): write_members(here.folder, party(0), rows, 0)})
            before = here.cpu_s()
            await here.hold(on=False)
            [done] = await here.until_done(jobs)
            cpu_s = here.cpu_s() - before
            first_at = (await here.report())["first_at"]
            assert done.finished_at is not None
            assert done.records.accepted == rows
    took_s = (done.finished_at - first_at) / 1000
    return {
        "engine": engine,
        "rows": rows,
        "through the gate, records/s": round(rows / took_s),
        "processor s a 1,000 records": round(cpu_s / rows * 1000, 4),
    }


async def _take_in(parts: Parts, file: Path) -> Job:
    intake = await intake_parts(parts, REGISTRY)
    taken = await receive(file, submit_request(PARTY, intake.rules, file.name), intake, BY, parts.clock.now())
    job = await check_job(taken.job, intake, parts.clock.now())
    assert job is not None
    assert job.state is JobState.QUEUED, job
    return job


async def _settle_all(parts: Parts) -> None:
    generation = await parts.ledger.begin_generation(REGISTRY, "benchmark", BY, parts.clock.now())
    settler = Settler(REGISTRY, parts.ledger, parts.clock, parts.emit)
    settler.start()
    await asyncio.gather(*(_session(parts, settler, generation, number) for number in range(SESSIONS)))
    await settler.stop()


async def _session(parts: Parts, settler: Settler, generation: int, number: int) -> None:
    lease = Lease(REGISTRY, PARTY, _account(number), "bench", generation * 2**32 + number + 1, generation)
    ledger, clock = parts.ledger, parts.clock
    while (claimed := await ledger.claim(lease, clock.now())) is not None:
        await ledger.mark_sent(claimed.slice_id, claimed.token, claimed.lines, clock.now())
        outcomes = [
            Outcome(line, RecordState.ACCEPTED, receipt=f"R-{claimed.seq:06d}-{line:06d}")
            for line in range(claimed.lines)
        ]
        settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        settler.put(claimed.slice_id, outcomes, settled.set_result, is_whole=True)
        await settled


@contextmanager
def _place(engine: str) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="pratunam-bench-", ignore_cleanup_errors=True))
        settings = replace(Settings(), home=Path(folder) / "home")
        server = None
        if engine == "postgres":
            server = stack.enter_context(running_server(shared_buffers="256MB", max_wal_size="1GB"))
            server.sql("postgres", "CREATE DATABASE bench TEMPLATE template0")
            settings = replace(settings, ledger_url=server.url("bench"))
        yield Place(settings, server)


async def _policy(parts: Parts) -> None:
    accounts = "".join(
        f'[[party.{PARTY}.account]]\nid = "{_account(number)}"\nkind = "base"\nsecret = "plain:s"\n'
        for number in range(SESSIONS)
    )
    text = (
        f'format = 1\n[registry.{REGISTRY}]\nprofile = "party-members"\nendpoint = "http://127.0.0.1:9"\ntest_ids = true\n'
        f"account_rate = 1000\naccount_burst = 1000\nrate = 64000\nburst = 64000\n{ALWAYS}\n[party.{PARTY}]\n{accounts}"
    )
    await apply_policy(parts.ledger, ApplyRequest(text, "benchmark", "bench"), BY, parts.clock.now())


def _account(number: int) -> str:
    return f"{PARTY}-{number:02d}"
