"""How an exchange's end is read: go on, or leave, why, and whom to tell. Pure; the table of registrar-protocol.md section 2."""

from dataclasses import dataclass
from enum import StrEnum

from domain.wire import End, LoginRefused, Scope

#: a pause up to this is waited for inside the session (ms); a longer one frees the account
WAIT_INSIDE_MS = 5_000
#: when the registrar says slow down without saying how long (ms)
PAUSE_MS = 1_000
#: when it is closed and does not say until when (ms)
CLOSED_PAUSE_MS = 30_000
#: before an account is tried again after a broken exchange (ms)
FAULT_PAUSE_MS = 1_000
#: before a request that the registrar would not take is tried again (ms)
REFUSED_PAUSE_MS = 30_000
#: a closed window is asked about again after so long at the latest (ms): the policy knows the window, a far word may be a mistake
LONGEST_CLOSED_MS = 300_000


class Reason(StrEnum):
    """Why a session is over; the closed set of `SessionEnded.reason`."""

    TURN = "turn"
    EMPTY = "empty"
    WINDOW = "window"
    LEASE = "lease"
    ENDING = "ending"
    PUSHBACK = "pushback"
    FAULT = "fault"
    REFUSED = "refused"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Push:
    """A pause to be told to the gate."""

    scope: Scope
    pause_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an end: `leave` None = open another exchange after `wait_ms`; `set_aside`: the account needs people."""

    leave: Reason | None
    push: Push | None = None
    wait_ms: int = 0
    set_aside: str = ""
    is_pushback: bool = False


def after_end(end: End, *, progressed: bool, hiccups: int, expired: bool, registrar_now: int) -> Verdict:
    """Say what an exchange's end means; `hiccups` counts ends without progress in a row, `expired`: the session was idle too long."""
    if not end.clean:
        return Verdict(Reason.FAULT, Push(Scope.ACCOUNT, end.retry_after_ms or FAULT_PAUSE_MS))
    if end.code == "session-ended" and expired:
        return Verdict(Reason.TURN)
    if end.code in ("session-ended", "account-suspended"):
        return Verdict(Reason.REFUSED, set_aside=end.code)
    if end.code == "window-closed":
        return Verdict(
            Reason.WINDOW, Push(end.scope, closed_pause(end.retry_after_ms, end.opens_at, registrar_now))
        )
    if end.code in ("finished", "too-large") and progressed:
        return Verdict(None)
    if end.code in ("too-large", "unsupported-type"):
        return Verdict(Reason.REFUSED, Push(Scope.ACCOUNT, REFUSED_PAUSE_MS))
    if end.code in ("finished", "broken", "unreachable", "silence", "aborted"):
        tired = Verdict(Reason.FAULT, Push(Scope.ACCOUNT, 3 * FAULT_PAUSE_MS))
        return tired if hiccups > 3 else Verdict(None, wait_ms=100 * 3**hiccups)
    return _pushback(end)


def _pushback(end: End) -> Verdict:
    """Slow down: wait inside the session when the pause is short, else free the account."""
    pause = end.retry_after_ms if end.retry_after_ms is not None else PAUSE_MS
    if pause <= WAIT_INSIDE_MS:
        return Verdict(None, Push(end.scope, pause), wait_ms=pause, is_pushback=True)
    return Verdict(Reason.PUSHBACK, Push(end.scope, pause), is_pushback=True)


def after_refusal(refused: LoginRefused, registrar_now: int) -> Verdict:
    """Say what a refused log-in means (section 1)."""
    if refused.code in ("bad-credentials", "account-suspended"):
        return Verdict(Reason.REFUSED, set_aside=refused.code)
    if refused.code == "window-closed":
        pause = closed_pause(refused.retry_after_ms, refused.opens_at, registrar_now)
        return Verdict(Reason.WINDOW, Push(refused.scope or Scope.PARTY, pause))
    pause = refused.retry_after_ms if refused.retry_after_ms is not None else 3 * PAUSE_MS
    if refused.code == "too-many-sessions":
        return Verdict(Reason.PUSHBACK, Push(refused.scope or Scope.ACCOUNT, pause), is_pushback=True)
    if refused.code == "overloaded":
        return Verdict(Reason.PUSHBACK, Push(refused.scope or Scope.REGISTRY, pause), is_pushback=True)
    return Verdict(Reason.FAULT, Push(Scope.ACCOUNT, pause))


def closed_pause(retry_after_ms: int | None, opens_at: int | None, registrar_now: int) -> int:
    """Return how long to stay away from a closed window (ms)."""
    if opens_at is not None and opens_at > registrar_now:
        return min(opens_at - registrar_now, LONGEST_CLOSED_MS)
    return min(retry_after_ms, LONGEST_CLOSED_MS) if retry_after_ms is not None else CLOSED_PAUSE_MS
