"""When the registrar is open: absolute spans and daily spans, by the registrar's own clock.

It must not know the gate's calendar: tests write the very instants that they mean.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from registrar.config import Window
from registrar.judge import outside_us

#: Microseconds in a day and in a minute.
DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
#: Stands for "no end in sight" in microseconds.
FOREVER_US = 1 << 62

Span = tuple[int, int]


def instant_us(value: int | str) -> int:
    """Microseconds since the epoch from milliseconds or an RFC 3339 text; raises `ValueError`."""
    if isinstance(value, int):
        return value * 1_000
    when = datetime.fromisoformat(value)
    if when.tzinfo is None:
        raise ValueError(f"an instant needs an offset: {value}")
    return round(when.timestamp() * 1_000_000)


def time_of_day_us(text: str) -> int:
    """Microseconds since midnight from HH:MM, HH:MM:SS or HH:MM:SS.mmm; 24:00 is the day's end."""
    hours, minutes, *seconds = text.split(":")
    return round((int(hours) * 3_600 + int(minutes) * 60 + (float(seconds[0]) if seconds else 0)) * 1_000_000)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Ascending, disjoint spans that cover the same instants."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


class WindowSet:
    """The open hours of one scope; `windows=None` is always open, an empty sequence never."""

    def __init__(self, windows: Sequence[Window] | None, utc_offset_min: int = 0) -> None:
        self._always = windows is None
        self._shift_us = utc_offset_min * MINUTE_US
        self._absolute: list[Span] = []
        self._daily: list[tuple[Span, frozenset[int]]] = []
        for window in windows or ():
            self._take(window)
        self._known: Span = (0, 0)
        self._spans: list[Span] = []

    def _take(self, window: Window) -> None:
        if window.daily_from is not None and window.daily_to is not None:
            start, end = time_of_day_us(window.daily_from), time_of_day_us(window.daily_to)
            span = (start, end if end > start else end + DAY_US)
            self._daily.append((span, frozenset(window.days)))
            return
        start = 0 if window.from_at is None else instant_us(window.from_at)
        end = FOREVER_US if window.to_at is None else instant_us(window.to_at)
        self._absolute.append((start, end))

    def _around(self, at_us: int) -> list[Span]:
        """Every span from two days before to eight days after, computed once a day."""
        day = (at_us + self._shift_us) // DAY_US
        known = (day * DAY_US - self._shift_us, (day + 1) * DAY_US - self._shift_us)
        if self._known != known:
            spans = list(self._absolute)
            for offset in range(-2, 9):
                midnight = known[0] + offset * DAY_US
                weekday = (day + offset + 3) % 7  # day 0 of the epoch was a Thursday; Monday is 0
                spans += [(midnight + a, midnight + b) for (a, b), days in self._daily if weekday in days]
            self._known, self._spans = known, merged(spans)
        return self._spans

    def outside_us(self, at_us: int) -> int | None:
        """How far an instant lies outside (see `judge.outside_us`), `None` when open."""
        return None if self._always else outside_us(at_us, self._around(at_us))

    def is_open(self, at_us: int) -> bool:
        """Whether records are taken at this instant."""
        return self.outside_us(at_us) is None

    def opens_at_us(self, at_us: int) -> int | None:
        """The next beginning after an instant, if one is in sight."""
        return next((start for start, _ in self._around(at_us) if start > at_us), None)


def rfc3339(at_us: int, utc_offset_min: int = 0) -> str:
    """An instant as the protocol writes it, with an offset and milliseconds."""
    zone = timezone(timedelta(minutes=utc_offset_min))
    return datetime.fromtimestamp(at_us / 1_000_000, zone).isoformat(timespec="milliseconds")
