"""A ledger that was put back from a copy: what it holds as unsettled may have been sent since, and is asked about first.

Story: 1. whoever opens it notices (`ledger.meta`): from then on no slice is given out and no file is checked; 2. the leading scheduler
has every unsettled line written as unknown, some slices a transaction; 3. one transaction says so, begins new generations and tells the
operators; 4. jobs of the copy that were not checked yet, and, where a key may have two effects, files taken in during the next days
(those that the copy lacks come again) begin as unknown too; 5. once nothing is left to ask, it is forgotten. A crash anywhere repeats
its step.
"""

from sqlalchemy import Connection, func, select, update

from domain.jobs import By
from domain.states import OPEN_JOB_STATES, JobState
from ledger.audit import note
from ledger.changes import SliceRow, load, save
from ledger.generations import begin_generation
from ledger.job_counters import rest_jobs
from ledger.meta import NOTICED, forget_restored, read_restored, write_restored
from ledger.notices import write_notices
from ledger.policy_code import newest_policy
from ledger.tables import generations, jobs, slices
from ledger.values import NoticeDraft, Restored

#: files that the copy lacks are submitted again within so long; before that nothing that the copy does not know of is swept away
DAYS = 7
KEPT_MS = DAYS * 86_400_000
#: slices that one transaction changes
AT_ONCE = 50
#: who the notice is for: no party
OPERATORS = "operators"
_CHECKED = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)
_UNCHECKED = (JobState.RECEIVED, JobState.CHECKING)

#: the job's number and the slice's place in it, to go on from
Place = tuple[int, int]


def restored(connection: Connection) -> Restored | None:
    """Return what is still asked about, or None for a ledger that was not put back (or where that is over)."""
    found = read_restored(connection)
    if found is None:
        return None
    upto, since_at = found
    is_begun = found != NOTICED
    left = jobs.c.unknown if is_begun else jobs.c.pending + jobs.c.unknown
    of_copy = jobs.c.state.in_(OPEN_JOB_STATES) & ((jobs.c.number <= upto) if is_begun else True)
    asked = connection.execute(select(func.coalesce(func.sum(left), 0)).where(of_copy)).scalar_one()
    unchecked = select(func.count()).where(of_copy, jobs.c.state.in_(_UNCHECKED))
    return Restored(
        since_at if is_begun else None,
        asked,
        connection.execute(unchecked).scalar_one(),
        since_at + KEPT_MS if is_begun else None,
    )


def doubt_some(connection: Connection, after: Place, now: int) -> Place | None:
    """Write the next slices' unsettled lines as unknown; returns where to go on, None when there are no more. Safe to repeat."""
    if read_restored(connection) != NOTICED:
        return None
    number, seq = after
    query = (
        select(jobs.c.number, slices.c.seq, slices.c.slice_id)
        .join_from(jobs, slices, slices.c.job == jobs.c.job)
        .where(
            jobs.c.state.in_(_CHECKED),
            slices.c.pending + slices.c.unknown > 0,
            (jobs.c.number > number) | ((jobs.c.number == number) & (slices.c.seq > seq)),
        )
        .order_by(jobs.c.number, slices.c.seq)
        .limit(AT_ONCE)
    )
    found = connection.execute(query).all()
    if not found:
        return None
    rows = list(load(connection, [row.slice_id for row in found]).values())
    for row in rows:
        _doubt(connection, row, now)
    save(connection, rows, now)
    rest_jobs(connection, [row.job for row in rows])
    return found[-1].number, found[-1].seq


def begin_asking(connection: Connection, by: By, now: int) -> None:
    """Once all is unknown: open the ledger again, with new generations, an audit line and a notice for the operators. Safe to repeat."""
    found = restored(connection)
    if found is None or found.since_at is not None:
        return
    upto = connection.execute(select(func.max(jobs.c.number))).scalar() or 0
    write_restored(connection, upto, now)
    _repeat_checks(connection)
    for registry in connection.execute(select(generations.c.registry).distinct()).scalars().all():
        begin_generation(connection, registry, "restored", by, now)
    detail = {"records": found.asked, "unchecked": found.unchecked, "jobs": upto}
    note(connection, "ledger.restored", "ledger", detail, by, now)
    write_notices(connection, [_notice(found)], now)


def _repeat_checks(connection: Connection) -> None:
    """Have a check that the copy caught under way be the same try again: its keys are those under which its records may have been sent."""
    under_way = (
        (jobs.c.state == JobState.CHECKING) & (jobs.c.check_attempts > 0) & jobs.c.check_until.is_not(None)
    )
    connection.execute(
        update(jobs).where(under_way).values(check_attempts=jobs.c.check_attempts - 1, check_until=None)
    )


def forget(connection: Connection, by: By, now: int) -> None:
    """Leave *ask first* mode, with an audit line; nothing happens where it is not on."""
    if read_restored(connection) is not None:
        forget_restored(connection)
        note(connection, "ledger.restored-settled", "ledger", {}, by, now)


def asks_first_from(connection: Connection, job_number: int, registry: str, submitted_at: int) -> int | None:
    """Return when a newly checked slice's lines, all unknown then, may be asked about (ms); None where they are simply pending.

    So it is for jobs of the copy, and at a registry where a key may have two effects for the files of the next days.
    """
    found = read_restored(connection)
    if found is None:
        return None
    policy = newest_policy(connection)
    rules = None if policy is None else policy.registries.get(registry)
    upto, since_at = found
    is_of_copy = found == NOTICED or job_number <= upto
    if is_of_copy or (rules is not None and not rules.idempotent and submitted_at < since_at + KEPT_MS):
        return since_at + (0 if rules is None or rules.idempotent else round(rules.settle_s * 1000))
    return None


def _doubt(connection: Connection, row: SliceRow, now: int) -> None:
    policy = newest_policy(connection)
    rules = None if policy is None else policy.registries.get(row.registry)
    row.doubt()
    if rules is not None and (row.is_stopping or not rules.idempotent):
        # an absence is believed only from a look after which no late original can surface
        row.not_before = max(row.not_before or 0, now + round(rules.settle_s * 1000))


def _notice(found: Restored) -> NoticeDraft:
    count = f"{found.asked:,}"
    return NoticeDraft(
        OPERATORS,
        "restored",
        "The ledger was put back from a copy",
        "สมุดงานกลางถูกกู้คืนจากสำเนา",
        f"{count} records of the copy may have been sent since it was made: the registrar is asked about each before it is sent. "
        "Compare policy, accounts, holds and notices with what was done since the copy, and have files submitted again that it lacks.",
        f"มี {count} รายการในสำเนาที่อาจส่งไปแล้วหลังทำสำเนา ระบบจะสอบถามนายทะเบียนก่อนส่งทุกรายการ "
        "โปรดตรวจสอบนโยบาย รหัสผู้ใช้งาน การระงับ และประกาศที่เปลี่ยนหลังทำสำเนา และให้ส่งไฟล์ที่ไม่มีในสำเนาอีกครั้ง",
    )
