"""The link between a worker host and the registrar: how long it takes, what it loses, and for how long it is in trouble."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from domain.wire import Answer, End

T = TypeVar("T")
Hear = Callable[[Sequence[Answer] | End], None]


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

    def loses(self, now: float) -> bool:
        """Say whether a packet that leaves now is lost for good."""
        return now < self.cut_until or (now < self.lossy_until and self.rng.random() < 0.15)
