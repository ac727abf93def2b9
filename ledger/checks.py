"""Checking a file, as the ledger sees it: the right to check, slices coming in, and the ways in which a check ends."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, or_, select, update

from domain.errors import Conflict
from domain.jobs import By, Job
from domain.states import JobState, RecordState, SliceState
from ledger.audit import GATE, note
from ledger.drafts import delete_slices, need_right
from ledger.driver import HotStatement
from ledger.jobs import as_job, job_row, read_job
from ledger.locks import lock_jobs, lock_slices_of
from ledger.meta import NOTICED, read_restored
from ledger.tables import invalid_batches, jobs, slices
from ledger.values import CheckResult, CheckTicket

#: most slices that one transaction drops: their pages are overwritten, which takes time
DROPPED_AT_ONCE = 40
_UNCHECKED = (JobState.RECEIVED, JobState.CHECKING)
# asked for twice a second
_UNCHECKED_JOBS = HotStatement(
    select(jobs.c.job, jobs.c.state, jobs.c.check_until)
    .where(or_(*(jobs.c.state == state.value for state in _UNCHECKED)))
    .order_by(jobs.c.number)
)
_CRASHED_EN = "The file could not be checked: checking it ended without a word {attempts} times."
_CRASHED_TH = "ตรวจแฟ้มนี้ไม่สำเร็จ: การตรวจหยุดกลางคันครบ {attempts} ครั้ง"
_REMEDY_EN = "Open it in a spreadsheet program, save it as CSV UTF-8, and submit that; if it fails again, tell the registrar."
_REMEDY_TH = "โปรดเปิดแฟ้มด้วยโปรแกรมตารางคำนวณ บันทึกเป็น CSV UTF-8 แล้วส่งใหม่ หากยังไม่สำเร็จโปรดแจ้งนายทะเบียน"


def drop_crashed(connection: Connection, job: str, now: int) -> bool:
    """Drop some of what a crashed try left; True while there is more. Nothing of a check that is alive is touched."""
    lock_jobs(connection, job)
    row = job_row(connection, job)
    if row.state != JobState.CHECKING or _is_alive(row.check_until, now):
        return False
    return _drop_some(connection, job)


def drop_cancelled(connection: Connection, job: str) -> bool:
    """Drop some of what a check that is about to be cancelled or refused has stored; True while there is more."""
    lock_jobs(connection, job)
    return job_row(connection, job).state in _UNCHECKED and _drop_some(connection, job)


def begin_check(
    connection: Connection, job: str, now: int, *, attempts: int, lock_ms: int
) -> CheckTicket | None:
    """Take the right to check a file and count the attempt. After `attempts` crashed tries the job is refused.

    Nothing is checked in a ledger that was put back from a copy before somebody has seen to it.
    """
    if read_restored(connection) == NOTICED:
        return None
    _lock_all(connection, job)
    row = job_row(connection, job)
    if row.state not in _UNCHECKED or (row.state == JobState.CHECKING and _is_alive(row.check_until, now)):
        return None
    _drop_all(connection, job)
    if row.check_attempts >= attempts:
        _refuse(
            connection, job, f"{_CRASHED_EN.format(attempts=attempts)} {_REMEDY_EN}",
            f"{_CRASHED_TH.format(attempts=attempts)} {_REMEDY_TH}", GATE, now,
        )  # fmt: skip
        return None
    attempt = row.check_attempts + 1
    connection.execute(
        update(jobs)
        .where(jobs.c.job == job)
        .values(state=JobState.CHECKING, check_attempts=attempt, check_until=now + lock_ms)
    )
    return CheckTicket(job, attempt)


def keep_check(connection: Connection, ticket: CheckTicket, now: int, *, lock_ms: int) -> bool:
    """Keep the right to check alive; False when it is gone."""
    kept = connection.execute(
        update(jobs)
        .where(
            jobs.c.job == ticket.job,
            jobs.c.state == JobState.CHECKING,
            jobs.c.check_attempts == ticket.attempt,
            jobs.c.check_until.is_not(None),
        )
        .values(check_until=now + lock_ms)
    )
    return kept.rowcount == 1


def yield_check(connection: Connection, ticket: CheckTicket) -> None:
    """Give the right to check and the attempt back, so that a stop that was asked for is no crash; no lock means nobody's."""
    connection.execute(
        update(jobs)
        .where(
            jobs.c.job == ticket.job,
            jobs.c.state == JobState.CHECKING,
            jobs.c.check_attempts == ticket.attempt,
            jobs.c.check_until.is_not(None),
        )
        .values(check_attempts=ticket.attempt - 1, check_until=None)
    )


