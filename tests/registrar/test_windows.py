"""Open hours: instants, daily spans, and what lies outside."""

import pytest

from registrar.config import Window
from registrar.windows import WindowSet, instant_us, rfc3339

BANGKOK = 420


def at(text: str) -> int:
    """Microseconds of a local time in Bangkok."""
    return instant_us(f"{text}+07:00")


def test_without_windows_it_is_always_open_and_with_an_empty_list_never() -> None:
    """None means always; an empty list means never."""
    assert WindowSet(None).is_open(0)
    assert not WindowSet([]).is_open(0)
    assert WindowSet([]).opens_at_us(0) is None


def test_a_window_is_half_open_to_the_microsecond() -> None:
    """The beginning is inside, the end is not."""
    hours = WindowSet([Window(from_at=1_000, to_at=2_000)])
    assert [hours.is_open(us) for us in (999_999, 1_000_000, 1_999_999, 2_000_000)] == [
        False,
        True,
        True,
        False,
    ]
    assert hours.opens_at_us(0) == 1_000_000


def test_instants_can_be_written_as_text() -> None:
    """RFC 3339 with an offset is the same instant; without one it is refused."""
    hours = WindowSet([Window(from_at="2026-12-01T08:30:00+07:00", to_at="2026-12-01T09:00:00.500+07:00")])
    assert hours.is_open(at("2026-12-01T09:00:00.499"))
    assert not hours.is_open(at("2026-12-01T09:00:00.500"))
    with pytest.raises(ValueError, match="offset"):
        instant_us("2026-12-01T08:30:00")


def test_daily_hours_are_local_and_may_pass_midnight() -> None:
    """A span from 20:00 to 06:00 belongs to the day on which it begins."""
    hours = WindowSet([Window(daily_from="20:00", daily_to="06:00", days=(0,))], BANGKOK)  # Mondays
    assert hours.is_open(at("2026-12-07T20:00:00"))
    assert hours.is_open(at("2026-12-08T05:59:59"))
    assert not hours.is_open(at("2026-12-08T06:00:00"))
    assert not hours.is_open(at("2026-12-07T05:00:00"))
    assert hours.opens_at_us(at("2026-12-08T06:00:00")) == at("2026-12-14T20:00:00")


def test_overlapping_windows_are_one() -> None:
    """Late is measured from the end of the union."""
    hours = WindowSet([Window(from_at=0, to_at=10), Window(from_at=5, to_at=20)])
    assert hours.outside_us(15_000) is None
    assert hours.outside_us(21_000) == 1_000


def test_an_open_end_stays_open() -> None:
    """A window without an end has none in sight."""
    assert WindowSet([Window(from_at=5)]).is_open(1 << 50)


def test_an_instant_is_written_with_offset_and_milliseconds() -> None:
    """What is written is read back as the same instant."""
    assert rfc3339(at("2026-12-01T08:30:00.250"), BANGKOK) == "2026-12-01T08:30:00.250+07:00"
