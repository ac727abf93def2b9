"""Why a job is where it is: what binds it now, in words, and when that ends. The strongest reason comes first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.jobs import Job
from domain.policy import Policy, RegistryRules
from domain.quota import BoundBy, Usage
from domain.states import AccountState, JobState
from domain.windows import window_state
from ledger.protocols import Ledger
from planner.forecast import HORIZON_MS
from pratunam.local_time import moment_th, until_en

_BOUND: dict[BoundBy, tuple[str, str]] = {
    BoundBy.ACCOUNT: (
        "Its accounts send as fast as the registrar allows each of them.",
        "ส่งเต็มอัตราที่กำหนดต่อรหัสผู้ใช้งาน",
    ),
    BoundBy.PARTY: ("The party sends at its fair share of what the registry bears.", "ส่งตามส่วนแบ่งของพรรค"),
    BoundBy.REGISTRY: ("The registry is at its limit for all parties together.", "ระบบทะเบียนเต็มอัตรารวม"),
    BoundBy.STARTING: (
        "The gate has just started and waits for answers still on their way.",
        "ระบบเพิ่งเริ่มทำงาน",
    ),
    BoundBy.SESSIONS: (
        "All sessions of the registry are taken; parties take turns.",
        "เซสชันเต็ม แต่ละพรรคผลัดกันส่ง",
    ),
    BoundBy.QUARANTINE: ("An account rests until an unclean end is surely over.", "รหัสผู้ใช้งานพักชั่วคราว"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that binds; `until_at` is when it ends, where that is known."""

    code: str
    text_en: str
    text_th: str
    until_at: int | None = None


_UNCHECKED = frozenset({JobState.RECEIVED, JobState.CHECKING})
_NOT_RUNNING = Reason(
    "not-running",
    "Nothing is running on this home: start it with `pratunam up`.",
    "ระบบยังไม่ทำงาน โปรดสั่ง pratunam up",
)


async def why(
    ledger: Ledger, policy: Policy, job: Job, usage: Usage | None, now: int, *, running: bool = True
) -> list[Reason]:
    """Return what binds the job at `now`; empty when it is simply being sent.

    `usage` is None where the gate cannot be asked; `running` says whether anything runs on the home.
    """
    told = _of_state(job)
    if told is not None:
        return [told] if running or job.state not in _UNCHECKED else [told, _NOT_RUNNING]
    rules = policy.registries.get(job.registry)
    if rules is None:
        text_th = f"ไม่มีระบบทะเบียน {job.registry} ในนโยบายแล้ว"
        return [Reason("no-registry", f"Registry {job.registry} is no longer in the policy.", text_th)]
    reasons = [reason async for reason in _of_gate(ledger, policy, rules, job, now)]
    reasons += [reason async for reason in _of_blockers(ledger, job)]
    if not running:
        reasons.append(_NOT_RUNNING)
    elif usage is None:
        reasons.append(Reason(BoundBy.STARTING.value, *_BOUND[BoundBy.STARTING]))
    elif not reasons:
        reasons += _of_usage(usage, job, now)
    return reasons


def _of_state(job: Job) -> Reason | None:
    if job.state is JobState.PAUSED:
        return Reason(
            "paused",
            f"It is paused: {job.paused_reason}. `pratunam job resume {job.job}` lets it go on.",
            f"หยุดชั่วคราว: {job.paused_reason_th} สั่ง `pratunam job resume {job.job}` ให้ทำต่อ",
        )
    if job.state in _UNCHECKED:
        return Reason(job.state.value, "Its file is being checked, or waits to be.", "กำลังตรวจไฟล์ หรือรอตรวจ")
    if job.state is JobState.REFUSED:
        return Reason("refused", job.fault_en, job.fault_th)
    if job.state in {JobState.FINISHED, JobState.CANCELLED}:
        return Reason(job.state.value, f"It is {job.state.value}: nothing binds it.", "งานสิ้นสุดแล้ว")
    return None


async def _of_gate(
    ledger: Ledger, policy: Policy, rules: RegistryRules, job: Job, now: int
) -> AsyncIterator[Reason]:
    for hold in await ledger.holds():
        if hold.registry == job.registry and hold.party in {None, job.party}:
            yield Reason("hold", f"The registrar holds it: {hold.reason}.", f"นายทะเบียนระงับไว้: {hold.reason}")
    if job.party not in policy.parties:
        yield Reason("no-party", "Its party is no longer in the policy.", "ไม่มีพรรคนี้ในนโยบายแล้ว")
        return
    window = window_state(
        policy.windows_of(rules.name, job.party), rules.closed, rules.timezone, now, HORIZON_MS
    )
    if not window.is_open:
        yield _closed(window.until_at, rules.timezone, now)
    accounts = await ledger.accounts(job.registry, job.party)
    if not any(row.state is AccountState.ACTIVE for row in accounts):
        told = ", ".join(f"{row.account} {row.state.value}" for row in accounts) or "none"
        yield Reason(
            "accounts", f"No account of the party can be used ({told}).", f"ไม่มีรหัสผู้ใช้งานที่ใช้ได้ ({told})"
        )
    if rules.rate == 0:
        yield Reason("rate", "The registry's rate is 0: it is closed.", "อัตราของระบบเป็น 0 (ปิด)")


def _closed(opens_at: int | None, timezone: str, now: int) -> Reason:
    if opens_at is None:
        return Reason("window", "The party has no open window in sight.", "ไม่มีช่วงเวลาเข้าใช้งาน")
    return Reason(
        "window",
        f"The window is closed until {until_en(opens_at, timezone, now)}.",
        f"ปิดจนถึง{moment_th(opens_at, timezone)}",
        opens_at,
    )


async def _of_blockers(ledger: Ledger, job: Job) -> AsyncIterator[Reason]:
    waiting: dict[str, int] = {}
    for jobs in (await ledger.blockers(job.job)).values():
        for blocker in jobs:
            waiting[blocker] = waiting.get(blocker, 0) + 1
    for blocker, slices in waiting.items():
        other = await ledger.job(blocker)
        doubtful = (
            " Some of its records are doubtful: people must say what became of them."
            if other.records.doubtful
            else ""
        )
        yield Reason(
            "blocked",
            f"{slices:,} {'slice waits' if slices == 1 else 'slices wait'} for records of the same persons in job {blocker}.{doubtful}",
            f"รอผลของบุคคลเดียวกันในงาน {blocker}",
        )


def _of_usage(usage: Usage, job: Job, now: int) -> list[Reason]:
    if usage.signals.closed_ms > 0:
        until_at = now + usage.signals.closed_ms
        return [Reason("pushback", "The registrar asked to slow down.", "ระบบทะเบียนขอให้ชะลอ", until_at)]
    use = usage.parties.get(job.party)
    told = _BOUND.get(use.bound_by) if use else None
    return [Reason(use.bound_by.value, *told)] if use and told else []
