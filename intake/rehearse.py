"""The child's dry run: a source is read and checked chunk by chunk, and only counts and row numbers come of it."""

import os
from pathlib import Path

from intake.check import done, hear_others
from intake.frames import (
    AnyMessage,
    DryTask,
    FaultRows,
    Go,
    Look,
    Message,
    Pipes,
    ReadDone,
    TableChunk,
    WantOthers,
)
from intake.persons import Persons
from intake.read import read
from intake.rows import FaultTold, Rows, tell_faults
from profiles import book
from profiles.profile import CheckContext


def rehearse(task: DryTask, pipes: Pipes) -> None:
    """Read and check one source, and say what a submission of it would meet; raises BadFile."""
    stage = _Stage(task, pipes)
    read(task.reading, stage, stage.take)
    stage.end()


class _Stage(Pipes):
    """Stands between the reader and the parent: looks pass, rows are checked and forgotten."""

    def __init__(self, task: DryTask, pipes: Pipes) -> None:
        self._task = task
        self._pipes = pipes
        self._look: Look | None = None
        self._rows: Rows | None = None
        self._told: FaultTold | None = None
        self._read: ReadDone | None = None
        # else a key of the moment: nothing that is hashed with it outlives this process
        key = task.blind_key or os.urandom(32)
        self._persons = Persons(Path(task.scratch), key, task.registry, task.party, task.reading.max_rows)

    def hear(self) -> AnyMessage:
        message = self._pipes.hear()
        if isinstance(message, Go):
            self._begin(message)
        return message

    def say(self, message: Message) -> None:
        if isinstance(message, Look):
            self._look = message
        self._pipes.say(message)

    def _begin(self, leave: Go) -> None:
        assert self._look is not None
        task = self._task
        context = CheckContext(task.today, leave.operation, leave.declared, task.test_ids, task.party)
        profile = book.profile(task.reading.profile)
        self._rows = Rows(profile, context, self._look.columns, self._look.matched)
        self._told = FaultTold(self._rows, _forget)

    def take(self, message: TableChunk | ReadDone) -> None:
        if isinstance(message, ReadDone):
            self._read = message
            return
        assert self._rows is not None
        assert self._told is not None
        frame = self._rows.frame(message)
        checked = self._rows.check(frame, odd=message.odd)
        tell_faults(self._told, checked, message, frame["_row"])
        self._persons.add(checked.good, checked.good["body"].to_list(), message, frame["_row"])
        self._persons.add_named(checked.named, message, frame["_row"])

    def end(self) -> None:
        assert self._read is not None
        assert self._rows is not None
        assert self._told is not None
        for faults, row_of, again in self._persons.duplicates():
            self._told.tell(faults, row_of, again)
        if self._task.blind_key:
            self._pipes.say(WantOthers(self._persons.left))
            hear_others(self._pipes, self._persons)
            self._told.warnings.update(self._persons.tail().warnings)
        self._pipes.say(done(self._read.rows, self._persons.left, self._rows, self._told, self._read.notes))


def _forget(rows: FaultRows) -> None:
    """Keep no row."""
