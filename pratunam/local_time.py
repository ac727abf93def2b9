"""Instants and durations in words, in English and in Thai (Buddhist era = CE + 543). Pure; the zone is an argument."""

import datetime as dt
from zoneinfo import ZoneInfo

from domain.windows import Span, WindowRule

_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_TH = ("จันทร์", "อังคาร", "พุธ", "พฤหัสบดี", "ศุกร์", "เสาร์", "อาทิตย์")
_MONTHS_TH = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
_WEEK_MS = 7 * 86_400_000


def local(at: int, timezone: str) -> dt.datetime:
    """Return an instant (ms) as local time."""
    return dt.datetime.fromtimestamp(at / 1000, ZoneInfo(timezone))


def rfc3339(at: int, timezone: str = "UTC") -> str:
    """Return an instant (ms) as RFC 3339 with its offset, to the second."""
    return local(at - at % 1000, timezone).isoformat()


def moment_en(at: int, timezone: str) -> str:
    """Return an instant in English: `Mon 8 Dec 2026 08:30`."""
    when = local(at, timezone)
    return f"{_DAYS_EN[when.weekday()]} {when.day} {when:%b %Y %H:%M}"


def moment_th(at: int, timezone: str) -> str:
    """Return an instant in Thai with its Buddhist year."""
    when = local(at, timezone)
    month = _MONTHS_TH[when.month - 1]
    return f"วัน{_DAYS_TH[when.weekday()]} {when.day} {month} {when.year + 543} เวลา {when:%H:%M} น."


def until_en(at: int, timezone: str, now: int) -> str:
    """Return an instant as people near it say it: `16:30`, `Monday 08:30`, or the date when it is over a week away."""
    when, today = local(at, timezone), local(now, timezone)
    if when.date() == today.date():
        return f"{when:%H:%M}"
    if 0 <= at - now < _WEEK_MS:
        return f"{_LONG_DAYS_EN[when.weekday()]} {when:%H:%M}"
    return moment_en(at, timezone)


def duration_en(ms: int) -> str:
    """Return a length of time in the two largest units that matter: `2 h 10 min`, `45 s`."""
    seconds = max(0, round(ms / 1000))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def duration_th(ms: int) -> str:
    """Return a length of time in Thai."""
    words = (("days", "วัน"), ("min", "นาที"), ("h", "ชั่วโมง"), ("s", "วินาที"))
    text = duration_en(ms)
    for english, thai in words:
        text = " ".join(thai if word == english else word for word in text.split())
    return text


def clock(seconds: int) -> str:
    """Return seconds of the day as HH:MM (with :SS where it matters)."""
    hours, rest = divmod(seconds, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{second:02d}" if second else "")


def hours_text(rule: WindowRule, *, thai: bool) -> str:
    """Return one window rule in words: days or dates, and from–to."""
    names = _DAYS_TH if thai else _DAYS_EN
    if rule.first_date and rule.last_date:
        one_day = rule.first_date == rule.last_date
        days = f"{rule.first_date}" if one_day else f"{rule.first_date} – {rule.last_date}"
    elif len(rule.weekdays) == 7:
        days = "ทุกวัน" if thai else "daily"
    else:
        days = ", ".join(names[day] for day in sorted(rule.weekdays))
    return f"{days} {clock(rule.from_s)}–{clock(rule.to_s)}"


def span_text(span: Span, timezone: str) -> str:
    """Return one open stretch as local time: `Mon 8 Dec 2026 08:30 – 16:30`."""
    start, end = local(span.from_at, timezone), local(span.to_at, timezone)
    same_day = (end - dt.timedelta(milliseconds=1)).date() == start.date()
    tail = (
        ("24:00" if end.date() != start.date() else f"{end:%H:%M}")
        if same_day
        else moment_en(span.to_at, timezone)
    )
    return f"{moment_en(span.from_at, timezone)} – {tail}"
