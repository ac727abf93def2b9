"""When will a job be done, as far as can be known now: the planner's forecast, the window, and both in words.

Nothing is promised while nothing runs: then there is no forecast.
"""

from dataclasses import dataclass

from domain.jobs import Job
from domain.policy import Policy
from domain.quota import Usage
from domain.states import JobState
from domain.windows import WindowState, window_state
from planner.forecast import forecast
from planner.world import read_world
from pratunam.gate import usage_of
from pratunam.local_time import duration_en, duration_th, moment_th, until_en
from pratunam.parts import Parts
from pratunam.running import redis_address

#: how far ahead an opening is looked for (ms)
_HORIZON_MS = 60 * 86_400_000
_MINUTE_MS = 60_000
#: below so many seconds, a length of time is told in steps of so many
_STEPS_S = ((60, 5), (1_800, 60), (7_200, 300), (43_200, 600), (172_800, 3_600), (float("inf"), 21_600))
#: jobs of which the forecast knows how much is left
_FORESEEN = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING})


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies ahead of one job; `finish_at` None: not known, or never as things stand. `share` is its party's pace (records/s).

    Behind a closed window the end is never before it opens, however far the registrar's clock is from ours.
    """

    finish_at: int | None
    window: WindowState
    timezone: str
    running: bool
    share: float | None = None


async def outlook_of(parts: Parts, job: Job) -> Outlook:
    """Look ahead for one job by the policy in force."""
    now, policy = parts.clock.now(), await parts.policy()
    running = redis_address(parts.settings) is not None
    usage = await usage_of(parts.settings, job.registry) if running else None
    share = usage.parties[job.party].share if usage and job.party in usage.parties else None
    window = _window(policy, job, now + _clock_offset_ms(usage))
    finish_at = await _finish_at(parts, job, policy, usage, now) if running else None
    if finish_at is not None and not window.is_open and window.until_at is not None:
        finish_at = max(finish_at, window.until_at)
    return Outlook(
        finish_at=finish_at,
        window=window,
        timezone=timezone_of(policy, job.registry),
        running=running,
        share=share,
    )


def timezone_of(policy: Policy | None, registry: str) -> str:
    """Return the registry's time zone; UTC for one that the policy does not know."""
    rules = policy.registries.get(registry) if policy else None
    return rules.timezone if rules else "UTC"


def outlook_text(outlook: Outlook, now: int, pace: float | None = None) -> tuple[str, str]:
    """Return the outlook in English and in Thai: `closed until Monday 08:30, then about 2 h 10 min`."""
    if not outlook.running:
        return (
            "nothing is running: start it with `pratunam up`",
            "ระบบยังไม่ทำงาน โปรดสั่ง `pratunam up`",
        )
    opens_at = outlook.window.until_at
    if not outlook.window.is_open:
        if opens_at is None:
            return "closed, and no opening in sight", "ปิด และไม่มีช่วงเวลาเปิด"
        then = about_ms(outlook.finish_at - opens_at) if outlook.finish_at is not None else None
        return (
            f"closed until {until_en(opens_at, outlook.timezone, now)}"
            + (f", then about {duration_en(then)}" if then is not None else ""),
            f"ปิดจนถึง{moment_th(opens_at, outlook.timezone)}"
            + (f" จากนั้นใช้เวลาประมาณ {duration_th(then)}" if then is not None else ""),
        )
    pace_en, pace_th = (f"{pace:,.1f}/s, ", f"{pace:,.1f}/วินาที ") if pace else ("", "")
    if outlook.finish_at is None:
        return f"{pace_en}no end in sight as things stand", f"{pace_th}ยังไม่เห็นเวลาเสร็จ"
    left, minute_at = about_ms(outlook.finish_at - now), -(-outlook.finish_at // _MINUTE_MS) * _MINUTE_MS
    return (
        f"{pace_en}done in about {duration_en(left)} ({until_en(minute_at, outlook.timezone, now)})",
        f"{pace_th}เสร็จในประมาณ {duration_th(left)} ({moment_th(minute_at, outlook.timezone)})",
    )


def about_ms(ms: int) -> int:
    """Return a length of time as exactly as a forecast is: to about a tenth, and never nothing."""
    seconds = max(0, ms) / 1000
    step = next(step for below, step in _STEPS_S if seconds < below)
    return max(1, round(seconds / step)) * step * 1000


async def _finish_at(parts: Parts, job: Job, policy: Policy, usage: Usage | None, now: int) -> int | None:
    if job.state not in _FORESEEN or job.registry not in policy.registries:
        return None
    rate = policy.registries[job.registry].rate
    level = min(1.0, usage.rate / rate) if usage and rate > 0 and usage.rate > 0 else 1.0
    if await _waits_for_people(parts, job):
        return None
    world = await read_world(parts.ledger, job.registry, now, usage=usage, brake_level=level)
    return None if world is None else forecast(world, now).jobs.get(job.job)


def _clock_offset_ms(usage: Usage | None) -> int:
    """How far the registrar's clock, by which windows are kept, is ahead of ours."""
    return (usage.signals.clock_offset_ms if usage else None) or 0


async def _waits_for_people(parts: Parts, job: Job) -> bool:
    """Say whether slices wait for another job that goes on only when people act."""
    found = {name for names in (await parts.ledger.blockers(job.job)).values() for name in names}
    others = [await parts.ledger.job(name) for name in sorted(found)]
    return any(other.state is JobState.PAUSED or other.records.doubtful for other in others)


def _window(policy: Policy, job: Job, now: int) -> WindowState:
    rules = policy.registries.get(job.registry)
    if rules is None or job.party not in policy.parties:
        return WindowState(is_open=False, until_at=None)
    windows = policy.windows_of(job.registry, job.party)
    return window_state(windows, rules.closed, rules.timezone, now, _HORIZON_MS)
