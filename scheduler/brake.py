"""The brake: which part of its rate the registry gets now, from what its end says of its load. Pure; `policy` sets its bounds.

Down by halves, at once: on a pushback of the registry, on a busy `/v1/load` (closed is a window, not a load), when one answer in
twenty is an error or a "busy", when answers take far longer than they used to. Up in steps, once nothing has been said for a while.
Never below the floor: the full stop belongs to the registrar. A pushback for one account or party stops that scope in the gate itself;
here it counts only when there are many. Which scope was meant shows in `closed_ms`: it is the registry's own.

Latency is soft evidence (people work on the same system): only a mean well above a slow baseline counts, and only by more
than a crowded worker could add by itself.
"""

from dataclasses import dataclass, replace

from domain.policy import BrakeRules
from domain.quota import Signals

#: evidence is gathered over so long before ratio and latency are judged, in ms
JUDGE_MS = 5_000
#: fewer answers than this prove nothing
LEAST_ANSWERS = 20
#: this part of answers may be errors
ERROR_RATIO = 0.05
#: how far a mean may stand above the baseline: a factor, and ms beside it
LATENCY_FACTOR, LATENCY_SLACK_MS = 2.0, 200.0
#: the baseline falls quickly and rises slowly (about 40 minutes), a part of the difference each time
BASELINE_DOWN, BASELINE_UP = 0.2, 0.002
#: after a pushback nothing rises for so long, after softer evidence for so long, in ms
PUSHBACK_FREEZE_MS, SOFT_FREEZE_MS = 10_000, 15_000
#: answers to what was sent before a halving still come in for so long, and do not halve again, in ms
ECHO_MS = 2_000
#: a pushback is counted by a report, which may come so long after the stop itself, in ms
REPORT_MS = 3_000
#: the way back, in parts of the full rate: one step each time
STEP, STEP_MS = 0.05, 2_000


_NOTHING_YET = Signals()


@dataclass(frozen=True, slots=True)
class BrakeState:
    """How far the brake is released (1 = the whole rate), and what it has seen so far."""

    level: float = 1.0
    frozen_until_at: int = 0
    halved_at: int | None = None
    stepped_at: int | None = None
    baseline_ms: float | None = None
    latency_ms: float = 0.0
    pushbacks: int = 0
    closed_until_at: int = 0
    judged: Signals = _NOTHING_YET
    judged_at: int | None = None
    reason: str = ""


def taken_up(rules: BrakeRules, level: float, now: int) -> BrakeState:
    """Return the brake as a new leader finds it: what the gate is braked to stays for a while, for nobody knows how fresh it is."""
    level = min(1.0, max(level, min(rules.floor, 1.0)))
    if level > 0.999:  # rates are rounded on their way
        return BrakeState()
    return BrakeState(
        level=level, frozen_until_at=now + PUSHBACK_FREEZE_MS, stepped_at=now, reason="pushback"
    )


def brake(rules: BrakeRules, state: BrakeState, signals: Signals, now: int) -> BrakeState:
    """Return the brake's next state. `signals` are totals; totals that went back (a new generation) begin a new count."""
    state = _hear_pushback(rules, state, signals, now)
    if signals.load_state == "busy":
        state = _cut(rules, state, now, SOFT_FREEZE_MS, "load")
    state = _judge(rules, state, signals, now)
    return _release(state, now)


def _hear_pushback(rules: BrakeRules, state: BrakeState, signals: Signals, now: int) -> BrakeState:
    # What was counted before our time is no news.
    is_news = state.judged_at is not None and signals.pushbacks > state.pushbacks
    state = replace(state, pushbacks=signals.pushbacks)
    if signals.closed_ms > 0:
        # A stop that lasts is one pushback, however long: it freezes the way back, it does not cut again.
        state = _freeze(state, now, signals.closed_ms)
        state = replace(state, closed_until_at=max(state.closed_until_at, now + signals.closed_ms))
    if is_news and now < state.closed_until_at + REPORT_MS:
        return _cut(rules, state, now, max(signals.closed_ms, PUSHBACK_FREEZE_MS), "pushback")
    return state


def _judge(rules: BrakeRules, state: BrakeState, signals: Signals, now: int) -> BrakeState:
    """Look at errors and latency once enough time has passed and enough answers have come."""
    before = state.judged
    if state.judged_at is None or signals.answers < before.answers:
        return replace(state, judged=signals, judged_at=now)
    answers = signals.answers - before.answers
    errors = max(0, signals.errors - before.errors) + max(0, signals.pushbacks - before.pushbacks)
    if now - state.judged_at < JUDGE_MS or answers + errors < LEAST_ANSWERS:
        return state
    state = replace(state, judged=signals, judged_at=now)
    if errors >= ERROR_RATIO * max(answers, errors):
        return _cut(rules, state, now, PUSHBACK_FREEZE_MS, "errors")
    if answers < LEAST_ANSWERS:
        return state
    latency_ms = max(0.0, (signals.latency_ms_sum - before.latency_ms_sum) / answers)
    baseline_ms = latency_ms if state.baseline_ms is None else state.baseline_ms
    slow = latency_ms > LATENCY_FACTOR * baseline_ms + LATENCY_SLACK_MS
    gain = BASELINE_DOWN if latency_ms < baseline_ms else BASELINE_UP
    state = replace(state, latency_ms=latency_ms, baseline_ms=baseline_ms + gain * (latency_ms - baseline_ms))
    return _cut(rules, state, now, SOFT_FREEZE_MS, "latency") if slow and rules.latency else state


def _cut(rules: BrakeRules, state: BrakeState, now: int, freeze_ms: int, reason: str) -> BrakeState:
    state = _freeze(state, now, freeze_ms)
    wait_ms = JUDGE_MS if reason == "load" else ECHO_MS
    if state.halved_at is not None and now - state.halved_at < wait_ms:
        return state
    level = max(min(rules.floor, 1.0), state.level / 2)
    return replace(state, level=level, halved_at=now, stepped_at=now, reason=reason)


def _freeze(state: BrakeState, now: int, freeze_ms: int) -> BrakeState:
    return replace(state, frozen_until_at=max(state.frozen_until_at, now + freeze_ms))


def _release(state: BrakeState, now: int) -> BrakeState:
    """Step up for all the time that has passed since the freeze ended or the last step, so that a forecast may take long strides."""
    if state.level >= 1.0 or now < state.frozen_until_at:
        return state
    if state.stepped_at is None:
        return replace(state, stepped_at=now)
    since = max(state.frozen_until_at, state.stepped_at)
    steps = max(0, now - since) // STEP_MS
    if steps == 0:
        return state
    level = min(1.0, state.level + STEP * steps)
    return replace(
        state, level=level, stepped_at=since + steps * STEP_MS, reason="" if level >= 1 else state.reason
    )
