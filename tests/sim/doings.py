"""What people and machines did to a simulated world, and when: for the judges, who must know what was asked of the gate."""

from dataclasses import dataclass, field


@dataclass
class Doings:
    """What people did, and when it bound (s). `holds`: (party or None, from, to or None)."""

    holds: list[tuple[str | None, float, float | None]] = field(default_factory=list)
    withdrawn: dict[str, float] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    #: cancelled jobs of which what was not processed was handed in again
    again: set[str] = field(default_factory=set)
    #: how often the gate's clock was stepped forward
    gate_leaps: int = 0
    #: stretches in which gate or schedulers were not all well
    rough: list[tuple[float, float]] = field(default_factory=list)
    #: worker hosts that stood still: which, from, to
    still: list[tuple[str, float, float]] = field(default_factory=list)
