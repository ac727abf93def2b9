"""Takes a party's file in: streams it through the limited child into the spool as a sealed table, and writes the job down.

The file as given never touches a disk of ours; what is refused leaves nothing behind.
"""

import asyncio
import base64
import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from domain.errors import BadFile, NotFound
from domain.jobs import By, Job, NewJob
from intake.escape import unescaped_name
from intake.faults import bad_file, beyond_limits, no_room, refuse_unknown
from intake.frames import Go, Look, Piece, ReadDone, ReadTask, TableChunk
from intake.keeper import ChildDied, Keeper
from intake.parts import IntakeParts, SubmitRequest
from intake.places import a_place
from intake.spooled import SpooledTable, TableHead
from ledger.keystore import KeyStore

PIECE_BYTES = 1 << 20
_Heard = TypeVar("_Heard")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of reading a source: what it looked like, rows, notes, chunks and the digest of the bytes as given."""

    look: Look
    request: SubmitRequest
    rows: int
    notes: tuple[tuple[str, str], ...]
    chunks: int
    digest: str


def new_job_id() -> str:
    """Return a fresh job id: J and 12 letters of base32, 60 bits of chance."""
    return "J" + base64.b32encode(os.urandom(8))[:12].decode()


async def receive(
    source: Path | BinaryIO, request: SubmitRequest, intake: IntakeParts, by: By, now: int
) -> Job:
    """Take a file in and return its job (the earlier one for the same file); raises BadFile, Refused, and Busy with when to come back."""
    async with a_place(intake.scratch / "places", request.party, intake.places, intake.wait_s):
        return await _receive(source, request, intake, by, now)


async def _receive(
    source: Path | BinaryIO, request: SubmitRequest, intake: IntakeParts, by: By, now: int
) -> Job:
    job = new_job_id()
    sealer = await asyncio.to_thread(intake.keys.create, job)
    table = SpooledTable(intake.spool, sealer, request.party, job, blob_of(job))
    try:
        taken = await _take(source, request, intake, table)
        await table.put_head(_head(taken))
        received = await intake.ledger.receive(_new_job(job, taken), by, now, most_open=intake.most_open)
    except BaseException:
        await asyncio.shield(_forget(table, intake.keys, job))
        raise
    if received.job != job:
        await _forget(table, intake.keys, job)
    return received


def blob_of(job: str) -> str:
    """Return the name of a job's blob in the spool."""
    return f"{job}.table"


async def _forget(table: SpooledTable, keys: KeyStore, job: str) -> None:
    await table.delete()
    await asyncio.to_thread(keys.destroy, job)


async def _take(
    source: Path | BinaryIO, request: SubmitRequest, intake: IntakeParts, table: SpooledTable
) -> Taken:
    check_room(intake, await asyncio.to_thread(check_source, source))
    number = 0

    async def keep(chunk: TableChunk) -> None:
        nonlocal number
        number += 1
        check_room(intake, 0)
        await table.put(number, chunk)

    look, agreed, done, digest = await read_source(source, request, intake, keep)
    return Taken(look, agreed, done.rows, done.notes, number, digest)


async def read_source(
    source: Path | BinaryIO,
    request: SubmitRequest,
    intake: IntakeParts,
    keep: Callable[[TableChunk], Awaitable[None]],
) -> tuple[Look, SubmitRequest, ReadDone, str]:
    """Read a source through the child: what it looks like, the request completed from a parent job, the end, SHA-256 (hex)."""
    try:
        async with intake.start_child(intake.limits) as child:
            task = ReadTask(
                request.profile, request.operation, request.declared, request.sheet, intake.rules.max_rows
            )
            await child.say(task)
            (look, agreed, done), digest = await feed(source, child, _listen(child, request, intake, keep))
            return look, agreed, done, digest
    except ChildDied as died:
        raise beyond_limits(died.reason) from None


async def _listen(
    child: Keeper, request: SubmitRequest, intake: IntakeParts, keep: Callable[[TableChunk], Awaitable[None]]
) -> tuple[Look, SubmitRequest, ReadDone]:
    look = await child.hear()
    if not isinstance(look, Look):
        raise ChildDied("order")
    agreed = await _agree(look, request, intake)
    await child.say(Go(agreed.operation, agreed.declared))
    while True:
        message = await child.hear()
        if isinstance(message, TableChunk):
            await keep(message)
        elif isinstance(message, ReadDone):
            return look, agreed, message


async def _agree(look: Look, request: SubmitRequest, intake: IntakeParts) -> SubmitRequest:
    """Take over from the first job what a corrected file is not asked again, and refuse columns nobody spoke of."""
    request = await with_parent(look, request, intake)
    if look.delimiter:  # `--sheet all` says nothing of a CSV, and makes no other job of it
        request = replace(request, sheet=None)
    left = unspoken(look.unknown, request.ignored)
    if left:
        raise refuse_unknown(list(left))
    return request


