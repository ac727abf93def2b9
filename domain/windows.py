"""Windows: when a party may use a registry. Pure arithmetic on local time; half-open `[from, to)`; no rule means closed.

Rules are read off the wall of the registry's time zone: an hour that a change of clocks repeats is open twice, one that it
skips not at all. No clock is read here, and nothing is known of parties: `Policy.windows_of` picks the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
#: how far `window_state` looks for the next edge, in ms
HORIZON_MS = 400 * _DAY_MS


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


def open_spans(
    rules: tuple[WindowRule, ...], closed: tuple[ClosedRule, ...], timezone: str, from_at: int, to_at: int
) -> list[Span]:
    """Return the stretches of `[from_at, to_at)` that are open, in order, joined where they touch.

    Windows are united, then `closed` is taken out: whatever falls on a closed date, whichever day its window began on.
    """
    if not rules or from_at >= to_at:
        return []
    pieces: list[tuple[int, int]] = []
    # A window may begin two local days before `from_at` and still be open; zones lie up to a day off UTC.
    for day in range(from_at // _DAY_MS - 3, to_at // _DAY_MS + 2):
        pieces.extend(_opening_on(rules, closed, timezone, day))
    clipped = (
        (max(begin, from_at), min(end, to_at)) for begin, end in pieces if end > from_at and begin < to_at
    )
    return [Span(begin, end) for begin, end in _united(clipped)]


def window_state(
    rules: tuple[WindowRule, ...],
    closed: tuple[ClosedRule, ...],
    timezone: str,
    now: int,
    horizon_ms: int = HORIZON_MS,
) -> WindowState:
    """Return whether it is open at `now`, and when that changes, as far as `horizon_ms` ahead."""
    if not rules:
        return WindowState(is_open=False, until_at=None)
    is_open = False
    reach_ms = min(2 * _DAY_MS, horizon_ms)
    while True:
        spans = open_spans(rules, closed, timezone, now, now + reach_ms)
        is_open = bool(spans) and spans[0].from_at == now
        if is_open and spans[0].to_at < now + reach_ms:
            return WindowState(is_open=True, until_at=spans[0].to_at)
        if spans and not is_open:
            return WindowState(is_open=False, until_at=spans[0].from_at)
        if reach_ms >= horizon_ms:
            return WindowState(is_open=is_open, until_at=None)
        reach_ms = min(reach_ms * 4, horizon_ms)


@lru_cache(maxsize=65_536)
def _opening_on(
    rules: tuple[WindowRule, ...], closed: tuple[ClosedRule, ...], timezone: str, day: int
) -> tuple[tuple[int, int], ...]:
    """What the windows that begin on local day `day` (days since 1970) leave open, ms UTC; cached for all who share rules."""
    local = [_on_wall(rule.from_s, rule.to_s, day) for rule in rules if _begins_on(rule, day)]
    if not local:
        return ()
    shut = [
        _on_wall(rule.from_s, rule.to_s, shut_day)
        for shut_day in range(day - 1, day + 3)
        for rule in closed
        if rule.first_date.toordinal() <= shut_day + _EPOCH_DAY <= rule.last_date.toordinal()
    ]
    left = _without(_united(local), _united(shut))
    return tuple(_united(_on_clock(left, timezone, day)))


def _begins_on(rule: WindowRule, day: int) -> bool:
    on = date.fromordinal(day + _EPOCH_DAY)
    if (rule.since and on < rule.since) or (rule.until and on > rule.until):
        return False
    if rule.first_date and not rule.first_date <= on <= (rule.last_date or rule.first_date):
        return False
    return not rule.weekdays or on.weekday() in rule.weekdays


def _on_wall(from_s: int, to_s: int, day: int) -> tuple[int, int]:
    """A rule's stretch in wall-clock ms (local time read as if it were UTC)."""
    ends_next_day = _DAY_MS if to_s <= from_s else 0
    return day * _DAY_MS + from_s * 1000, day * _DAY_MS + to_s * 1000 + ends_next_day


def _on_clock(local: Iterable[tuple[int, int]], timezone: str, day: int) -> Iterable[tuple[int, int]]:
    for begin, end in local:
        for since, until, offset_ms in _offsets(timezone, day):
            from_at, to_at = max(begin - offset_ms, since), min(end - offset_ms, until)
            if from_at < to_at:
                yield from_at, to_at


@lru_cache(maxsize=8_192)
def _offsets(timezone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """Stretches (since, until, offset ms) of constant offset from UTC that cover two local days from `day` on."""
    zone = ZoneInfo(timezone)
    begin, end = day * _DAY_MS - 18 * _HOUR_MS, (day + 2) * _DAY_MS + 18 * _HOUR_MS
    marks = [begin]
    # No zone changes its clocks twice within six hours.
    for at in range(begin, end, 6 * _HOUR_MS):
        if _offset_ms(zone, at) != _offset_ms(zone, at + 6 * _HOUR_MS):
            marks.append(_change_within(zone, at, at + 6 * _HOUR_MS))
    return tuple((since, until, _offset_ms(zone, since)) for since, until in pairwise([*marks, end]))


def _change_within(zone: ZoneInfo, before: int, after: int) -> int:
    """The instant (to the second) at which the offset changes between two instants."""
    was = _offset_ms(zone, before)
    while after - before > 1000:
        middle = (before + after) // 2000 * 1000
        before, after = (middle, after) if _offset_ms(zone, middle) == was else (before, middle)
    return after


def _offset_ms(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds() * 1000)


def _united(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for begin, end in sorted(pieces):
        if united and begin <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        elif begin < end:
            united.append((begin, end))
    return united


def _without(opened: list[tuple[int, int]], shut: list[tuple[int, int]]) -> list[tuple[int, int]]:
    left: list[tuple[int, int]] = []
    for opening in opened:
        begin, end = opening
        for shut_from, shut_to in shut:
            if shut_to <= begin or shut_from >= end:
                continue
            if shut_from > begin:
                left.append((begin, shut_from))
            begin = max(begin, shut_to)
        if begin < end:
            left.append((begin, end))
    return left
