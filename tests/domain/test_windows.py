"""Windows against a slow reading of the rules, minute by minute off the registry's wall clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.windows import ClosedRule, Span, WindowRule, WindowState, open_spans, window_state

BANGKOK = "Asia/Bangkok"
MINUTE_MS = 60_000
DAY_MS = 86_400_000
OFFICE = WindowRule(from_s=8 * 3600 + 1800, to_s=16 * 3600 + 1800, weekdays=frozenset(range(5)))
NIGHT = WindowRule(from_s=20 * 3600, to_s=6 * 3600, first_date=date(2026, 12, 1), last_date=date(2026, 12, 7))
ALWAYS = WindowRule(from_s=0, to_s=86400)


def at(text: str, zone: str = BANGKOK) -> int:
    """The instant that a wall clock in `zone` shows, in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_an_office_window_opens_and_closes_on_the_minute() -> None:
    """Half-open: the first instant is in, the last is out."""
    opens, closes = at("2026-11-02T08:30"), at("2026-11-02T16:30")
    assert open_spans((OFFICE,), (), BANGKOK, at("2026-11-02T00:00"), at("2026-11-03T00:00")) == [
        Span(opens, closes)
    ]
    assert window_state((OFFICE,), (), BANGKOK, opens) == WindowState(is_open=True, until_at=closes)
    assert window_state((OFFICE,), (), BANGKOK, opens - 1) == WindowState(is_open=False, until_at=opens)
    assert window_state((OFFICE,), (), BANGKOK, closes - 1) == WindowState(is_open=True, until_at=closes)
    assert window_state((OFFICE,), (), BANGKOK, closes).until_at == at("2026-11-03T08:30")


def test_a_friday_evening_waits_for_monday() -> None:
    """The next edge is found across days without windows."""
    assert window_state((OFFICE,), (), BANGKOK, at("2026-11-06T17:00")).until_at == at("2026-11-09T08:30")


def test_an_overnight_window_belongs_to_the_day_on_which_it_begins() -> None:
    """The last night runs into the morning after the last date."""
    spans = open_spans((NIGHT,), (), BANGKOK, at("2026-12-07T00:00"), at("2026-12-09T00:00"))
    assert spans == [
        Span(at("2026-12-07T00:00"), at("2026-12-07T06:00")),
        Span(at("2026-12-07T20:00"), at("2026-12-08T06:00")),
    ]


def test_a_closed_date_takes_out_what_falls_on_that_date() -> None:
    """The night of the 4th ends at midnight, the night of the 5th begins at the next one."""
    king = ClosedRule(date(2026, 12, 5), date(2026, 12, 5))
    spans = open_spans((NIGHT,), (king,), BANGKOK, at("2026-12-04T12:00"), at("2026-12-06T12:00"))
    assert spans == [
        Span(at("2026-12-04T20:00"), at("2026-12-05T00:00")),
        Span(at("2026-12-06T00:00"), at("2026-12-06T06:00")),
    ]


def test_days_that_touch_are_one_stretch() -> None:
    """00:00-24:00 daily never closes."""
    now = at("2026-11-05T12:00")
    assert open_spans((ALWAYS,), (), BANGKOK, now, now + 30 * DAY_MS) == [Span(now, now + 30 * DAY_MS)]
    assert window_state((ALWAYS,), (), BANGKOK, now, 30 * DAY_MS) == WindowState(is_open=True, until_at=None)


def test_no_rule_means_closed() -> None:
    """Nothing opens what nobody opened."""
    assert open_spans((), (), BANGKOK, 0, DAY_MS) == []
    assert window_state((), (), BANGKOK, 0) == WindowState(is_open=False, until_at=None)


def test_an_hour_that_is_skipped_is_not_open_and_one_that_is_repeated_is_open_twice() -> None:
    """Berlin, 2026: 29 March has no 02:30, 25 October has it twice."""
    rule = (WindowRule(from_s=2 * 3600, to_s=3 * 3600),)
    zone = "Europe/Berlin"
    assert open_spans(rule, (), zone, at("2026-03-29T00:00", zone), at("2026-03-30T00:00", zone)) == []
    autumn = open_spans(rule, (), zone, at("2026-10-25T00:00", zone), at("2026-10-26T00:00", zone))
    assert sum(span.to_at - span.from_at for span in autumn) == 2 * 3_600_000


