"""The scheduler: leads or stands by; as leader runs a round of every registry and says how long to sleep.

One leads, by a lease of 2 s in the gate; its epoch stands in every write, so that one who slept through its lease and wakes
cannot overwrite the next one's shares. A standby knows nothing and reads everything when it takes over.
`run_once` is run by `domain.loop.Loop`, whose `wake` cuts a sleep short when something happened.
"""

from collections.abc import Sequence

from domain.clock import Clock
from domain.errors import GateLost
from domain.events import Emit, LoopFailed
from domain.jobs import By
from domain.policy import PolicyVersion
from domain.ports import Doorbell
from domain.quota import Quotas
from ledger.protocols import Ledger
from ledger.values import HoldRow
from scheduler.chores import Chores, ForgetBlob
from scheduler.registry_round import LOOK_MS, Parts, RegistryRound

#: the leader's lease, in ms
LEAD_MS = 2_000
#: policy, holds, files to check and notices are looked for so often, and whenever a sleep was cut short, in ms
READ_MS = 500
#: rounds begin so far apart, in s: when a file is done its party's sessions end one after another, and each end wakes the scheduler
SOONEST_S = 0.1
#: who comes sooner than this before its time was woken, in ms
EARLY_MS = 20
#: a standby asks again after so long, in s
STAND_BY_S = 0.5
#: after the gate was lost, in s
GATE_LOST_S = 0.3
#: a leader whose rounds have failed for so long steps aside until its lease has ended and a standby has asked, in ms
FAILING_MS, ASIDE_MS = 1_000, LEAD_MS + 1_000


class Scheduler:
    """Decides who goes next and how fast, in every registry of the policy in force."""

    def __init__(
        self,
        ledger: Ledger,
        quotas: Quotas,
        doorbell: Doorbell,
        clock: Clock,
        emit: Emit,
        holder: str,
        forget_blob: ForgetBlob | None = None,
    ) -> None:
        """Stand by; `holder` names this process in the leader's lease, `forget_blob` deletes an erased job's file from the spool."""
        self._parts = Parts(ledger, quotas, doorbell, clock, emit, By("scheduler", holder))
        self._holder = holder
        self._forget_blob = forget_blob
        self._epoch: int | None = None
        self._rounds: dict[str, RegistryRound] = {}
        self._chores = Chores(self._parts, self._forget_blob)
        self._version: PolicyVersion | None = None
        self._holds: Sequence[HoldRow] = ()
        self._read_at = self._due_at = 0
        self._failing_since: int | None = None
        self._aside_until = 0

    @property
    def is_leading(self) -> bool:
        """Whether the last round was led."""
        return self._epoch is not None

    async def run_once(self) -> float:
        """Run one round of everything; returns the seconds to sleep."""
        if self._parts.clock.monotonic() < self._aside_until:
            return STAND_BY_S
        try:
            epoch = await self._parts.quotas.lead(self._holder, LEAD_MS)
            if epoch is None:
                self._failing_since = None
                self._stand_by()
                return STAND_BY_S
            sleep_s = await self._lead(epoch)
        except GateLost as error:
            self._parts.emit(LoopFailed(loop="scheduler", error=type(error).__name__))
            return GATE_LOST_S
        except Exception:
            self._step_aside_if_failing()
            raise
        self._failing_since = None
        return sleep_s

    def _step_aside_if_failing(self) -> None:
        """Let another lead: one who reaches the gate and not the ledger would keep its lease for ever, and nobody would decide."""
        now = self._parts.clock.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= FAILING_MS:
            self._failing_since = None
            self._aside_until = now + ASIDE_MS
            self._stand_by()

    def _stand_by(self) -> None:
        self._epoch = None
        self._rounds = {}
        self._chores = Chores(self._parts, self._forget_blob)
        self._version = None

    async def _lead(self, epoch: int) -> float:
        if epoch != self._epoch:
            self._stand_by()
            # a ledger that was put back from a copy gives nothing out before this
            await self._parts.ledger.ask_about_restored(self._parts.by, self._parts.clock.now())
            self._epoch = epoch
        now, monotonic = self._parts.clock.now(), self._parts.clock.monotonic()
        if self._version is None or monotonic < self._due_at or monotonic >= self._read_at + READ_MS:
            self._read_at = monotonic
            standing = await self._parts.ledger.standing(now)
            # Rings for checks and notices need no registry that works.
            await self._chores.run(standing, now)
            self._version, self._holds = standing.policy, standing.holds
        sleep_ms = LOOK_MS
        if self._version is not None:
            sleep_ms = await self._run_rounds(self._version, epoch)
        self._due_at = self._parts.clock.monotonic() + sleep_ms - EARLY_MS
        return sleep_ms / 1000

    async def _run_rounds(self, version: PolicyVersion, epoch: int) -> int:
        registries = version.policy.registries
        self._rounds = {name: one for name, one in self._rounds.items() if name in registries}
        sleep_ms = LOOK_MS
        for name in registries:
            one = self._rounds.setdefault(name, RegistryRound(name, self._parts))
            sleep_ms = min(sleep_ms, await one.run(version, self._holds, epoch, self._parts.clock.now()))
        return sleep_ms