def begin_index(
    connection: Connection, party: str, registry: str, job: str, now: int, *, lock_ms: int
) -> bool:
    """Let the party's oldest unchecked job take the index step, and keep its check alive for `lock_ms`; the others wait for it.

    So there is never more than one, and the order is that of taking in, also when a check crashes and begins anew.
    """
    lock_jobs(connection, job)
    unchecked = select(jobs.c.job, jobs.c.state, jobs.c.check_until).where(
        jobs.c.party == party, jobs.c.registry == registry, jobs.c.state.in_(_UNCHECKED)
    )
    oldest = connection.execute(unchecked.order_by(jobs.c.number).limit(1)).first()
    if oldest is None or oldest.job != job or oldest.check_until is None:
        return False
    until = max(oldest.check_until, now + lock_ms)
    connection.execute(update(jobs).where(jobs.c.job == job).values(check_until=until))
    return True


def finish_check(connection: Connection, ticket: CheckTicket, result: CheckResult, by: By, now: int) -> Job:
    """End the check; counts what is stored and raises Conflict when the result says otherwise, or another try has taken over.

    A job that was cancelled in the meantime is returned as it is; repeating the end of a check changes nothing.
    """
    lock_jobs(connection, ticket.job)
    row = job_row(connection, ticket.job)
    if row.state != JobState.CHECKING:
        return as_job(row)
    need_right(row, ticket)
    records, unknown, ready = _stored_records(connection, ticket.job)
    _hold_against(result, records, _stored_invalid(connection, ticket.job))
    state, reason = _end_of_check(result, row.max_invalid_pct)
    connection.execute(
        update(jobs)
        .where(jobs.c.job == ticket.job)
        .values(
            state=state, rows=result.rows, invalid=result.invalid, pending=records - unknown, unknown=unknown, ready=ready,
            check_until=None,
            paused_reason=reason, faults=json.dumps(dict(result.faults)),
            notes_en=json.dumps(result.notes_en, ensure_ascii=False),
            notes_th=json.dumps(result.notes_th, ensure_ascii=False),
            finished_at=now if state is JobState.FINISHED else None,
        )
    )  # fmt: skip
    detail = {"state": state.value, "rows": result.rows, "invalid": result.invalid, "records": records}
    note(connection, "job.checked", ticket.job, detail, by, now)
    return read_job(connection, ticket.job)


def refuse(connection: Connection, job: str, fault_en: str, fault_th: str, by: By, now: int) -> Job:
    """Refuse the file as a whole; raises Conflict once it has been checked. Safe to repeat."""
    _lock_all(connection, job)
    row = job_row(connection, job)
    if row.state == JobState.REFUSED:
        return as_job(row)
    if row.state not in _UNCHECKED:
        raise Conflict(
            f"Job {job} has been checked and cannot be refused as a whole.",
            message_th=f"งาน {job} ผ่านการตรวจแล้ว จึงปฏิเสธทั้งแฟ้มไม่ได้",
            remedy_en=f"To stop it: pratunam job cancel {job}",
            remedy_th=f"หากต้องการหยุด ให้สั่ง: pratunam job cancel {job}",
        )
    _drop_all(connection, job)
    _refuse(connection, job, fault_en, fault_th, by, now)
    return read_job(connection, job)


