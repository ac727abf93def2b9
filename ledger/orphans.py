"""What a killed submit, or an erasure that was cut short, left behind: blobs and job keys that no job names. Sweeps them away.

A submit makes its key and its blob before the ledger knows its job, so age alone says that nobody is at work: a blob that nothing
was written to for a day and that was seen so before, a key without a blob that was seen for a day. The ledger is asked last. While
it stands in for a lost one (`Ledger.restored`) nothing is swept: a better copy may yet be put in place.
"""

import asyncio

from domain.clock import Clock
from domain.ports import Spool
from ledger.keystore import KeyStore
from ledger.protocols import Ledger

#: nothing younger is swept away, in ms: no submit takes so long between two chunks
SAFE_MS = 86_400_000
#: a blob must have been seen unnamed and unchanged for so long as well (ms, monotonic): clocks are set
SEEN_MS = 3_600_000
#: between two looks, in s
EVERY_S = 3_600.0


class Orphans:
    """Looks now and then; what it has seen is forgotten with its process, and only delays it."""

    def __init__(self, ledger: Ledger, keys: KeyStore, spool: Spool, clock: Clock) -> None:
        """Nothing has been seen."""
        self._ledger = ledger
        self._keys = keys
        self._spool = spool
        self._clock = clock
        self._blobs: dict[str, tuple[int, int]] = {}
        self._seen_keys: dict[str, int] = {}

    async def run_once(self) -> float:
        """Look once; returns the seconds until the next time."""
        await self.sweep()
        return EVERY_S

    async def sweep(self) -> int:
        """Look once; delete what has been nobody's for long enough. Returns how many blobs and keys went."""
        if await self._ledger.restored() is not None:
            self._blobs, self._seen_keys = {}, {}
            return 0
        return await self._sweep_blobs() + await self._sweep_keys()

    async def _sweep_blobs(self) -> int:
        now, seen_at = self._clock.now(), self._clock.monotonic()
        found = await self._spool.blobs()
        named = await self._ledger.named_blobs(list(found))
        before, self._blobs = self._blobs, {}
        swept = 0
        for blob, changed_at in found.items():
            if blob in named:
                continue
            known = before.get(blob)
            first_at = known[1] if known is not None and known[0] == changed_at else seen_at
            if now - changed_at < SAFE_MS or seen_at - first_at < SEEN_MS:
                self._blobs[blob] = (changed_at, first_at)
            elif not await self._ledger.named_blobs([blob]):
                await self._spool.delete(blob)
                swept += 1
        return swept

    async def _sweep_keys(self) -> int:
        seen_at = self._clock.monotonic()
        names = await asyncio.to_thread(self._keys.jobs)
        known = await self._ledger.known_jobs(names)
        with_blob = {blob.partition(".")[0] for blob in await self._spool.blobs()}
        before, self._seen_keys = self._seen_keys, {}
        swept = 0
        for job in names:
            if job in known or job in with_blob:
                continue
            first_at = before.get(job, seen_at)
            if seen_at - first_at < SAFE_MS:
                self._seen_keys[job] = first_at
            elif not await self._ledger.known_jobs([job]):
                await asyncio.to_thread(self._keys.destroy, job)
                swept += 1
        return swept
