"""What was done and what came of it, kind by kind: a fault that was not done is never counted."""

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg
import redis

from domain.errors import Busy
from tests.gauntlet.kinds import Broken, NotInjected


@dataclass(slots=True)
class Tally:
    """How often each kind was done, why some were not, and what was broken."""

    tell: Callable[[str], None] = lambda _: None
    counts: Counter[str] = field(default_factory=Counter)
    not_run: dict[str, str] = field(default_factory=dict)
    broken: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def of(self, name: str, doing: Awaitable[None]) -> None:
        """Do one fault, and write down what came of it."""
        began = time.monotonic()
        self.tell(f"{name} …")
        outcome = "done"
        try:
            await doing
        except NotInjected as reason:
            self.not_run.setdefault(name, str(reason))
            self.tell(f"{name}: not run, {reason}")
            return
        except (Busy, redis.RedisError, psycopg.OperationalError) as gone:
            # another fault was faster: what this one works with is away itself
            self.not_run.setdefault(name, f"{type(gone).__name__} at this moment")
            self.tell(f"{name}: not run, {type(gone).__name__}")
            return
        except Broken as told:
            outcome = str(told)
        except Exception as error:  # noqa: BLE001 -- whatever a fault meets is told in its row, and the run goes on
            outcome = f"{type(error).__name__}: {error}"
        if outcome != "done":
            self.broken[name].append(outcome)
        self.counts[name] += 1
        self.tell(f"{name}: {outcome}, {time.monotonic() - began:.1f} s")