def cancel_check(connection: Connection, job: str, by: By, now: int) -> bool:
    """Cancel a job that has not been checked to the end; False when it has."""
    _lock_all(connection, job)
    if job_row(connection, job).state not in _UNCHECKED:
        return False
    _drop_all(connection, job)
    _end(connection, job, now, state=JobState.CANCELLED)
    note(connection, "job.cancelled", job, {}, by, now)
    return True


def unchecked_jobs(connection: Connection, now: int) -> Sequence[str]:
    """Return jobs received or left by a crashed check, oldest first."""
    found = _UNCHECKED_JOBS.rows(connection)
    return [job for job, state, until in found if state == JobState.RECEIVED or not _is_alive(until, now)]


def _lock_all(connection: Connection, job: str) -> None:
    lock_slices_of(connection, job)
    lock_jobs(connection, job)


def _is_alive(check_until: int | None, now: int) -> bool:
    return check_until is not None and check_until > now


def _stored_records(connection: Connection, job: str) -> tuple[int, int, int]:
    """Return the job's records, how many of them begin as unknown, and how many may be sent or asked about at once."""
    ready = func.sum(slices.c.lines).filter(slices.c.state == SliceState.READY)
    sums = (func.sum(slices.c.lines), func.sum(slices.c.unknown), ready)
    query = select(*(func.coalesce(one, 0) for one in sums)).where(slices.c.job == job)
    records, unknown, at_once = connection.execute(query).one()
    return records, unknown, at_once


def _stored_invalid(connection: Connection, job: str) -> int:
    query = select(func.coalesce(func.sum(invalid_batches.c.rows), 0)).where(invalid_batches.c.job == job)
    return connection.execute(query).scalar() or 0


def _hold_against(result: CheckResult, records: int, invalid: int) -> None:
    if (result.records, result.invalid, result.rows) != (records, invalid, records + invalid):
        raise Conflict(
            f"The check counted {result.rows} rows, {result.records} records and {result.invalid} invalid; "
            f"the ledger holds {records} records and {invalid} invalid rows.",
            message_th="จำนวนรายการที่ตรวจกับที่เก็บไว้ไม่ตรงกัน",
            remedy_en="Nothing was queued, and the file is checked again by itself; if this comes back, report it with the version.",
            remedy_th="ยังไม่มีรายการใดเข้าคิว ระบบจะตรวจแฟ้มใหม่เอง หากยังเกิดซ้ำโปรดแจ้งพร้อมหมายเลขรุ่น",
        )


def _end_of_check(result: CheckResult, max_invalid_pct: float) -> tuple[JobState, str]:
    if result.records == 0:
        return JobState.FINISHED, ""
    if result.invalid * 100 > max_invalid_pct * result.rows:
        return (
            JobState.PAUSED,
            f"{result.invalid} of {result.rows} rows are invalid, more than {max_invalid_pct:g} %",
        )
    return JobState.QUEUED, ""


def _refuse(connection: Connection, job: str, fault_en: str, fault_th: str, by: By, now: int) -> None:
    _end(connection, job, now, state=JobState.REFUSED, fault_en=fault_en, fault_th=fault_th)
    note(connection, "job.refused", job, {"fault": fault_en}, by, now)


def _end(connection: Connection, job: str, now: int, **values: object) -> None:
    nothing = dict.fromkeys(
        (*(state.name.lower() for state in RecordState), "rows", "invalid", "ready", "in_hand"), 0
    )
    connection.execute(
        update(jobs).where(jobs.c.job == job).values(finished_at=now, check_until=None, **nothing, **values)
    )


def _drop_some(connection: Connection, job: str) -> bool:
    found = select(slices.c.slice_id).where(slices.c.job == job).limit(DROPPED_AT_ONCE)
    ids = connection.execute(found).scalars().all()
    delete_slices(connection, ids)
    return len(ids) == DROPPED_AT_ONCE


def _drop_all(connection: Connection, job: str) -> None:
    ids = connection.execute(select(slices.c.slice_id).where(slices.c.job == job)).scalars().all()
    delete_slices(connection, ids)
    connection.execute(delete(invalid_batches).where(invalid_batches.c.job == job))
