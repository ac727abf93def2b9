"""The brake: down at once by halves, up in steps, never below its floor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy import BrakeRules
from domain.quota import Signals
from scheduler.brake import PUSHBACK_FREEZE_MS, STEP, STEP_MS, BrakeState, brake, taken_up

NOW = 1_800_000_000_000
RULES = BrakeRules()


def run(
    steps: list[tuple[int, Signals]], rules: BrakeRules = RULES, state: BrakeState | None = None
) -> BrakeState:
    """Let the brake hear signals at given ms after the start."""
    state = state or BrakeState()
    for after_ms, signals in steps:
        state = brake(rules, state, signals, NOW + after_ms)
    return state


def calm(seconds: int, latency_ms: int = 10, signals: Signals = Signals()) -> list[tuple[int, Signals]]:  # noqa: B008 - frozen
    """A hundred good answers a second."""
    return [
        (s * 1000, Signals(s * 100, signals.errors, signals.pushbacks, s * 100 * latency_ms))
        for s in range(seconds)
    ]


def test_a_quiet_registrar_gets_the_whole_rate() -> None:
    """Nothing said, nothing braked."""
    assert run(calm(60)).level == 1.0


def test_a_pushback_of_the_registry_halves_at_once() -> None:
    """In the round in which it is heard, also when the stop itself was over before it was counted."""
    state = run([(0, Signals()), (250, Signals(pushbacks=1, closed_ms=1000))])
    assert (state.level, state.reason) == (0.5, "pushback")
    late = run([(0, Signals()), (250, Signals(closed_ms=100)), (1250, Signals(pushbacks=1))])
    assert late.level == 0.5


def test_a_pushback_for_one_account_slows_that_account_alone_unless_there_are_many() -> None:
    """The gate stops the scope named; one answer in twenty is the registry's business again."""
    assert (
        run([(0, Signals()), (250, Signals(pushbacks=1)), (6000, Signals(answers=100, pushbacks=4))]).level
        == 1.0
    )
    assert run([(0, Signals()), (6000, Signals(answers=100, pushbacks=5))]).level == 0.5


def test_a_registry_that_is_closed_without_a_word_of_load_is_not_braked() -> None:
    """An end of the window stops, and says nothing of load."""
    assert run([(0, Signals()), (250, Signals(closed_ms=60_000))]).level == 1.0


def test_what_was_counted_before_our_time_is_no_news() -> None:
    """Another scheduler has heeded it."""
    assert (
        run([(0, Signals(pushbacks=7, closed_ms=500)), (250, Signals(pushbacks=7, closed_ms=250))]).level
        == 1.0
    )


