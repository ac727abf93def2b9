"""dramatiq's worker, which stops without waiting until its idle threads look up: there is one a session, so they sleep long.

It must not take anything away from threads that are at work: those end when their actor does, or when the time given is over.
"""

from queue import Empty, PriorityQueue
from time import monotonic
from typing import Any

from dramatiq.worker import Worker

from workers.broker import WorkBroker


class WakeableQueue(PriorityQueue[Any]):
    """A queue whose waiting takers can all be sent away at once."""

    _is_closed = False

    def close(self) -> None:
        """From now on who would wait hears that there is nothing."""
        with self.mutex:
            self._is_closed = True
            self.not_empty.notify_all()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the first item; raises Empty after `timeout` s, or at once where the queue is empty and closed."""
        with self.not_empty:
            self.not_empty.wait_for(lambda: self._qsize() or self._is_closed, timeout if block else 0)
            if not self._qsize():
                raise Empty
            item = self._get()
            self.not_full.notify()
            return item


class PromptWorker(Worker):
    """A worker on our broker."""

    def __init__(self, broker: WorkBroker, *, listen_ms: int, threads: int) -> None:
        """Take so many threads; a queue is looked at so often where no ring is heard (ms)."""
        super().__init__(broker, worker_timeout=listen_ms, worker_threads=threads)
        self.work_queue = self._wakeable = WakeableQueue()
        self._bells = broker

    def stop(self, timeout: int = 600_000) -> None:
        """Stop politely, within so many ms: threads first, then consumers (which keep messages alive until then)."""
        until = monotonic() + timeout / 1000
        for thread in self.workers:
            thread.stop()
        self._wakeable.close()
        for thread in self.workers:
            thread.join(max(0.0, until - monotonic()))
        for consumer in self.consumers.values():
            consumer.stop()
        # told first and woken then: one that just falls asleep finds its bell rung
        self._bells.heed_ring("")
        super().stop(round(max(0.0, until - monotonic()) * 1000))
