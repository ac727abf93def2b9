"""What the decision looks at, as frozen plain values; `loop` reads them from ledger, quotas and policy, `planner` makes them up.

Nothing here computes or does I/O. Rates are records a second, durations ms, instants ms since the epoch.
"""

from dataclasses import dataclass

#: how long the scheduler lets a decision stand, in ms
ROUND_MS = 250


@dataclass(frozen=True, slots=True)
class LiveSession:
    """One session that holds a lease: since when, whether it has been told to end, and whether its account is an added one."""

    account: str
    since_at: int
    ending: bool = False
    added: bool = False


@dataclass(frozen=True, slots=True)
class PartyView:
    """One party that has something to send.

    `sendable`: records that could leave now (ready, or claimed and not yet sent); `pending`: all it still has; `in_hand`: sendable ones
    that are claimed, which their session alone can send.
    `accounts`: active ones that no quarantine keeps; `quarantined`: those it keeps.
    `open_ms`: how long it may draw from now on, guard and clocks allowed for, 0 = closed.
    `level`: what stands in its bucket, `standing`: what stands in its accounts' buckets (both without what is outstanding).
    `deadline_open_ms`: open time left to the registrar's deadline (0 = no deadline, or it has passed).
    `waiting_since_at`: since when it wants a session and has none.
    """

    party: str
    sendable: int
    accounts: int
    open_ms: int
    pending: int = 0
    in_hand: int = 0
    quarantined: int = 0
    held: bool = False
    weight: float = 1.0
    floor: float = 0.0
    rate: float | None = None
    burst: int | None = None
    level: float = 0.0
    standing: float = 0.0
    outstanding: int = 0
    sessions: tuple[LiveSession, ...] = ()
    waiting_since_at: int | None = None
    deadline_open_ms: int = 0


@dataclass(frozen=True, slots=True)
class RegistryView:
    """One registry: what policy grants, what the brake leaves of it, what stands in its bucket (outstanding taken off).

    `lost_sessions`: sessions that count against the cap and that no party of the snapshot
    can use: those not known to be closed, and those of parties that have nothing left. `paused`: its own Retry-After still binds.
    `is_fluid`: the forecast's steps are longer than turns: sessions are shared out in fractions instead of in turns.
    """

    registry: str
    rate: float
    burst: int
    sessions: int
    account_rate: float
    account_burst: int
    turn_ms: int = 10_000
    brake: float = 1.0
    available: float = 0.0
    lost_sessions: int = 0
    latency_ms: float = 0.0
    held: bool = False
    paused: bool = False
    is_fluid: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one decision looks at. Parties without anything to send need not be here."""

    registry: RegistryView
    parties: tuple[PartyView, ...]
