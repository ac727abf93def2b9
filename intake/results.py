"""A job's results as files for its party: every row with what became of it, counts that add up, and a manifest. Asked for, never kept."""

import asyncio
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from domain.errors import Conflict, NotFound
from domain.jobs import Job
from domain.states import JobState
from intake.escape import escaped, escaped_name
from intake.fates import KINDS, REJECTED, Fate, Fates
from intake.faults import quoted
from intake.frames import TableChunk
from intake.parts import IntakeParts
from intake.result_files import ResultFile, ResultWriter
from intake.spooled import SpooledTable, TableHead

#: what stands behind every source column (policy.md)
OWN_COLUMNS = ("_row", "_job", "_by", "_code", "_reason_th", "_reason_en", "_receipt")
#: rows whose words are in memory at once
STRETCH_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written: how many rows went where (they add up to `rows`), the files, and the columns that were cut."""

    job: str
    party: str
    registry: str
    file: str
    state: str
    rows: int
    counts: dict[str, int]
    files: tuple[ResultFile, ...]
    cut: tuple[str, ...]
    written_at: str  # RFC 3339, as people and their programs read it


async def write_results(job_id: str, out: Path, parts: IntakeParts) -> Manifest:
    """Write a job's results into the folder `out`; raises NotFound, Conflict while the file is not checked or was erased."""
    job = await parts.ledger.job(job_id)
    table, fates = await _open(job, parts)
    head = await table.head()
    await fates.load()
    draft = await asyncio.to_thread(_make_draft, out)
    try:
        columns = (*map(escaped_name, head.columns), *OWN_COLUMNS)
        writers = {kind: ResultWriter(draft, kind, columns, always=kind == REJECTED) for kind in KINDS}
        for writer in writers.values():
            await asyncio.to_thread(writer.begin)
        await _write_rows(table, head, fates, writers, job.job)
        files = [file for writer in writers.values() for file in await asyncio.to_thread(writer.end)]
        manifest = _manifest(job, head, writers, files, parts.clock.now())
        await asyncio.to_thread(_publish, draft, out, manifest)
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    return manifest


async def _open(job: Job, parts: IntakeParts) -> tuple[SpooledTable, Fates]:
    if job.erased_at is not None:
        raise _gone(job)
    if job.state in {JobState.RECEIVED, JobState.CHECKING, JobState.REFUSED}:
        raise Conflict(
            f"Job {job.job} has no results: its file is {job.state.value}.",
            message_th=f"งาน {job.job} ยังไม่มีผล: ไฟล์อยู่ในสถานะ {job.state.value}",
            remedy_en="Look at it with `pratunam job show`.",
            remedy_th="ดูสถานะด้วย `pratunam job show`",
        )
    try:
        sealer = await asyncio.to_thread(parts.keys.sealer, job.job)
    except NotFound:
        raise _gone(job) from None
    return SpooledTable(parts.spool, sealer, job.party, job.job, job.blob), Fates(job, parts, sealer)


def _gone(job: Job) -> Conflict:
    return Conflict(
        f"The contents of job {job.job} were erased; only its counts are left.",
        message_th=f"ข้อมูลของงาน {job.job} ถูกลบแล้ว เหลือเพียงจำนวน",
        remedy_en=f"`pratunam job show {job.job}` tells the counts; the rows are gone for good.",
        remedy_th=f"ดูจำนวนด้วย `pratunam job show {job.job}` ส่วนข้อมูลรายแถวกู้คืนไม่ได้",
    )


async def _write_rows(
    table: SpooledTable, head: TableHead, fates: Fates, writers: dict[str, ResultWriter], job: str
) -> None:
    known: list[Fate] = []
    first = 0
    for number in range(1, head.chunks + 1):
        chunk = await table.chunk(number)
        if chunk.first + chunk.rows > first + len(known):
            first = chunk.first
            known = await fates.of(first, min(head.rows, first + max(STRETCH_ROWS, chunk.rows)))
        mine = known[chunk.first - first : chunk.first - first + chunk.rows]
        await asyncio.to_thread(_write_chunk, chunk, mine, writers, job)


def _write_chunk(
    chunk: TableChunk, fates: Sequence[Fate], writers: dict[str, ResultWriter], job: str
) -> None:
    frame = pl.read_ipc_stream(io.BytesIO(chunk.data))
    row = pl.col("_row").cast(pl.String)
    own = [
        pl.format("{}!{}", pl.lit(quoted(chunk.sheet)), row) if chunk.sheet else row,
        pl.lit(job).alias("_job"),
        pl.Series("_by", [fate.by for fate in fates], dtype=pl.String),
        pl.Series("_code", [fate.code for fate in fates], dtype=pl.String),
        pl.Series("_reason_th", [fate.reason_th for fate in fates], dtype=pl.String),
        pl.Series("_reason_en", [fate.reason_en for fate in fates], dtype=pl.String),
        pl.Series("_receipt", [fate.receipt for fate in fates], dtype=pl.String),
    ]
    whole = frame.select(
        *(escaped(pl.col(name)) for name in frame.columns if name != "_row"),
        *(escaped(one) if isinstance(one, pl.Expr) else escaped(pl.lit(one)) for one in own),
    )
    kinds = pl.Series([fate.kind for fate in fates], dtype=pl.String)
    for kind, writer in writers.items():
        part = whole.filter(kinds == kind)
        if part.height:
            writer.add(part)


def _manifest(
    job: Job, head: TableHead, writers: dict[str, ResultWriter], files: Sequence[ResultFile], now: int
) -> Manifest:
    counts = Counter({kind: writer.rows for kind, writer in writers.items()})
    assert sum(counts.values()) == head.rows
    return Manifest(
        job=job.job,
        party=job.party,
        registry=job.registry,
        file=job.file,
        state=job.state.value,
        rows=head.rows,
        counts=dict(counts),
        files=tuple(files),
        cut=head.cut,
        written_at=datetime.fromtimestamp(now // 1000, UTC).isoformat(),
    )


def _make_draft(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))


def _publish(draft: Path, out: Path, manifest: Manifest) -> None:
    """Move the files into place, the manifest last: whoever sees it sees files that fit it."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=2) + "\n"
    (draft / "manifest.json").write_text(text, encoding="utf-8")
    out.mkdir(mode=0o700, exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    written = {file.name for file in manifest.files}
    for old in out.iterdir():
        # files of an earlier writing that this one does not replace would not add up
        if (
            old.suffix in {".csv", ".xlsx"}
            and old.name not in written
            and old.stem.partition("-")[0] in KINDS
        ):
            old.unlink()
    for name in [*sorted(written), "manifest.json"]:
        (draft / name).chmod(0o600)
        (draft / name).replace(out / name)
