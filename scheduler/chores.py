"""What else the leading scheduler sees to: files that wait for their check, notices that are due, contents whose time is over."""

from collections.abc import Awaitable, Callable

from domain.errors import Busy, Conflict
from ledger.values import Standing
from scheduler.registry_round import Parts
from scheduler.rings import PatientRings

#: contents that are kept long enough are looked for so often, in ms
ERASE_EVERY_MS = 60_000

#: deletes a blob from the spool; nothing happens when it is gone
ForgetBlob = Callable[[str], Awaitable[None]]


class Chores:
    """One round of them is a few indexed reads."""

    def __init__(self, parts: Parts, forget_blob: ForgetBlob | None = None) -> None:
        """Nothing has been rung or erased; `forget_blob` takes what the spool keeps of an erased job away."""
        self._parts = parts
        self._forget_blob = forget_blob
        self._checks = PatientRings(parts.doorbell.check_job)
        self._notices = PatientRings(parts.doorbell.send_notice)
        self._looked_at: int | None = None
        self._erasable: list[str] = []

    async def run(self, standing: Standing, now: int) -> None:
        """Ring for what waits, and erase what is due."""
        monotonic = self._parts.clock.monotonic()
        self._checks.ring(standing.unchecked_jobs, monotonic)
        self._notices.ring(standing.due_notices, monotonic)
        if self._looked_at is None or monotonic - self._looked_at >= ERASE_EVERY_MS:
            self._looked_at = monotonic
            self._erasable = list(await self._parts.ledger.due_for_erasure(now))
            await self._forget_copy(now)
        if self._erasable:
            await self._erase(self._erasable.pop(0), now)

    async def _forget_copy(self, now: int) -> None:
        copy = await self._parts.ledger.restored()
        if copy is not None and copy.is_over(now):
            await self._parts.ledger.forget_restored(self._parts.by, now)

    async def _erase(self, job: str, now: int) -> None:
        """Erase one job: a large one takes its time, and the rounds of all registries wait for it."""
        try:
            erased = await self._parts.ledger.erase(job, self._parts.by, now)
        except (Busy, Conflict):
            # Its log is being read, or one of its records was sent again meanwhile: its time comes with a later look.
            return
        if self._forget_blob is not None:
            await self._forget_blob(erased.blob)
