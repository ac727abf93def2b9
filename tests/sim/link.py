"""The link between a worker host and the registrar: how long it takes, what it loses, and for how long it is in trouble."""

import random
from dataclasses import dataclass, field
from typing import Protocol

from tests.sim.registrar import Registrar
from tests.sim.virtual_loop import VirtualLoop


@dataclass
class Link:
    """How the network between one host and the registrar is, until when (virtual s)."""

    rng: random.Random
    base_s: float
    longest_s: float
    stalled_until: float = 0.0
    slow_until: float = 0.0
    lossy_until: float = 0.0
    repeating_until: float = 0.0
    cut_until: float = 0.0
    #: what was sent stands before the registrar's door until then, and comes in at one instant
    held_until: float = 0.0
    #: which of the registrar's or the network's doings befell this link
    seen: set[str] = field(default_factory=set)

    def delay(self, now: float) -> float:
        """Return how long a packet takes that leaves now."""
        delay = self.base_s * self.rng.uniform(0.5, 1.5)
        if now < self.slow_until:
            delay += self.rng.uniform(0.1, 1.5)
        if now < self.stalled_until:
            self.seen.add("stall then flush")
            delay += self.stalled_until - now
        return min(delay, self.longest_s)

    def holds(self, now: float) -> float:
        """Return for how long what comes to the door now stands there (s)."""
        if now < self.held_until:
            self.seen.add("held at the door")
        return max(0.0, self.held_until - now)

    def loses(self, now: float) -> bool:
        """Say whether a packet that leaves now is lost for good."""
        return now < self.cut_until or (now < self.lossy_until and self.rng.random() < 0.15)


class Exchange(Protocol):
    """One request under way."""

    ended: bool
    session_name: str

    def reset(self, *, kept: bool | None = None) -> None:
        """Break its connection."""

    def close_there(self) -> None:
        """Have the registrar say that the session is over."""


class Way(Protocol):
    """What one host's requests share on their way to the registrar."""

    loop: VirtualLoop
    link: Link
    registrar: Registrar
    answer_timeout_s: float

    def note(self, exchange: Exchange) -> None:
        """Know of one request more."""

    def take_kept(self) -> bool:
        """Take a connection that an earlier request gave back, if one stands."""
        ...

    def keep(self) -> None:
        """Give a connection back."""
