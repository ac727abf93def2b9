"""One job as scripts and people see it: the shape of policy.md, and lines with counts, faults in words, and what to do next."""

from collections.abc import Iterator
from dataclasses import asdict

from domain.errors import NotFound
from domain.jobs import Job
from domain.states import JobState
from pratunam.gate import usage_of
from pratunam.local_time import rfc3339
from pratunam.outlook import Outlook, forecast_values, outlook_text, timezone_of
from pratunam.outlooks import AT_WORK, Outlooks
from pratunam.parts import Parts
from pratunam.why import why

#: states in which rows are counted
_UNCHECKED = frozenset({JobState.RECEIVED, JobState.CHECKING, JobState.REFUSED})
#: what keeps a job waiting whatever its window says
_SHOWN_REASONS = frozenset({"hold", "no-party", "accounts", "rate", "blocked"})


async def job_json(parts: Parts, job: Job, *, forecast: bool = True) -> dict[str, object]:
    """Return the shape that scripts rely on; `forecast` adds when it will be done (else null)."""
    timezone = timezone_of(await parts.policy(), job.registry)
    outlook = await Outlooks(parts).of_job(job) if forecast and job.state in AT_WORK else None
    return job_values(job, timezone, outlook, parts.clock.now())


def job_values(job: Job, timezone: str, outlook: Outlook | None, now: int) -> dict[str, object]:
    """Return the same for a job, a time zone and an outlook that are in hand; instants are RFC 3339 with the zone's offset."""

    def told(at: int | None) -> str | None:
        return None if at is None else rfc3339(at, timezone)

    return {
        "job": job.job,
        "party": job.party,
        "registry": job.registry,
        "file": job.file,
        "state": job.state.value,
        "rows": job.rows,
        "invalid": job.invalid,
        "records": asdict(job.records),
        "submitted_at": told(job.submitted_at),
        "finished_at": told(job.finished_at),
        **forecast_values(outlook, timezone, now),
        "receipt": job.receipt,
        "operation": job.operation,
        "priority": job.priority,
        "deadline_at": told(job.deadline_at),
        "parent": job.parent,
        "paused_reason": job.paused_reason,
        "paused_reason_th": job.paused_reason_th,
        "faults": dict(job.faults),
        "fault_en": job.fault_en,
        "fault_th": job.fault_th,
        "notes_en": list(job.notes_en),
        "notes_th": list(job.notes_th),
        "erased_at": told(job.erased_at),
    }


async def job_lines(parts: Parts, job: Job) -> list[str]:
    """Return one job as text for people: progress, pace, end, faults by kind in both languages, and the next step."""
    outlook = await Outlooks(parts).of_job(job) if job.state in AT_WORK else None
    lines = [f"Job {job.job} of {job.party}: {job.state.value}  ({job.file}, receipt {job.receipt})"]
    if job.state not in _UNCHECKED:
        lines.append(counts_line(job))
    if outlook is not None:
        lines += [f"  {text}" for text in outlook_text(outlook, parts.clock.now(), outlook.share)]
        lines += [f"  {text}" for text in await _waiting_lines(parts, job)]
    lines += [f"  {text}" for text in (*job.notes_en, *job.notes_th)]
    lines += _fault_lines(job)
    lines += [f"  {text}" for text in next_steps(job)]
    return lines


def counts_line(job: Job) -> str:
    """Return where the rows stand."""
    counts = {"invalid": job.invalid} | asdict(job.records)
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return f"  {job.rows:,} rows: {told or 'none'}"


def next_steps(job: Job) -> Iterator[str]:
    """Yield what a person can do now, in English and in Thai."""
    if job.state is JobState.REFUSED:
        yield job.fault_en
        yield job.fault_th
    if job.state is JobState.PAUSED:
        yield f"Paused: {job.paused_reason}. Let it go on: pratunam job resume {job.job}"
        yield f"หยุดชั่วคราว: {job.paused_reason_th} สั่งให้ทำต่อ: pratunam job resume {job.job}"
    if job.records.doubtful:
        yield f"{job.records.doubtful:,} are doubtful; people must say: pratunam records doubtful {job.job}"
        yield f"มี {job.records.doubtful:,} รายการที่ต้องให้เจ้าหน้าที่ตรวจสอบ: pratunam records doubtful {job.job}"
    if job.erased_at is not None:
        yield "Its contents were erased; only these counts are left."
        yield "ข้อมูลของงานนี้ถูกลบแล้ว เหลือเพียงจำนวน"
    if job.state in {JobState.FINISHED, JobState.CANCELLED} and job.erased_at is None and job.rows:
        yield f"Results: pratunam job results {job.job} --out DIR"
        if job.invalid or job.records.rejected:
            yield "Correct the rows of its file `rejected` and submit that file as it is."
            yield "แก้ไขแถวในไฟล์ rejected แล้วส่งไฟล์นั้นกลับมาได้เลย"


async def _waiting_lines(parts: Parts, job: Job) -> list[str]:
    """Return what a job waits for beside its turn: holds, accounts, other jobs. The outlook told of windows already."""
    usage = await usage_of(parts.settings, job.registry)
    reasons = await why(parts.ledger, await parts.policy(), job, usage, parts.clock.now())
    shown = [each for each in reasons if each.code in _SHOWN_REASONS]
    return [text for each in shown for text in (each.text_en, each.text_th)]


def _fault_lines(job: Job) -> Iterator[str]:
    if not job.faults:
        return
    from profiles.book import profile

    yield "Rows that failed the gate's checks, by kind:"
    try:
        known = profile(job.profile)
    except NotFound:
        known = None
    for code, count in sorted(job.faults.items(), key=lambda each: (-each[1], each[0])):
        english, thai = known.message(code) if known else (code, code)
        yield f"  {count:>8,}  {code}: {english}"
        yield f"            {thai}"
