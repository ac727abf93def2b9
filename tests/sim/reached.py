"""What a soak should have seen at least once, and what it has not. Names only; a state that is never reached proves nothing."""

from collections import Counter
from collections.abc import Sequence

from domain.states import RECORD_MOVES, Shape
from tests.sim.scenario import KINDS
from workers.ending import Reason

_NETWORK = (
    "held at the door",
    "bytes lost", "late delivery", "lost exchange", "reset after delivery", "reset before delivery", "silence", "stall then flush",
)  # fmt: skip
_SESSIONS = ("logged out", "superseded", "expired", "restart", "ended by the registrar", "someone else")
_REST = (
    "registrar: 500 after the effect", "registrar: duplicate", "registrar: login overloaded", "registrar: 413 too large",
    "disk: commit failed", "disk: commit not heard of", "account set aside", "cancelled and handed in again",
    "file handed in again that the copy lacked", "people answered for a doubtful record",
)  # fmt: skip

#: every edge of a record's states, every kind of fault, every way a session ends, every shape, and what only bad luck brings about
EXPECTED: Sequence[str] = (
    *(
        f"record: {before.name.lower()} to {after.name.lower()}"
        for before, following in RECORD_MOVES.items()
        for after in sorted(following)
    ),
    *(
        f"fault: {kind}"
        for kind in (*dict.fromkeys(KINDS), "ledger restored", "registrar stands still", "link holds")
    ),
    *(f"network: {what}" for what in _NETWORK),
    *(f"session at the registrar: {why}" for why in _SESSIONS),
    *(f"SessionEnded {reason.value}" for reason in Reason),
    *(f"shape: {shape.value}" for shape in Shape),
    *_REST,
)


def summary(sometimes: Counter[str]) -> list[str]:
    """Return what was reached, how often, and by name what was not."""
    missing = [name for name in EXPECTED if not sometimes[name]]
    return [
        "sometimes:",
        *(f"  {name}: {count}" for name, count in sorted(sometimes.items()) if count),
        f"reached {len(EXPECTED) - len(missing)} of {len(EXPECTED)} that should be",
        *(f"  never reached: {name}" for name in missing),
    ]
