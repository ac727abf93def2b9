"""The closed sets behind labels: what the registrar or a library says freely becomes `other` before it is counted or logged."""

from domain.quota import BoundBy
from domain.states import AccountState, JobState, RecordState
from domain.wire import Scope

OTHER = "other"

OUTCOMES = frozenset(state.name.lower() for state in RecordState)
JOB_STATES = frozenset(state.value for state in JobState)
ACCOUNT_STATES = frozenset(state.value for state in AccountState)
BOUNDS = frozenset(bound.value for bound in BoundBy)
SCOPES = frozenset(scope.value for scope in Scope)
CHANNELS = frozenset({"folder", "smtp", "webhook"})
DELIVERIES = frozenset({"waiting", "failing"})
ACTORS = frozenset({"run_session", "check_job", "check_large_job", "send_notice"})
#: why a session is over
ENDINGS = frozenset(
    {"turn", "empty", "window", "lease", "ending", "pushback", "fault", "refused", "stopping"}
)
#: why an account was set aside
SET_ASIDE = frozenset({"bad-credentials", "account-suspended", "session-ended"})
#: why a generation began
GENERATION_REASONS = frozenset({"redis", "older", "restored"})
#: what the registrar says when it wants less: codes of the protocol, and what the gate makes of an exchange without one
PUSHBACKS = frozenset(
    {
        "busy", "overloaded", "too-fast", "too-many-sessions", "window-closed", "session-ended", "account-suspended",
        "bad-credentials", "too-large", "unsupported-type", "malformed", "finished", "broken", "unreachable", "silence",
        "aborted", "unreadable", "not-offered", "lease-lost", "end", "status-429", "status-500", "status-502",
        "status-503", "status-504", "unavailable",
    }
)  # fmt: skip
#: why a loop's round failed, by the error's class or code
_FAILURES = {
    "GateLost": "gate",
    "gate-lost": "gate",
    "Busy": "ledger",
    "busy": "ledger",
    "OperationalError": "ledger",
    "DatabaseError": "ledger",
    "SealBroken": "seal",
    "seal-broken": "seal",
    "WireFault": "registrar",
    "wire-fault": "registrar",
    "TimeoutError": "time",
}
FAILURES = frozenset({*_FAILURES.values(), OTHER})


def closed(value: str, allowed: frozenset[str]) -> str:
    """Return `value` where it belongs to the set, else `other`."""
    return value if value in allowed else OTHER


def failure(error: str) -> str:
    """Return what kind of failure an error's class or code is."""
    return _FAILURES.get(error, OTHER)
