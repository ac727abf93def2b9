"""The parties: they hand in file after file as long as a run lasts, and remember what must come of every row."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from domain.errors import Busy
from domain.jobs import Job
from domain.states import ENDED_JOB_STATES, JobState
from intake.receive import receive
from pratunam.doorbells import ring_check
from pratunam.intake_parts import intake_parts, submit_request
from profiles.party_members.fields import FIELDS
from profiles.party_members.made_up import made_up_members
from tests.gauntlet.field import BY, Field
from tests.gauntlet.plan import REGISTRY, REJECTED_ENDING

INVALID = {"no-such-day": 0.02}
_LOOK_EVERY_S = 0.5
_PLENTY = 10**9
_ID = FIELDS["national_id"].headers[0]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One file: whose, its job, and what must come of its rows, by the digests of their natural keys."""

    party: str
    file: Path
    job: str
    accepted: frozenset[str]
    rejected: frozenset[str]
    invalid: int

    @property
    def rows(self) -> int:
        """Return all of its rows."""
        return len(self.accepted) + len(self.rejected) + self.invalid


@dataclass(slots=True)
class Traffic:
    """Files of all parties, handed in while it flows."""

    ground: Field
    handed_in: dict[str, HandedIn] = field(default_factory=dict)
    ended: dict[str, Job] = field(default_factory=dict)
    #: how often a file was not taken at once, and how often one was refused because its checks died, and handed in again
    put_off: int = 0
    refused: int = 0
    _starts: dict[str, int] = field(default_factory=dict)
    _gate: asyncio.Event = field(default_factory=asyncio.Event)
    _calm: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Keep every party's queue filled until cancelled."""
        self._gate.set()
        while True:
            await self._gate.wait()
            async with self._calm:
                await self._fill()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _fill(self) -> None:
        plan = self.ground.plan
        waiting = await self._waiting()
        for party in plan.parties:
            if self._gate.is_set() and waiting.get(party, 0) < plan.ahead_s * plan.pace_of(party):
                await self._hand_in(party)

    def look_again(self) -> None:
        """Believe nothing that was seen of jobs before: the ledger was put back."""
        self.ended.clear()

    async def pause(self) -> None:
        """Hand nothing in any more; returns once nothing is being handed in."""
        self._gate.clear()
        async with self._calm:
            pass

    def go_on(self) -> None:
        """Hand in again."""
        self._gate.set()

    async def first(self) -> None:
        """Hand one file in for each party."""
        await asyncio.gather(*(self._hand_in(party) for party in self.ground.plan.parties))

    async def all_checked(self) -> None:
        """Wait until every file has been checked."""
        unchecked = list(self.handed_in)
        while unchecked:
            jobs = [await self.ground.parts.ledger.job(name) for name in unchecked]
            unchecked = [job.job for job in jobs if job.state in {JobState.RECEIVED, JobState.CHECKING}]
            await asyncio.sleep(_LOOK_EVERY_S / 5)

    async def all_ended(self, within_s: float) -> bool:
        """Wait until every job has ended; False when some has not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    await self._waiting()
                    if len(self.ended) == len(self.handed_in):
                        return True
                    await asyncio.sleep(_LOOK_EVERY_S)
        return False

    async def _waiting(self) -> dict[str, int]:
        """Look at every job that has not ended, and return how many rows each party has waiting; all, while the ledger says nothing."""
        waiting: Counter[str] = Counter()
        for name, handed in list(self.handed_in.items()):
            if name in self.ended:
                continue
            try:
                job = await self.ground.parts.ledger.job(name)
            except Busy:
                return dict.fromkeys(self.ground.plan.parties, _PLENTY)
            if job.state is JobState.REFUSED:
                self.refused += 1
                del self.handed_in[name]
                await self._take(handed)
            elif job.state in ENDED_JOB_STATES:
                self.ended[name] = job
            is_checked = job.state not in {JobState.RECEIVED, JobState.CHECKING}
            waiting[handed.party] += job.records.pending if is_checked else handed.rows
        return waiting

    async def _hand_in(self, party: str) -> None:
        await self._take(await asyncio.to_thread(self.made, party))

    async def _take(self, handed: HandedIn) -> None:
        """Hand a file in, however often it takes: the same file is the same job."""
        parts = self.ground.parts
        while True:
            try:
                intake = await intake_parts(parts, REGISTRY)
                request = submit_request(handed.party, intake.rules, handed.file.name, max_invalid_pct=100)
                job = await receive(handed.file, request, intake, BY, parts.clock.now())
            except Busy:
                self.put_off += 1
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                self.handed_in[job.job] = replace(handed, job=job.job)
                await ring_check(self.ground.desk, job.job)
                return

    def taken_elsewhere(self, handed: HandedIn, told: str) -> str:
        """Remember a file that was handed in by the command line, and return its job."""
        job = str(json.loads(told)["job"])
        self.handed_in[job] = replace(handed, job=job)
        return job

    def made(self, party: str) -> HandedIn:
        """Write the next file of a party, some of its rows spoilt; what must come of each row is known from its twin without faults."""
        plan = self.ground.plan
        start = self._starts.get(party, 0)
        self._starts[party] = start + plan.rows_a_file
        seed = 10 + list(plan.parties).index(party)
        clean = made_up_members(plan.rows_a_file, seed, start=start)
        spoilt = made_up_members(plan.rows_a_file, seed, start=start, faults=INVALID)
        path = self.ground.folder / "files" / f"{party}-{start}.csv"
        path.parent.mkdir(exist_ok=True)
        spoilt.write_csv(path)
        same = [a == b for a, b in zip(spoilt.rows(), clean.rows(), strict=True)]
        valid = {number for number, is_same in zip(clean[_ID], same, strict=True) if is_same}
        rejected = {number for number in valid if number.endswith(REJECTED_ENDING)}
        accepted = frozenset(natural(party, number) for number in valid - rejected)
        return HandedIn(
            party,
            path,
            "",
            accepted,
            frozenset(natural(party, number) for number in rejected),
            same.count(False),
        )


def natural(party: str, number: str) -> str:
    """Return the digest by which the registrar knows a record that joins a person to a party."""
    return blake2b("\x1f".join((party, "ADD", number)).encode(), digest_size=8).hexdigest()
