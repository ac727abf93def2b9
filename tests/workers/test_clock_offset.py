"""The registrar's clock from its Date headers: the truth always lies within what is told."""

from hypothesis import given
from hypothesis import strategies as st

from domain.wire import ClockSample
from workers.clock_offset import KEPT, SLACK_MS, OffsetMeter

NOW = 1_767_225_600_000


def sample(sent_at: int, offset_ms: int, there_ms: int, back_ms: int) -> ClockSample:
    """What a registrar whose clock is `offset_ms` ahead writes, in whole seconds."""
    date_at = (sent_at + there_ms + offset_ms) // 1000 * 1000
    return ClockSample(date_at, sent_at, sent_at + there_ms + back_ms)


def test_nothing_measured_is_nothing_known() -> None:
    """Without a sample there is no offset."""
    assert OffsetMeter().offset(NOW) is None


@given(
    st.integers(-40_000, 40_000),
    st.lists(
        st.tuples(st.integers(0, 5_000), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=KEPT
    ),
)
def test_the_truth_lies_within_the_error(offset_ms: int, steps: list[tuple[int, int, int]]) -> None:
    """Whatever the network does, the true offset lies within the half width told."""
    meter, now = OffsetMeter(), NOW
    for pause, there, back in steps:
        now += pause
        taken = sample(now, offset_ms, there, back)
        meter.take(taken)
        now = taken.read_at
    measured = meter.offset(now)
    assert measured is not None
    assert abs(measured[0] - offset_ms) <= measured[1]


def test_many_samples_narrow_it_down() -> None:
    """Headers at different parts of the second tell more than a second's worth."""
    meter = OffsetMeter()
    for n in range(40):
        meter.take(sample(NOW + n * 137, 30_000, 2, 2))
    measured = meter.offset(NOW + 40 * 137)
    assert measured is not None
    assert measured[1] < SLACK_MS + 100


def test_a_stepped_clock_is_measured_anew() -> None:
    """When a sample contradicts those before it, they no longer count."""
    meter = OffsetMeter()
    meter.take(sample(NOW, 0, 1, 1))
    meter.take(sample(NOW + 5_000, 30_000, 1, 1))
    measured = meter.offset(NOW + 5_002)
    assert measured is not None
    assert abs(measured[0] - 30_000) <= measured[1]