def test_the_echo_of_one_pushback_does_not_halve_again_but_a_later_one_does() -> None:
    """Sixty sessions that hear the same 503 are one signal."""
    heard = [(0, Signals())] + [(ms, Signals(pushbacks=ms // 10, closed_ms=1000)) for ms in (250, 500, 1000)]
    assert run(heard).level == 0.5
    assert run([*heard, (4900, Signals(pushbacks=101, closed_ms=1000))]).level == 0.25


def test_it_comes_back_in_steps_once_nothing_was_heard_for_a_while() -> None:
    """Frozen first, then a twentieth every step."""
    heard = Signals(pushbacks=1)
    state = run([(-250, Signals()), (0, Signals(pushbacks=1, closed_ms=1)), (PUSHBACK_FREEZE_MS - 1, heard)])
    assert state.level == 0.5
    state = run([(PUSHBACK_FREEZE_MS + STEP_MS, heard)], state=state)
    assert abs(state.level - 0.55) < 1e-9
    state = run([(PUSHBACK_FREEZE_MS + 60 * STEP_MS, heard)], state=state)
    assert (state.level, state.reason) == (1.0, "")


def test_retry_after_freezes_the_way_back() -> None:
    """As long as the registrar asked for."""
    state = run(
        [
            (-250, Signals()),
            (0, Signals(pushbacks=1, closed_ms=60_000)),
            (30_000, Signals(pushbacks=1, closed_ms=30_000)),
        ]
    )
    assert state.level == 0.5
    assert state.frozen_until_at == NOW + 60_000


def test_many_errors_halve_and_a_few_do_not() -> None:
    """One in twenty is many; fewer than twenty answers prove nothing."""
    assert run([(0, Signals()), (5000, Signals(answers=100, errors=5))]).level == 0.5
    assert run([(0, Signals()), (5000, Signals(answers=100, errors=4))]).level == 1.0
    assert run([(0, Signals()), (5000, Signals(answers=15, errors=4))]).level == 1.0
    assert run([(0, Signals()), (5000, Signals(answers=0, errors=40))]).level == 0.5


def test_answers_that_take_far_longer_than_they_used_to_halve_unless_latency_is_not_heeded() -> None:
    """From 50 ms to 2 s is load; the policy may say otherwise."""
    slow = Signals(answers=3100, latency_ms_sum=3000 * 50 + 100 * 2000)
    steps = [*calm(31, latency_ms=50), (36_000, slow)]
    assert run(steps).level == 0.5
    assert run(steps, BrakeRules(latency=False)).level == 1.0


def test_a_crowded_worker_is_not_a_crowded_registrar() -> None:
    """10 ms that become 100 ms are nobody's overload."""
    assert (
        run([*calm(31), (36_000, Signals(answers=3100, latency_ms_sum=3000 * 10 + 100 * 100))]).level == 1.0
    )


def test_a_busy_registrar_is_halved_again_and_again_down_to_the_floor() -> None:
    """As long as its own load page says so."""
    busy = Signals(load_state="busy")
    state = run([(ms, busy) for ms in range(0, 60_000, 250)])
    assert state.level == RULES.floor


def test_a_closed_registrar_is_not_a_busy_one() -> None:
    """Its window is over, says its load page all night: the morning begins at the full rate."""
    assert run([(ms, Signals(load_state="closed")) for ms in range(0, 60_000, 250)]).level == 1.0


def test_totals_that_go_back_begin_a_new_count() -> None:
    """A new generation of the gate counts from nought, and that is no pushback."""
    state = run([*calm(20), (21_000, Signals(pushbacks=0)), (30_000, Signals(answers=100))])
    assert state.level == 1.0


def test_a_new_leader_takes_the_brake_up_where_the_gate_stands() -> None:
    """It stays for a while, since nobody knows how fresh it is, and then comes back in steps; a rounded whole rate is no brake."""
    taken = taken_up(BrakeRules(), 0.25, NOW)
    assert brake(BrakeRules(), taken, Signals(), NOW + PUSHBACK_FREEZE_MS - 1).level == 0.25
    later = brake(BrakeRules(), taken, Signals(), NOW + PUSHBACK_FREEZE_MS + STEP_MS)
    assert later.level == pytest.approx(0.25 + STEP)
    assert taken_up(BrakeRules(floor=0.1), 0.0, NOW).level == 0.1
    assert taken_up(BrakeRules(), 0.9999, NOW) == taken_up(BrakeRules(), 2.0, NOW) == BrakeState()


signals_of = st.builds(
    Signals,
    answers=st.integers(0, 1000),
    errors=st.integers(0, 100),
    pushbacks=st.integers(0, 5),
    latency_ms_sum=st.integers(0, 10**6),
    load_state=st.sampled_from(["", "normal", "busy", "closed"]),
    closed_ms=st.sampled_from([0, 0, 500, 60_000]),
)


@given(st.lists(st.tuples(st.integers(1, 20_000), signals_of), max_size=30), st.floats(0, 1))
def test_whatever_it_hears_it_stays_between_floor_and_one_and_never_jumps_up(
    heard: list[tuple[int, Signals]], floor: float
) -> None:
    """Down by no more than half a time, up by no more than its steps for the time that passed."""
    state, now = BrakeState(), NOW
    for wait_ms, signals in heard:
        now += wait_ms
        following = brake(BrakeRules(floor=floor), state, signals, now)
        assert min(floor, 1.0) <= following.level <= 1.0
        assert following.level >= state.level / 2 - 1e-9
        assert following.level <= state.level + 0.05 * (wait_ms // STEP_MS + 1) + 1e-9
        if following.frozen_until_at > now:
            assert following.level <= state.level
        state = following
