"""How many rows files have that nobody has checked yet, for forecasts: the heads of their sealed tables say so."""

from domain.errors import NotFound, SealBroken
from domain.jobs import Job
from intake.spooled import rows_waiting
from pratunam.parts import Parts


class RowsWaiting:
    """Tells rows job by job; each head is opened once."""

    def __init__(self, parts: Parts) -> None:
        """Read this installation's spool."""
        self._parts = parts
        self._known: dict[str, int] = {}

    async def __call__(self, job: Job) -> int:
        """Return the rows of one file; 0 for one that has just been erased or cannot be opened."""
        if job.job not in self._known:
            try:
                self._known[job.job] = await rows_waiting(job, self._parts.spool, self._parts.keys)
            except (NotFound, SealBroken):
                self._known[job.job] = 0
        return self._known[job.job]
