"""How long a party may draw: window, registrar's clock, guard."""

from hypothesis import given
from hypothesis import strategies as st

from domain.quota import Signals
from domain.windows import WindowRule
from scheduler.openings import FOR_EVER_MS, ClockOffset, Openings
from tests.scheduler.fakes import REGISTRY, policy

#: 2027-01-15, 15:00 in Bangkok
NOW = 1_800_000_000_000
HOUR_MS = 3_600_000
OFFICE = WindowRule(from_s=15 * 3600, to_s=16 * 3600)
ENDS, BEGINS = NOW + HOUR_MS, NOW


def test_the_guard_and_the_error_of_the_clock_shorten_both_ends() -> None:
    """Open once the registrar's clock is surely past the beginning, closed before it could be past the end less the guard."""
    openings, clock = Openings(policy({"A": 1}, windows=(OFFICE,)), REGISTRY), ClockOffset(0, 300)
    assert openings.open_ms("A", clock, BEGINS + 299) == 0
    assert openings.opens_in_ms("A", clock, BEGINS + 299) == 1
    assert openings.open_ms("A", clock, BEGINS + 300) == HOUR_MS - 300 - 1000 - 300
    assert openings.open_ms("A", clock, ENDS - 1301) == 1
    assert openings.open_ms("A", clock, ENDS - 1300) == 0


def test_the_registrars_clock_decides_not_ours() -> None:
    """30 s ahead or behind, the window moves with it."""
    openings = Openings(policy({"A": 1}, windows=(OFFICE,)), REGISTRY)
    assert openings.open_ms("A", ClockOffset(30_000, 0), BEGINS - 30_000) == HOUR_MS - 1000
    assert openings.open_ms("A", ClockOffset(-30_000, 0), BEGINS) == 0
    assert openings.opens_in_ms("A", ClockOffset(-30_000, 0), BEGINS) == 30_000


def test_a_party_unknown_to_policy_or_without_windows_is_closed_and_one_without_end_is_open_for_ever() -> (
    None
):
    """No window at all means closed."""
    assert Openings(policy({"A": 1}), REGISTRY).open_ms("A", ClockOffset(), NOW) == FOR_EVER_MS
    assert Openings(policy({"A": 1}), REGISTRY).open_ms("Z", ClockOffset(), NOW) == 0
    assert Openings(policy({"A": 1}, windows=()), REGISTRY).open_ms("A", ClockOffset(), NOW) == 0


def test_a_measured_clock_is_kept_when_a_new_generation_has_not_measured_yet() -> None:
    """Clocks do not step because Redis died."""
    known = ClockOffset.measured(Signals(clock_offset_ms=700, clock_error_ms=20), ClockOffset())
    assert known == ClockOffset(700, 20)
    assert ClockOffset.measured(Signals(), known) == known


@given(
    st.integers(-2 * HOUR_MS, 2 * HOUR_MS),
    st.integers(-60_000, 60_000),
    st.integers(0, 2_000),
    st.integers(-2_000, 2_000),
)
def test_nothing_is_ever_open_past_the_end_less_the_guard_or_before_the_beginning(
    after_ms: int, offset_ms: int, error_ms: int, true_error_ms: int
) -> None:
    """Whatever the true clock within the error, also when asked out of order."""
    openings, clock = (
        Openings(policy({"A": 1}, windows=(OFFICE,)), REGISTRY),
        ClockOffset(offset_ms, error_ms),
    )
    openings.open_ms("A", clock, NOW)
    now = NOW + after_ms
    open_ms = openings.open_ms("A", clock, now)
    true_now = now + offset_ms + max(-error_ms, min(error_ms, true_error_ms))
    if open_ms:
        assert true_now >= BEGINS
        assert (true_now + open_ms - BEGINS) % (24 * HOUR_MS) <= HOUR_MS - 1000