async def with_parent(look: Look, request: SubmitRequest, intake: IntakeParts) -> SubmitRequest:
    """Return the request completed from the job that a corrected file comes from, if it comes from one of this party."""
    parent = request.parent or look.parent
    if not parent:
        return request
    try:
        first = await intake.ledger.job(parent)
    except NotFound:
        return replace(request, parent=None)
    if (first.party, first.registry) != (request.party, request.registry):
        # another party's job in the column says nothing about whose file this is
        return replace(request, parent=None)
    return replace(
        request,
        parent=parent,
        operation=request.operation or first.operation,
        declared=request.declared or first.declared,
        ignored=(*request.ignored, *first.ignored),
    )


def unspoken(unknown: Sequence[str], ignored: Sequence[str]) -> tuple[str, ...]:
    """Return the unknown columns that nobody said are to be left out."""
    spoken = {_plain(name) for name in ignored}
    return tuple(name for name in unknown if _plain(name) not in spoken)


def _plain(name: str) -> str:
    # a corrected file has the names as they were made safe for spreadsheet programs
    return " ".join(unescaped_name(name).split()).casefold()


async def feed(
    source: Path | BinaryIO, child: Keeper, listening: Coroutine[Any, Any, _Heard]
) -> tuple[_Heard, str]:
    """Hand the source to the child while somebody listens to it; return what was heard, and the source's SHA-256 (hex)."""
    sending, hearing = asyncio.create_task(pump(source, child)), asyncio.create_task(listening)
    try:
        await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if not hearing.done() and not isinstance(sending.exception(), ChildDied):
            # where the source broke off, the child would wait for ever; where the child did, it has left a word
            await sending
        heard = await hearing
        return heard, await sending
    finally:
        for task in (sending, hearing):
            task.cancel()
        await asyncio.gather(sending, hearing, return_exceptions=True)


async def pump(source: Path | BinaryIO, child: Keeper) -> str:
    """Hand the source to the child piece by piece; return SHA-256 (hex) of it all."""
    digest = hashlib.sha256()
    opened = await asyncio.to_thread(_open, source)
    try:
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            digest.update(piece)
            await child.say(Piece(piece))
        await child.say(Piece(b""))
    finally:
        if isinstance(source, Path):
            opened.close()
    return digest.hexdigest()


def _open(source: Path | BinaryIO) -> BinaryIO:
    return source.open("rb") if isinstance(source, Path) else source


def check_source(source: Path | BinaryIO) -> int:
    """Return a file's size in bytes (0 for a stream); raises BadFile when there is no such file."""
    if not isinstance(source, Path):
        return 0
    if not source.exists():
        raise bad_file(
            f"There is no file {source.name}.", f"ไม่พบไฟล์ {source.name}", "Check the path.", "ตรวจสอบที่อยู่ไฟล์"
        )
    if not source.is_file():
        raise bad_file(f"{source} is not a file.", f"{source} ไม่ใช่ไฟล์", "Name a file.", "ระบุชื่อไฟล์")
    return source.stat().st_size


def check_room(intake: IntakeParts, more: int) -> None:
    """Raise Refused when the disk would be left with too little room after `more` bytes."""
    if shutil.disk_usage(intake.scratch).free < intake.least_free + more:
        raise no_room()


def _head(taken: Taken) -> TableHead:
    look = taken.look
    return TableHead(
        columns=look.columns,
        matched=look.matched,
        cut=look.cut,
        unknown=look.unknown,
        encoding=look.encoding,
        delimiter=look.delimiter,
        sheets=look.sheets,
        header_row=look.header_row,
        rows=taken.rows,
        chunks=taken.chunks,
        notes=taken.notes,
    )


def _file_name(name: str) -> str:
    """Return a name to show: its last part, on one line; never used as a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign if sign.isprintable() else "?" for sign in last)[:200]


def _new_job(job: str, taken: Taken) -> NewJob:
    request = taken.request
    return NewJob(
        job=job,
        party=request.party,
        registry=request.registry,
        profile=request.profile,
        profile_version=taken.look.profile_version,
        file=_file_name(request.file_name),
        digest=taken.digest,
        blob=blob_of(job),
        operation=request.operation,
        declared=request.declared,
        ignored=request.ignored,
        sheet=request.sheet,
        deadline_at=request.deadline_at,
        priority=request.priority,
        max_invalid_pct=request.max_invalid_pct,
        parent=request.parent,
        cut=taken.look.cut,
    )


__all__ = ["BadFile", "IntakeParts", "SubmitRequest", "receive"]
