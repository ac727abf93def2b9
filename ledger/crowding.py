"""How many open jobs a party has, and when there will be room for another: a party that floods the gate slows itself, not the others."""

from sqlalchemy import Connection, func, select

from domain.errors import Busy
from domain.states import OPEN_JOB_STATES, JobState
from ledger.tables import jobs

#: the party's latest ends of jobs, from which the next is foreseen, and how old they may be (ms)
_LATEST, _LOOK_BACK_MS = 20, 3_600_000
#: nobody is told to come back sooner or later than this, or, where nothing has ended lately, at another time than this (ms)
_SOONEST_MS, _LATEST_MS, _UNFORESEEN_MS = 10_000, 3_600_000, 600_000


def need_room(connection: Connection, registry: str, party: str, most: int, now: int) -> None:
    """Raise Busy where a party has as many open jobs as it may have: it says when one of them should have ended."""
    ours = (jobs.c.registry == registry, jobs.c.party == party)
    open_jobs = connection.execute(
        select(func.count()).select_from(jobs).where(*ours, jobs.c.state.in_(OPEN_JOB_STATES))
    ).scalar_one()
    if open_jobs < most:
        return
    ended = (
        select(jobs.c.finished_at)
        .where(*ours, jobs.c.state == JobState.FINISHED, jobs.c.finished_at > now - _LOOK_BACK_MS)
        .order_by(jobs.c.finished_at.desc())
        .limit(_LATEST)
    )
    wait_ms = _next_end_ms([row.finished_at for row in connection.execute(ended)], now)
    minutes = -(-wait_ms // 60_000)
    raise Busy(
        f"{party} has {open_jobs:,} jobs that have not ended, as many as it may have. Nothing was taken in.",
        retry_after_ms=wait_ms,
        message_th=f"{party} มีงานที่ยังไม่เสร็จ {open_jobs:,} งาน ซึ่งครบจำนวนที่กำหนดแล้ว ระบบยังไม่ได้รับแฟ้มนี้",
        remedy_en=f"Submit it again in about {minutes} min, when one of them should have ended, or put several files into one.",
        remedy_th=f"โปรดส่งใหม่ในอีกประมาณ {minutes} นาที เมื่องานก่อนหน้าเสร็จ หรือรวมหลายแฟ้มเป็นแฟ้มเดียว",
    )


def _next_end_ms(ended: list[int], now: int) -> int:
    """Return how long until the next job should end (ms), from the latest ends (newest first)."""
    if not ended:
        return _UNFORESEEN_MS
    return max(_SOONEST_MS, min(_LATEST_MS, (now - ended[-1]) // len(ended)))
