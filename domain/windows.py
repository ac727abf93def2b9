"""Windows: when a party may use a registry. Pure arithmetic on local time; half-open `[from, to)`; no rule means closed."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class WindowRule:
    """One rule: on these weekdays (0 = Monday) or dates, from–to in seconds of the local day.

    `to_s` ≤ `from_s` ends on the next day (24:00 is 86400). `since`/`until` bound the days on which it begins (inclusive).
    `parties` empty = everyone who has no windows of its own.
    """

    from_s: int
    to_s: int
    weekdays: frozenset[int] = frozenset()
    first_date: date | None = None
    last_date: date | None = None
    since: date | None = None
    until: date | None = None
    parties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedRule:
    """Taken out of every window: dates (inclusive), the whole local day unless from–to are given (seconds of the day)."""

    first_date: date
    last_date: date
    from_s: int = 0
    to_s: int = 86400
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which it is open: `[from_at, to_at)`, ms."""

    from_at: int
    to_at: int


@dataclass(frozen=True, slots=True)
class WindowState:
    """Whether it is open now; `until_at` is when that changes (None: not within the horizon that was looked at)."""

    is_open: bool
    until_at: int | None
