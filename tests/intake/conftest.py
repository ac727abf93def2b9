"""A home for intake: a real ledger, spool and key store in a temporary folder, and a clock that stands still."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from domain.clock import ManualClock
from domain.events import Event
from domain.jobs import By, Job
from domain.policy import RegistryRules
from intake.check_job import check_job
from intake.parts import IntakeParts, SubmitRequest
from intake.receive import receive
from ledger.boxes import FaultBox, SliceBox, open_faults, open_slice
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.protocols import Ledger
from ledger.spool import FolderSpool
from tests.intake.thread_child import thread_child

REGISTRY = "party-members"
BY = By("party:P001", "test")


def living_children() -> list[psutil.Process]:
    """Return the children of intake that this process has now (a server that other tests share is none)."""
    mine = psutil.Process().children()
    return [one for one in mine if one.status() != psutil.STATUS_ZOMBIE and "intake.child" in one.cmdline()]


@dataclass
class Desk:
    """What a test hands files to."""

    home: Path
    ledger: Ledger
    keys: KeyStore
    parts: IntakeParts
    clock: ManualClock
    events: list[Event] = field(default_factory=list)

    async def submit(self, data: bytes, party: str = "P001", **asked: Any) -> Job:
        """Receive a file's bytes."""
        return await self.submit_from(io.BytesIO(data), party, **asked)

    def request(self, party: str = "P001", **asked: Any) -> SubmitRequest:
        """Ask as a party does."""
        return SubmitRequest(party, REGISTRY, REGISTRY, asked.pop("file_name", "members.csv"), **asked)

    async def submit_from(self, source: Any, party: str = "P001", **asked: Any) -> Job:
        """Receive what a stream gives."""
        request = self.request(party, **asked)
        self.clock.advance(1)
        return await receive(source, request, self.parts, BY, self.clock.now())

    async def check(self, job: Job) -> Job:
        """Check a received file and return its job."""
        checked = await check_job(job.job, self.parts, self.clock.now())
        assert checked is not None, self.events
        return checked

    async def take(self, data: bytes, **asked: Any) -> Job:
        """Receive and check."""
        return await self.check(await self.submit(data, **asked))

    async def slices(self, job: Job) -> list[SliceBox]:
        """Open the job's slices."""
        sealer = self.keys.sealer(job.job)
        return [
            open_slice(one.box, sealer, job.party, job.job, one.seq)
            async for one in self.ledger.slices(job.job)
        ]

    async def faults(self, job: Job) -> list[FaultBox]:
        """Open the job's invalid rows."""
        sealer = self.keys.sealer(job.job)
        return [
            open_faults(one.box, sealer, job.party, job.job, one.seq)
            async for one in self.ledger.invalid(job.job)
        ]

    async def codes(self, job: Job) -> dict[int, list[str]]:
        """Return the fault codes by row number."""
        found: dict[int, list[str]] = {}
        for row in (row for box in await self.faults(job) for row in box.rows):
            found.setdefault(row.row, []).extend(one.code for one in row.faults)
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk of its own for each test."""
    keys = KeyStore(tmp_path / "keys.db", b"k" * 32)
    ledger = await open_ledger(tmp_path / "home", keys)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    clock = ManualClock()
    events: list[Event] = []
    parts = IntakeParts(
        ledger=ledger,
        spool=FolderSpool(tmp_path / "spool"),
        keys=keys,
        rules=RegistryRules(REGISTRY, REGISTRY, "http://127.0.0.1:1"),
        scratch=scratch,
        clock=clock,
        index_wait_s=0.01,
        emit=events.append,
        start_child=thread_child,
    )
    yield Desk(tmp_path, ledger, keys, parts, clock, events)
    await ledger.close()
    keys.close()
