"""Whether the promises were kept: pure functions over what arrived and when.

Nothing here gives an allowance, and nothing here may depend on how the registrar itself behaved:
a refused record has arrived all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: One record in the integer units of the scan: rates are exact to 1e-6 records/s, times to 1 ns.
RECORD_UNITS = 10**15


@dataclass(frozen=True, slots=True)
class LimitStep:
    """A limit that holds from `from_ns` on; `rate` in records/s, `burst` in records, `None` for no limit."""

    from_ns: int
    rate: float | None
    burst: float = 0.0


@dataclass(frozen=True, slots=True)
class BucketVerdict:
    """How far a sequence of arrivals went over `burst + rate * t` in its worst interval."""

    max_excess: float  # records over the limit in the worst interval; 0 when it was kept
    over: int  # arrivals that end an interval over the limit
    offending: int  # arrivals that an exact bucket would have refused
    worst_at_ns: int | None  # the arrival that ends the worst interval


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """One session from log-in to its end (`None`: open still); `allowed`: the most permitted at its log-in."""

    opened_ns: int
    closed_ns: int | None
    allowed: int | None


@dataclass(frozen=True, slots=True)
class SessionVerdict:
    """Most sessions open at once, and how many log-ins made it more than allowed."""

    most: int
    over: int


@dataclass(frozen=True, slots=True)
class EffectVerdict:
    """How many natural keys had one effect, how many had more, and which these are."""

    exactly_one: int
    more: int
    doubled: tuple[str, ...]


def micro_rate(rate: float) -> int:
    """A rate in millionths of a record a second, which times nanoseconds gives the scan's units."""
    return round(rate * 1_000_000)


def burst_units(rate: float, burst: float) -> int:
    """A burst in the scan's units; a rate of 0 means closed, so its burst is nothing."""
    return 0 if rate <= 0 else round(burst * 1_000_000) * 1_000_000_000


def scan_bucket(times_ns: Iterable[int], steps: Sequence[LimitStep]) -> BucketVerdict:
    """Judge ascending arrivals against `burst + rate * t` over every interval, in one pass.

    `level` is the largest of (arrivals - what may arrive) over all intervals that end here (Lindley's recursion);
    `policed` is the same for a bucket that refuses what it can't hold.
    `steps` ascend by `from_ns`; the first holds from the beginning.
    """
    level = policed = worst = 0
    over = offending = 0
    worst_at: int | None = None
    position, last_ns = 0, None
    for at_ns in times_ns:
        drained = 0
        since = at_ns if last_ns is None else last_ns
        while position + 1 < len(steps) and steps[position + 1].from_ns <= at_ns:
            edge = max(since, steps[position + 1].from_ns)
            drained += _drain(steps[position], edge - since)
            since = edge
            position += 1
        drained += _drain(steps[position], at_ns - since)
        last_ns = at_ns
        step = steps[position]
        level = max(0, level - drained)
        policed = max(0, policed - drained)
        if step.rate is None:
            continue
        allowed = burst_units(step.rate, step.burst)
        level += RECORD_UNITS
        if level > allowed:
            over += 1
            if level - allowed > worst:
                worst, worst_at = level - allowed, at_ns
        if policed + RECORD_UNITS > allowed:
            offending += 1
        else:
            policed += RECORD_UNITS
    return BucketVerdict(worst / RECORD_UNITS, over, offending, worst_at)


def _drain(step: LimitStep, elapsed_ns: int) -> int:
    """What the limit lets through in a stretch of time; without a limit everything."""
    return (1 << 100) if step.rate is None and elapsed_ns > 0 else micro_rate(step.rate or 0.0) * elapsed_ns


def overlapping_sessions(spans: Iterable[SessionSpan]) -> SessionVerdict:
    """Count sessions open at once; one that ends at the instant at which another begins is no overlap."""
    events: list[tuple[int, int, int | None]] = []
    for span in spans:
        if span.closed_ns is not None and span.closed_ns <= span.opened_ns:
            continue
        events.append((span.opened_ns, 1, span.allowed))
        if span.closed_ns is not None:
            events.append((span.closed_ns, 0, None))
    open_now = most = over = 0
    for _, opens, allowed in sorted(events, key=lambda event: event[:2]):
        open_now += 1 if opens else -1
        most = max(most, open_now)
        if opens and allowed is not None and open_now > allowed:
            over += 1
    return SessionVerdict(most, over)


def outside_us(at_us: int, spans: Sequence[tuple[int, int]]) -> int | None:
    """How far an instant lies outside the half-open `[from, to)` spans (ascending, disjoint); `None`: inside.

    Positive: so long after the nearest end (0 at the end itself). Negative: so long before the nearest beginning.
    With no span at all the answer is 0: there never was a window.
    """
    late: int | None = None
    for start, end in spans:
        if at_us < start:
            early = at_us - start
            return early if late is None or -early < late else late
        if at_us < end:
            return None
        late = at_us - end
    return late or 0


def doubled_effects(effects: Mapping[str, int]) -> EffectVerdict:
    """Count natural keys by their number of effects."""
    doubled = tuple(sorted(digest for digest, count in effects.items() if count > 1))
    return EffectVerdict(sum(count == 1 for count in effects.values()), len(doubled), doubled)