seconds = st.integers(0, 24 * 12 - 1).map(lambda five: five * 300)
ends = st.integers(1, 24 * 12).map(lambda five: five * 300)
days = st.dates(date(2026, 3, 20), date(2026, 4, 5)) | st.dates(date(2026, 10, 18), date(2026, 11, 3))
maybe_days = st.none() | days
rules_of = st.lists(
    st.builds(
        WindowRule,
        from_s=seconds,
        to_s=ends,
        weekdays=st.frozensets(st.integers(0, 6)),
        first_date=maybe_days,
        last_date=maybe_days,
        since=maybe_days,
        until=maybe_days,
    ),
    min_size=1,
    max_size=3,
).map(tuple)
closings_of = st.lists(st.builds(ClosedRule, days, days, seconds, ends), max_size=3).map(tuple)
zones = st.sampled_from([BANGKOK, "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"])


def reads_open(rules: tuple[WindowRule, ...], closed: tuple[ClosedRule, ...], wall: datetime) -> bool:
    """Read the rules as a person would who looks at the clock on the wall."""

    def within(from_s: int, to_s: int, day: date) -> bool:
        since_s = (wall - datetime(day.year, day.month, day.day)).total_seconds()  # noqa: DTZ001 - the wall itself
        return from_s <= since_s < to_s + (86_400 if to_s <= from_s else 0)

    near = [wall.date() - timedelta(days=back) for back in range(3)]
    if any(
        rule.first_date <= day <= rule.last_date and within(rule.from_s, rule.to_s, day)
        for rule in closed
        for day in near
    ):
        return False
    return any(begins(rule, day) and within(rule.from_s, rule.to_s, day) for rule in rules for day in near)


def begins(rule: WindowRule, day: date) -> bool:
    """Whether the rule begins on that day."""
    last = rule.last_date or rule.first_date
    return (
        (not rule.weekdays or day.weekday() in rule.weekdays)
        and (rule.first_date is None or (rule.first_date <= day and last is not None and day <= last))
        and (rule.since is None or day >= rule.since)
        and (rule.until is None or day <= rule.until)
    )


@settings(max_examples=120, deadline=None)
@given(rules_of, closings_of, zones, days, st.integers(0, 1439))
@example((WindowRule(0, 5400),), (), "Europe/Berlin", date(2026, 10, 24), 0)
def test_spans_are_what_a_slow_reading_of_the_wall_clock_finds(
    rules: tuple[WindowRule, ...], closed: tuple[ClosedRule, ...], timezone: str, day: date, minute: int
) -> None:
    """Every fifth minute of three days is inside a span exactly when the rules, read off the wall, say open."""
    zone = ZoneInfo(timezone)
    from_at = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS + minute // 5 * 5 * MINUTE_MS
    to_at = from_at + 3 * DAY_MS
    spans = open_spans(rules, closed, timezone, from_at, to_at)
    assert all(before.to_at < after.from_at for before, after in pairwise(spans))
    opened = {at for span in spans for at in range(span.from_at, span.to_at, 5 * MINUTE_MS)}
    for moment in range(from_at, to_at, 5 * MINUTE_MS):
        wall = datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).replace(tzinfo=None)
        assert (moment in opened) == reads_open(rules, closed, wall), wall


@settings(max_examples=60, deadline=None)
@given(rules_of, closings_of, zones, days, st.integers(0, 86_399_999))
def test_the_state_now_is_the_first_span_from_now(
    rules: tuple[WindowRule, ...], closed: tuple[ClosedRule, ...], timezone: str, day: date, ms: int
) -> None:
    """Until the edge nothing changes, at the edge it does."""
    now = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS + ms
    state = window_state(rules, closed, timezone, now, 20 * DAY_MS)
    spans = open_spans(rules, closed, timezone, now, now + 20 * DAY_MS)
    assert state.is_open == (bool(spans) and spans[0].from_at == now)
    if state.until_at is None:
        assert not spans or (state.is_open and spans == [Span(now, now + 20 * DAY_MS)])
    else:
        assert state.until_at == (spans[0].to_at if state.is_open else spans[0].from_at)
