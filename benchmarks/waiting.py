"""Parties that wait before a gate without wire: a real ledger with a checked job each, a real server, and sessions that only draw.

What is measured here is who goes next and what may be sent; nothing is claimed, sent or settled in the ledger.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, insert, select

from benchmarks.town import BY, REGISTRY, TownPlan, party, policy_of
from domain.jobs import NewJob, SliceDraft
from domain.quota import Lease, Permit, TickLine
from ledger import checks, drafts, jobs, tables
from ledger.boxes import SliceBox, seal_slice
from ledger.engine import OnEngine
from ledger.sealing import Sealer
from ledger.values import CheckResult
from pratunam.embedded import EmbeddedServer
from pratunam.parts import Parts, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import Settings
from quotas.quotas import RedisQuotas


@dataclass(frozen=True, slots=True)
class Waiting:
    """A home with jobs in it, the gate beside it, and the server's address."""

    parts: Parts
    quotas: RedisQuotas
    url: str


@asynccontextmanager
async def waiting(plan: TownPlan, lines: int) -> AsyncIterator[Waiting]:
    """Make a home with the plan's policy, and a job of one slice of `lines` records for each party; it goes with the block."""
    with TemporaryDirectory(prefix="pratunam-bench-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedServer(Path(folder) / "redis")
        url = await server.start()
        quotas = RedisQuotas(url)
        try:
            async with open_parts(replace(Settings(), home=Path(folder) / "home")) as parts:
                request = ApplyRequest(policy_of(plan, "http://127.0.0.1:9"), "benchmark", "bench")
                await apply_policy(parts.ledger, request, BY, parts.clock.now())
                await queue_for_each(parts, len(plan.accounts), lines)
                yield Waiting(parts, quotas, url)
        finally:
            await quotas.close()
            await server.stop()


async def queue_for_each(parts: Parts, count: int, lines: int) -> None:
    """Put a checked job of one slice into the ledger for each of the first `count` parties.

    The first goes through the ledger's verbs, the others are its copies (their slices hold nothing that anybody could open): what
    is measured here reads no more of a job than its row, and 8,000 checks would take minutes.
    """
    ledger = parts.ledger
    assert isinstance(ledger, OnEngine)
    await ledger.engine.write(_queue_first, lines, parts.keys.create(_job(0)), parts.clock.now())
    await ledger.engine.write(_copy_for_others, count)


def _queue_first(connection: Connection, lines: int, sealer: Sealer, now: int) -> None:
    job, owner = _job(0), party(0)
    new = NewJob(job, owner, REGISTRY, "party-members", 1, f"{job}.csv", "0" * 64, f"{job}.table", "ADD")
    jobs.receive(connection, new, BY, now)
    ticket = checks.begin_check(connection, job, now, attempts=3, lock_ms=600_000)
    assert ticket is not None
    box = SliceBox(tuple(f"{job}-{line}" for line in range(lines)), (b"{}",) * lines, tuple(range(lines)), {})
    draft = SliceDraft(0, lines, seal_slice(box, sealer, owner, job, 0), os.urandom(24 * lines))
    drafts.accept(connection, job, [draft], [], ticket)
    checks.finish_check(connection, ticket, CheckResult(lines, 0, lines, {}), BY, now)


def _copy_for_others(connection: Connection, count: int) -> None:
    job = dict(connection.execute(select(tables.jobs)).one()._mapping)
    part = dict(connection.execute(select(tables.slices)).one()._mapping)
    others = range(1, count)
    if others:
        changed = (
            {"number": job["number"] + n, "job": _job(n), "party": party(n), "receipt": f"R{n}"}
            for n in others
        )
        connection.execute(insert(tables.jobs), [job | each for each in changed])
        parts = ({"slice_id": f"{_job(n)}.0", "job": _job(n)} for n in others)
        connection.execute(insert(tables.slices), [part | each for each in parts])


def _job(number: int) -> str:
    return f"J{number:04d}"


@dataclass(slots=True)
class _Sitting:
    lease: Lease
    granted: int = 0
    sent: int = 0
    settled: int = 0


@dataclass
class Sitters:
    """Sessions of one made-up worker: they draw, "send" at once, and tell the answers with the next tick."""

    quotas: RedisQuotas
    holder: str = "bench"
    tick_no: int = 0
    sitting: dict[str, _Sitting] = field(default_factory=dict)

    async def sit(self, name: str, account: str) -> None:
        """Take the lease of an account and begin its session; nothing where it is refused."""
        lease = await self.quotas.lease(REGISTRY, name, account, self.holder)
        if isinstance(lease, Lease):
            await self.quotas.fenced(lease)
            self.sitting[account] = _Sitting(lease)

    async def tick(self, want: int) -> int:
        """Tick once for all; sessions that are told to end leave. Returns how many permits were granted."""
        self.tick_no += 1
        lines = [self._line(each, want) for each in self.sitting.values()]
        granted = 0
        permits = await self.quotas.tick(REGISTRY, self.holder, self.tick_no, lines)
        for each, permit in zip(list(self.sitting.values()), permits, strict=True):
            granted += permit.granted
            await self._take(each, permit)
        return granted

    async def _take(self, each: _Sitting, permit: Permit) -> None:
        each.settled = each.sent
        each.granted += permit.granted
        each.sent = each.granted
        if permit.ending and not permit.granted:
            del self.sitting[each.lease.account]
            await self.quotas.release(self._line(each, 0), logged_out=True)

    @staticmethod
    def _line(each: _Sitting, want: int) -> TickLine:
        return TickLine(each.lease, each.granted, 0, each.sent, each.settled, want)
