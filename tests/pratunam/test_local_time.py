"""Instants and durations in words."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.windows import Span, WindowRule
from pratunam.local_time import (
    clock,
    duration_en,
    duration_th,
    hours_text,
    moment_en,
    moment_th,
    rfc3339,
    span_text,
    until_en,
)

BANGKOK = "Asia/Bangkok"
INSTANTS = st.integers(min_value=946_684_800_000, max_value=4_102_444_800_000)
ZONES = st.sampled_from(["UTC", BANGKOK, "Europe/Berlin", "America/St_Johns"])


def at(text: str) -> int:
    """An instant in ms."""
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


@given(INSTANTS, ZONES)
def test_an_instant_survives_rfc_3339(instant: int, zone: str) -> None:
    """Read back, it is the same to the second, with the zone's offset."""
    told = dt.datetime.fromisoformat(rfc3339(instant, zone))
    assert int(told.timestamp()) == instant // 1000
    assert told.utcoffset() == dt.datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).utcoffset()


@given(INSTANTS)
def test_thai_years_are_543_ahead(instant: int) -> None:
    """The Buddhist year of the local day, also round New Year."""
    year = dt.datetime.fromtimestamp(instant / 1000, ZoneInfo(BANGKOK)).year
    assert f" {year + 543} เวลา" in moment_th(instant, BANGKOK)
    assert f" {year} " in moment_en(instant, BANGKOK)


@given(st.integers(min_value=0, max_value=400 * 86_400_000))
def test_a_duration_is_told_within_its_smaller_unit(ms: int) -> None:
    """Read back, it is off by less than the smallest unit it names, in both languages."""
    units = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
    words = duration_en(ms).split()
    told = sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    smallest = 3600 if "days" in words else 60 if "h" in words or "min" in words else 1
    assert abs(told - ms / 1000) <= smallest
    assert [word for word in duration_th(ms).split() if word.isdigit()] == words[::2]


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0, "0 s"),
        (59_400, "59 s"),
        (60_000, "1 min"),
        (3_600_000, "1 h"),
        (7_800_000, "2 h 10 min"),
        (180_000_000, "2 days 2 h"),
    ],
)
def test_durations_as_people_say_them(ms: int, told: str) -> None:
    """The two largest units that matter."""
    assert duration_en(ms) == told


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-12-07T08:00:00+07:00", "16:30"),
        ("2026-12-05T08:00:00+07:00", "Monday 16:30"),
        ("2026-11-25T08:00:00+07:00", "Mon 7 Dec 2026 16:30"),
    ],
)
def test_an_end_is_told_by_how_near_it_is(now: str, told: str) -> None:
    """The hour today, the weekday within a week, else the date."""
    assert until_en(at("2026-12-07T16:30:00+07:00"), BANGKOK, at(now)) == told


def test_hours_and_spans_in_words() -> None:
    """Weekdays, dates, daily, midnight."""
    office = WindowRule(30_600, 59_400, weekdays=frozenset({0, 1}))
    assert hours_text(office, thai=False) == "Mon, Tue 08:30–16:30"
    assert hours_text(office, thai=True) == "จันทร์, อังคาร 08:30–16:30"
    assert hours_text(WindowRule(0, 86_400, weekdays=frozenset(range(7))), thai=True) == "ทุกวัน 00:00–24:00"
    day = dt.date(2026, 12, 5)
    assert (
        hours_text(WindowRule(72_000, 21_601, first_date=day, last_date=day), thai=False)
        == "2026-12-05 20:00–06:00:01"
    )
    whole = Span(at("2026-12-05T00:00:00+07:00"), at("2026-12-06T00:00:00+07:00"))
    assert span_text(whole, BANGKOK) == "Sat 5 Dec 2026 00:00 – 24:00"
    night = Span(at("2026-12-05T20:00:00+07:00"), at("2026-12-06T06:00:00+07:00"))
    assert span_text(night, BANGKOK) == "Sat 5 Dec 2026 20:00 – Sun 6 Dec 2026 06:00"
    assert (clock(86_400), clock(3_661)) == ("24:00", "01:01:01")
