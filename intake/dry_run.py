"""What a submission of a file would meet, without keeping anything: for `pratunam check` and the question before a submission."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from intake.faults import beyond_limits, cut_note, place_label
from intake.frames import CheckDone, DryTask, Go, Look, Others, ReadTask, WantOthers
from intake.keeper import ChildDied, Keeper
from intake.parts import IntakeParts, SubmitRequest
from intake.receive import check_source, feed, unspoken, with_parent


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: its code and words, how many times it stands in the file, in which columns, and some of the rows.

    `places` name the same rows with their sheets, where the file has several.
    """

    code: str
    message_en: str
    message_th: str
    count: int
    rows: tuple[int, ...]
    places: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a look and a check found. `first_rows` is personal: for the submitter's own eyes, never logged.

    `records` rows would be sent; `unknown` columns need `--ignore`; `cut` ones are never kept; `parent` is the job that a
    corrected file comes from.
    """

    encoding: str
    delimiter: str
    sheets: tuple[str, ...]
    header_row: int
    columns: tuple[str, ...]
    matched: dict[str, str]
    unknown: tuple[str, ...]
    cut: tuple[str, ...]
    first_rows: tuple[tuple[str, ...], ...]
    parent: str
    rows: int
    invalid: int
    records: int
    faults: tuple[FaultKind, ...]
    warnings: tuple[FaultKind, ...]
    notes_en: tuple[str, ...]
    notes_th: tuple[str, ...]


async def dry_run(source: Path | BinaryIO, request: SubmitRequest, parts: IntakeParts) -> Report:
    """Read and check a source and keep nothing; raises BadFile for a file that would be refused."""
    await asyncio.to_thread(check_source, source)
    parts.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = await asyncio.to_thread(tempfile.mkdtemp, prefix="look-", dir=parts.scratch)
    try:
        async with parts.start_child(parts.limits) as child:
            await child.say(await _task(request, parts, scratch))
            report, _ = await feed(source, child, _listen(child, request, parts))
            return report
    except ChildDied as died:
        raise beyond_limits(died.reason) from None
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def _task(request: SubmitRequest, parts: IntakeParts, scratch: str) -> DryTask:
    now = datetime.fromtimestamp(parts.clock.now() / 1000, UTC)
    return DryTask(
        reading=ReadTask(
            request.profile, request.operation, request.declared, request.sheet, parts.rules.max_rows
        ),
        test_ids=parts.rules.test_ids,
        party=request.party,
        registry=request.registry,
        today=now.astimezone(ZoneInfo(parts.rules.timezone)).date(),
        scratch=scratch,
        blind_key=await _blind_key(request, parts),
    )


async def _blind_key(request: SubmitRequest, parts: IntakeParts) -> bytes:
    """Return the blind index's key where the party has records on their way; else none is needed, and none is made."""
    if await anext(parts.ledger.index_parts(request.registry, request.party, ""), None) is None:
        return b""
    return await asyncio.to_thread(parts.keys.blind_key, request.registry)


async def _give_others(request: SubmitRequest, parts: IntakeParts, child: Keeper) -> None:
    number = 0
    async for part in parts.ledger.index_parts(request.registry, request.party, ""):
        if part.index:
            await child.say(Others(number, part.index, part.states))
            number += 1
    await child.say(Others(0, b"", b""))


async def _listen(child: Keeper, request: SubmitRequest, parts: IntakeParts) -> Report:
    look = await child.hear()
    if not isinstance(look, Look):
        raise ChildDied("order")
    agreed = await with_parent(look, request, parts)
    await child.say(Go(agreed.operation, agreed.declared))
    while not isinstance(done := await child.hear(), CheckDone):
        if isinstance(done, WantOthers):
            await _give_others(request, parts, child)
    notes = (*([cut_note(look.cut)] if look.cut else ()), *done.notes)
    return Report(
        encoding=look.encoding,
        delimiter=look.delimiter,
        sheets=look.sheets,
        header_row=look.header_row,
        columns=look.columns,
        matched=look.matched,
        unknown=unspoken(look.unknown, agreed.ignored),
        cut=look.cut,
        first_rows=look.first_rows,
        parent=look.parent,
        rows=done.rows,
        invalid=done.invalid,
        records=done.records,
        faults=_kinds(done, done.faults),
        warnings=_kinds(done, done.warnings),
        notes_en=tuple(en for en, _ in notes),
        notes_th=tuple(th for _, th in notes),
    )


def _kinds(done: CheckDone, counts: dict[str, int]) -> tuple[FaultKind, ...]:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(_kind(done, code, count) for code, count in ranked)


def _kind(done: CheckDone, code: str, count: int) -> FaultKind:
    examples = done.examples.get(code, ())
    return FaultKind(
        code,
        *done.words[code],
        count,
        rows=tuple(row for row, _ in examples),
        places=tuple(map(place_label, examples)),
        columns=done.columns.get(code, ()),
    )
