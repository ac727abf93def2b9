"""When will a job be done, as far as can be known now, in words that know about windows. Pure; `outlooks` looks."""

from dataclasses import dataclass

from domain.policy import Policy
from domain.windows import WindowState
from pratunam.local_time import duration_en, duration_th, moment_th, rfc3339, until_en

_MINUTE_MS = 60_000
_NOT_RUNNING = (
    "nothing is running: start it with `pratunam up`",
    "ระบบยังไม่ทำงาน โปรดสั่ง `pratunam up`",
)
#: the same where it is said once for a whole list
NOT_RUNNING = (
    "Nothing is running on this home: start it with `pratunam up`.\nระบบยังไม่ทำงาน โปรดสั่ง `pratunam up`"
)
#: below so many seconds, a length of time is told in steps of so many
_STEPS_S = ((60, 5), (1_800, 60), (7_200, 300), (43_200, 600), (172_800, 3_600), (float("inf"), 21_600))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies ahead of a job, or of all that a party has waiting. `share` is the party's pace (records/s).

    `finish_at` None: not known, or never as things stand. Behind a closed window the end is never before it opens, however far the
    registrar's clock is from ours.
    """

    finish_at: int | None
    window: WindowState
    timezone: str
    running: bool
    share: float | None = None


def timezone_of(policy: Policy | None, registry: str) -> str:
    """Return the registry's time zone; UTC for one that the policy does not know."""
    rules = policy.registries.get(registry) if policy else None
    return rules.timezone if rules else "UTC"


def outlook_text(outlook: Outlook, now: int, pace: float | None = None) -> tuple[str, str]:
    """Return the outlook in English and in Thai: `closed until Monday 08:30, then about 2 h 10 min`."""
    if not outlook.running:
        return _NOT_RUNNING
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


def outlook_cell(outlook: Outlook | None, now: int) -> str:
    """Return the outlook for a cell of a list: a line in each language; nothing where nothing can be said."""
    return "\n".join(outlook_text(outlook, now)) if outlook is not None and outlook.running else ""


def forecast_values(outlook: Outlook | None, timezone: str, now: int) -> dict[str, object]:
    """Return when it will be done, as an instant (null: not known) and in words of both languages (null: no question of it)."""
    english, thai = outlook_text(outlook, now) if outlook else (None, None)
    at = outlook.finish_at if outlook else None
    return {
        "finish_forecast_at": None if at is None else rfc3339(at, timezone),
        "finish_forecast_en": english,
        "finish_forecast_th": thai,
    }


def about_ms(ms: int) -> int:
    """Return a length of time as exactly as a forecast is: to about a tenth, and never nothing."""
    seconds = max(0, ms) / 1000
    step = next(step for below, step in _STEPS_S if seconds < below)
    return max(1, round(seconds / step)) * step * 1000
