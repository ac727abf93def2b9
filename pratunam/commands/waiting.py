"""Follows one job to its end: a live line on a terminal that knows about windows, silence elsewhere."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from domain.jobs import Job
from domain.states import JobState
from pratunam.commands.endings import DONE, FAILED, SOME_REJECTED, WRONG
from pratunam.commands.frame import Frame
from pratunam.outlook import Outlook, outlook_text
from pratunam.outlooks import Outlooks
from pratunam.parts import Parts

#: between two looks at the ledger (s)
_LOOK_EVERY_S = 0.5
#: looks over which the pace is told
_PACE_LOOKS = 20
_UNCHECKED = frozenset({JobState.RECEIVED, JobState.CHECKING})


def has_ended(job: Job) -> bool:
    """Say whether waiting is over: nothing more happens by itself. A job that waits for people counts as well."""
    return job.state in {JobState.FINISHED, JobState.CANCELLED, JobState.REFUSED, JobState.PAUSED}


def exit_code(job: Job) -> int:
    """Return the exit code of a job at its end."""
    if job.state is JobState.REFUSED:
        return WRONG
    if job.state is not JobState.FINISHED:
        return FAILED
    return SOME_REJECTED if job.invalid or job.records.rejected or job.records.doubtful else DONE


async def wait_for(frame: Frame, parts: Parts, job: Job) -> Job:
    """Return the job once it has ended."""
    found, outlooks = job, Outlooks(parts)
    with _line(shown=frame.is_terminal) as line:
        while not has_ended(found):
            if line:
                outlook = await outlooks.of_job(found) if found.state not in _UNCHECKED else None
                line.show(found, outlook, parts.clock.now())
            await asyncio.sleep(_LOOK_EVERY_S)
            found = await parts.ledger.job(found.job)
    return found


class _Line:
    """One bar with its words."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("", total=None, words="")
        self._outlook: Outlook | None = None
        self._seen: deque[tuple[int, int]] = deque(maxlen=_PACE_LOOKS)

    def show(self, job: Job, outlook: Outlook | None, now: int) -> None:
        self._outlook = outlook or self._outlook
        done = job.rows - job.records.pending - job.records.unknown
        self._seen.append((now, done))
        words = "checking the file · กำลังตรวจแฟ้ม" if job.state in _UNCHECKED else job.state.value
        if self._outlook is not None and job.state not in _UNCHECKED:
            words = " · ".join(outlook_text(self._outlook, now, self._pace()))
        self._progress.update(
            self._task, description=job.job, total=job.rows or None, completed=done, words=words
        )

    def _pace(self) -> float:
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        return 1000 * (last - first) / (last_at - first_at) if last_at > first_at else 0.0


@contextmanager
def _line(*, shown: bool) -> Iterator[_Line | None]:
    if not shown:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows, {task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Line(progress)
