"""Checks a received file in a limited child and commits what comes of it: slices, invalid rows, and the end of the check.

The parent holds keys and ledger and never sees a file's rows but sealed or on their way; a child's death costs one attempt.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.errors import BadFile, Busy, Conflict, NotFound, PratunamError
from domain.events import LoopFailed
from domain.jobs import By, InvalidDraft, Job, SliceDraft
from domain.states import AccountState, JobState
from intake.elsewhere import Elsewhere
from intake.faults import bad_file, cut_note, named
from intake.frames import (
    CheckDone,
    CheckTask,
    FaultRows,
    Given,
    Others,
    SliceBatch,
    TableChunk,
    Want,
    WantOthers,
)
from intake.keeper import ChildDied, Keeper
from intake.parts import IntakeParts
from intake.seal import Seal
from intake.spooled import SpooledTable, TableHead
from ledger.values import CheckResult, CheckTicket

BY = By("gate", "check")


async def check_job(job_id: str, parts: IntakeParts, now: int) -> Job | None:
    """Check one job's file; None when it is not due, another checks it, or this try died (it will be rung again)."""
    ticket = await parts.ledger.begin_check(job_id, now)
    if ticket is None:
        return None
    job = await parts.ledger.job(job_id)
    try:
        return await _with_right(ticket, job, parts)
    except asyncio.CancelledError:
        # asked to stop: no crash, and nobody has to wait until the lock lapses; a ledger without time leaves it to lapse
        with contextlib.suppress(PratunamError):
            await asyncio.shield(parts.ledger.yield_check(ticket, parts.clock.now()))
        raise
    except ChildDied as died:
        parts.emit(LoopFailed(job.registry, job.party, loop="check_job", error=died.reason))
        return None
    except BadFile as fault:
        return await _refuse(job, fault, parts)
    except NotFound:
        lost = bad_file(
            "The file is no longer in the spool.", "ไม่พบไฟล์ในที่พักข้อมูลแล้ว", "Submit it again.", "โปรดส่งไฟล์อีกครั้ง"
        )
        return await _refuse(job, lost, parts)
    except Conflict:
        # cancelled meanwhile, or taken over: whoever did it has the say
        return await parts.ledger.job(job_id)


async def _refuse(job: Job, fault: BadFile, parts: IntakeParts) -> Job:
    en = f"{fault.message_en} {fault.remedy_en}".strip()
    th = f"{fault.message_th} {fault.remedy_th}".strip()
    return await parts.ledger.refuse(job.job, en, th, BY, parts.clock.now())


