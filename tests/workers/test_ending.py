"""The protocol's tables of ends and refusals, row by row."""

import pytest

from domain.wire import End, LoginRefused, Scope
from workers.ending import (
    CLOSED_PAUSE_MS,
    FAULT_PAUSE_MS,
    LONGEST_CLOSED_MS,
    PAUSE_MS,
    Push,
    Reason,
    Verdict,
    after_end,
    after_refusal,
    closed_pause,
)

NOW = 1_767_225_600_000


def end(
    code: str, *, progressed: bool = True, hiccups: int = 0, expired: bool = False, **of: object
) -> Verdict:
    """What follows from an end."""
    given = End(code, **of)  # type: ignore[arg-type]  # the fields as the test names them
    return after_end(given, progressed=progressed, hiccups=hiccups, expired=expired, registrar_now=NOW)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (end("finished"), Verdict(None)),
        (end("broken", clean=False), Verdict(Reason.FAULT, Push(Scope.ACCOUNT, FAULT_PAUSE_MS))),
        (
            end("status-500", clean=False, retry_after_ms=7000),
            Verdict(Reason.FAULT, Push(Scope.ACCOUNT, 7000)),
        ),
        (end("session-ended"), Verdict(Reason.REFUSED, set_aside="session-ended")),
        (end("session-ended", expired=True), Verdict(Reason.TURN)),
        (end("account-suspended"), Verdict(Reason.REFUSED, set_aside="account-suspended")),
        (
            end("window-closed", scope=Scope.PARTY, opens_at=NOW + 9000),
            Verdict(Reason.WINDOW, Push(Scope.PARTY, 9000)),
        ),
        (
            end("too-fast", scope=Scope.PARTY, retry_after_ms=200),
            Verdict(None, Push(Scope.PARTY, 200), 200, "", True),
        ),
        (end("overloaded"), Verdict(None, Push(Scope.REGISTRY, PAUSE_MS), PAUSE_MS, "", True)),
        (
            end("overloaded", retry_after_ms=60_000),
            Verdict(Reason.PUSHBACK, Push(Scope.REGISTRY, 60_000), 0, "", True),
        ),
        (end("unreachable", progressed=False, hiccups=1), Verdict(None, wait_ms=300)),
        (
            end("unreachable", progressed=False, hiccups=4),
            Verdict(Reason.FAULT, Push(Scope.ACCOUNT, 3 * FAULT_PAUSE_MS)),
        ),
        (end("too-large"), Verdict(None)),
    ],
)
def test_each_end_has_its_consequence(verdict: Verdict, expected: Verdict) -> None:
    """What the table of section 2 says is what the session does."""
    assert verdict == expected


def test_a_request_that_is_never_taken_does_not_go_round_for_ever() -> None:
    """A refusal without any progress frees the account for a while."""
    assert end("too-large", progressed=False).leave is Reason.REFUSED
    assert end("unsupported-type").leave is Reason.REFUSED


@pytest.mark.parametrize(
    ("refused", "leave", "push", "set_aside"),
    [
        (LoginRefused("bad-credentials"), Reason.REFUSED, None, "bad-credentials"),
        (LoginRefused("account-suspended"), Reason.REFUSED, None, "account-suspended"),
        (LoginRefused("window-closed", opens_at=NOW + 5), Reason.WINDOW, Push(Scope.PARTY, 5), ""),
        (LoginRefused("too-many-sessions", 4000), Reason.PUSHBACK, Push(Scope.ACCOUNT, 4000), ""),
        (LoginRefused("overloaded", 4000), Reason.PUSHBACK, Push(Scope.REGISTRY, 4000), ""),
        (LoginRefused("overloaded", 4000, scope=Scope.PARTY), Reason.PUSHBACK, Push(Scope.PARTY, 4000), ""),
        (LoginRefused("unreachable"), Reason.FAULT, Push(Scope.ACCOUNT, 3000), ""),
    ],
)
def test_each_refused_log_in_has_its_consequence(
    refused: LoginRefused, leave: Reason, push: Push | None, set_aside: str
) -> None:
    """What the table of section 1 says is what the session does."""
    verdict = after_refusal(refused, NOW)
    assert (verdict.leave, verdict.push, verdict.set_aside) == (leave, push, set_aside)


def test_a_closed_window_is_left_alone_until_it_opens() -> None:
    """`opens_at` counts first, then `retry_after`, then half a minute; never longer than five minutes."""
    assert closed_pause(5_000, NOW + 60_000, NOW) == 60_000
    assert closed_pause(5_000, NOW - 1, NOW) == 5_000
    assert closed_pause(None, None, NOW) == CLOSED_PAUSE_MS
    assert closed_pause(None, NOW + 10 * LONGEST_CLOSED_MS, NOW) == LONGEST_CLOSED_MS == 300_000
    assert closed_pause(86_400_000, None, NOW) == LONGEST_CLOSED_MS