async def _with_right(ticket: CheckTicket, job: Job, parts: IntakeParts) -> Job | None:
    """Run the check as long as the right to it can be kept alive."""
    await asyncio.to_thread(_clear_scratch, parts.scratch, job.job)
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"check-{job.job}-", dir=parts.scratch))
    work = asyncio.create_task(_check(ticket, job, parts, scratch))
    keep = asyncio.create_task(_keep(ticket, parts))
    try:
        await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        for task in (work, keep):
            task.cancel()
        await asyncio.gather(work, keep, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


def _clear_scratch(scratch: Path, job: str) -> None:
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in scratch.glob(f"check-{job}-*"):
        shutil.rmtree(left, ignore_errors=True)


async def _keep(ticket: CheckTicket, parts: IntakeParts) -> None:
    """Keep the right alive; returns when it is gone."""
    is_kept = True
    while is_kept:
        # a busy ledger may have time at the next try; if not, the lock lapses, and the ledger takes nothing more under it
        with contextlib.suppress(Busy):
            is_kept = await parts.ledger.keep_check(ticket, parts.clock.now())
        if is_kept:
            await asyncio.sleep(parts.check_every_s)


async def _check(ticket: CheckTicket, job: Job, parts: IntakeParts, scratch: Path) -> Job:
    sealer = await asyncio.to_thread(parts.keys.sealer, job.job)
    table = SpooledTable(parts.spool, sealer, job.party, job.job, job.blob)
    head = await table.head()
    registry_key = await asyncio.to_thread(parts.keys.registry_key, job.registry)
    # the job's id makes the sealing unique: the same file, cancelled and sent again, must not meet its old keys
    seal = Seal(
        sealer, registry_key, job.party, job.job, job.digest, f"{job.job}.{ticket.attempt}",
        asks_first=not parts.rules.idempotent,
    )  # fmt: skip
    async with parts.start_child(parts.limits) as child:
        await child.say(await _task(job, head, parts, scratch))
        done = await _Talk(ticket, job, parts, table, seal, child, head.chunks).listen()
    return await parts.ledger.finish_check(ticket, _result(head, done), BY, parts.clock.now())


async def _task(job: Job, head: TableHead, parts: IntakeParts, scratch: Path) -> CheckTask:
    accounts = await parts.ledger.accounts(job.registry, job.party)
    live = sum(account.state is not AccountState.WITHDRAWN for account in accounts)
    now = datetime.fromtimestamp(parts.clock.now() / 1000, UTC)
    return CheckTask(
        profile=job.profile,
        operation=job.operation,
        declared=job.declared,
        test_ids=parts.rules.test_ids,
        party=job.party,
        registry=job.registry,
        today=now.astimezone(ZoneInfo(parts.rules.timezone)).date(),
        blind_key=await asyncio.to_thread(parts.keys.blind_key, job.registry),
        columns=head.columns,
        matched=head.matched,
        chunks=head.chunks,
        rows=head.rows,
        scratch=str(scratch),
        account_rate=parts.rules.account_rate,
        accounts=live,
    )


def _result(head: TableHead, done: CheckDone) -> CheckResult:
    notes = [*head.notes, *done.notes]
    if head.cut:
        notes.insert(0, cut_note(head.cut))
    if head.unknown:
        notes.append(
            (f"These columns are kept for the results and never sent: {named(head.unknown)}.",
             f"เก็บคอลัมน์เหล่านี้ไว้สำหรับผลเท่านั้น และไม่ส่ง: {named(head.unknown)}")
        )  # fmt: skip
    return CheckResult(
        rows=done.rows,
        invalid=done.invalid,
        records=done.records,
        faults=done.faults,
        notes_en=tuple(en for en, _ in notes),
        notes_th=tuple(th for _, th in notes),
    )


@dataclass(slots=True)
class _Talk:
    """What parent and child say while a table is checked."""

    ticket: CheckTicket
    job: Job
    parts: IntakeParts
    table: SpooledTable
    seal: Seal
    child: Keeper
    chunks: int
    _seq: int = 0
    _invalid_seq: int = 0
    _ahead: tuple[int, asyncio.Task[TableChunk]] | None = None
    _elsewhere: Elsewhere | None = None
    _storing: asyncio.Task[None] | None = None

    async def listen(self) -> CheckDone:
        """Answer the child until it is done."""
        try:
            while True:
                message = await self.child.hear()
                if isinstance(message, Want):
                    await self.child.say(Given(await self._chunk(message.number)))
                elif isinstance(message, FaultRows):
                    await self._take_faults(message)
                elif isinstance(message, WantOthers):
                    await self._give_others()
                elif isinstance(message, SliceBatch):
                    await self._take_slices(message)
                elif isinstance(message, CheckDone):
                    await self._stored()
                    return message
        finally:
            if self._storing:
                self._storing.cancel()
                await asyncio.gather(self._storing, return_exceptions=True)
            if self._ahead:
                self._ahead[1].cancel()
                with contextlib.suppress(asyncio.CancelledError, NotFound):
                    await self._ahead[1]

    async def _chunk(self, number: int) -> TableChunk:
        """Return a chunk, and begin to read the next while the child works."""
        if self._ahead and self._ahead[0] == number:
            chunk = await self._ahead[1]
        else:
            chunk = await self.table.chunk(number)
        self._ahead = None
        if number < self.chunks:
            self._ahead = number + 1, asyncio.create_task(self.table.chunk(number + 1))
        return chunk

    async def _take_faults(self, message: FaultRows) -> None:
        draft = await asyncio.to_thread(self.seal.faults, self._invalid_seq, message.rows)
        self._invalid_seq += 1
        await self._accept((), (draft,))

    async def _take_slices(self, message: SliceBatch) -> None:
        names: list[str] = []
        joined: dict[tuple[int, int], str] = {}
        if self._elsewhere:
            names = self._elsewhere.names
            joined = await self._elsewhere.joined(message.slices)
        drafts = await asyncio.to_thread(self.seal.slices, self._seq, message.slices, joined, names)
        self._seq += len(drafts)
        # while these are committed, the next are heard and sealed
        await self._stored()
        self._storing = asyncio.create_task(self._accept(drafts, ()))

    async def _stored(self) -> None:
        """Wait for the commit that is under way; raises what it met."""
        storing, self._storing = self._storing, None
        if storing:
            await storing

    async def _accept(self, drafts: Sequence[SliceDraft], invalid: Sequence[InvalidDraft]) -> None:
        now = self.parts.clock.now()
        await self.parts.ledger.accept(self.job.job, drafts, invalid, now, ticket=self.ticket)

    async def _give_others(self) -> None:
        await self._wait_for_index()
        self._elsewhere = Elsewhere(self.parts, self.job.party)
        async for part in self.parts.ledger.index_parts(self.job.registry, self.job.party, self.job.job):
            if part.index:
                await self.child.say(Others(self._elsewhere.number(part), part.index, part.states))
        await self.child.say(Others(0, b"", b""))

    async def _wait_for_index(self) -> None:
        """Wait for the party's earlier files; check the oldest ourselves where nobody does, so that nobody waits for ever."""
        job = self.job
        while not await self.parts.ledger.begin_index(
            job.party, job.registry, job.job, self.parts.clock.now()
        ):
            waiting = await self.parts.ledger.jobs(
                job.party, frozenset({JobState.RECEIVED, JobState.CHECKING})
            )
            older = [one for one in waiting if one.registry == job.registry and one.job != job.job]
            for one in sorted(older, key=lambda one: one.submitted_at)[:1]:
                await check_job(one.job, self.parts, self.parts.clock.now())
            await asyncio.sleep(self.parts.index_wait_s)
