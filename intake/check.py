"""The child's check of a spooled table: rows through the profile, persons against each other, good rows into slices.

It sees plain rows and blind hashes, holds no key of the job, and writes nothing that outlives it in the clear.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import polars as pl

from domain.slices import lines_of_a_slice
from intake.frames import (
    CheckDone,
    CheckTask,
    Given,
    Others,
    Pipes,
    TableChunk,
    Want,
    WantOthers,
)
from intake.held import HeldRows
from intake.limits import map_large, return_memory
from intake.persons import Persons
from intake.rows import POSITION, FaultTold, Rows, tell_faults
from intake.slices import Slicer
from profiles import book
from profiles.profile import CheckContext, Checked

#: chunks that the profile looks at while the one before is hashed and held
AHEAD = 1
#: bytes from which on a piece of memory goes back to the system when it is done with: a chunk is larger, a row's body is not
LARGE_BYTES = 1 << 20
_Kind = TypeVar("_Kind")


def check(task: CheckTask, pipes: Pipes) -> None:
    """Check the whole table: faults, then the party's other jobs, then slices, then the counts."""
    map_large(LARGE_BYTES)
    context = CheckContext(task.today, task.operation, task.declared, task.test_ids, task.party)
    rows = Rows(book.profile(task.profile), context, task.columns, task.matched)
    told = FaultTold(rows, pipes.say)
    persons = Persons(Path(task.scratch), task.blind_key, task.registry, task.party, task.rows)
    # blocks have the length of slices, should no row be invalid: most pass as they are
    held = HeldRows(Path(task.scratch), lines_of_a_slice(task.account_rate, task.rows, task.accounts))
    _first_pass(task, pipes, rows, told, persons, held)
    for faults, row_of, again in persons.duplicates():
        told.tell(faults, row_of, again)
    told.flush()
    pipes.say(WantOthers(persons.left))
    hear_others(pipes, persons)
    tail = persons.tail()
    told.warnings.update(tail.warnings)
    most = lines_of_a_slice(task.account_rate, persons.left, task.accounts)
    slicer = Slicer(pipes, persons, held, most)
    slicer.add_plain()
    for wanted in tail.rounds():
        slicer.add_tail(wanted)
    slicer.end()
    pipes.say(done(task.rows, slicer.lines, rows, told))


def hear_others(pipes: Pipes, persons: Persons) -> None:
    """Take the blind index of the party's other open jobs, as long as more comes."""
    while (others := _hear(pipes, Others)).index:
        persons.add_others(others)


def done(
    count: int, records: int, rows: Rows, told: FaultTold, notes: tuple[tuple[str, str], ...] = ()
) -> CheckDone:
    """Return the counts of a check that has come to its end."""
    return CheckDone(
        rows=count,
        invalid=told.invalid,
        records=records,
        faults=dict(told.by_code),
        warnings=dict(told.warnings),
        examples={code: tuple(found) for code, found in told.examples.items()},
        columns={code: tuple(found) for code, found in told.columns.items()},
        words={code: rows.words(code) for code in (*told.by_code, *told.warnings)},
        notes=(*notes, *rows.notes(told.warnings, told.examples)),
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """A chunk without its bytes: its rows' numbers, what the profile found, and the good rows' bodies, which stand nowhere else."""

    chunk: TableChunk
    numbers: pl.Series
    checked: Checked
    bodies: list[bytes]


def _first_pass(
    task: CheckTask, pipes: Pipes, rows: Rows, told: FaultTold, persons: Persons, held: HeldRows
) -> None:
    """Check every chunk: faults are told, persons noted, good rows held."""
    with ThreadPoolExecutor(1) as thread:
        for one in _looked(task, pipes, rows):
            putting = thread.submit(held.put, one.checked.good[POSITION].to_list(), one.bodies)
            tell_faults(told, one.checked, one.chunk, one.numbers)
            persons.add(one.checked.good, one.bodies, one.chunk, one.numbers)
            persons.add_named(one.checked.named, one.chunk, one.numbers)
            putting.result()
            # before the next but one is fetched, and whoever still has the list in hand: only two chunks are in memory at a time
            one.bodies.clear()
            del one
        held.end()
    return_memory()  # what comes needs other memory than what was


def _looked(task: CheckTask, pipes: Pipes, rows: Rows) -> Iterator[_Looked]:
    """Yield each chunk, in its order, with what the profile finds; the next is looked at meanwhile."""

    def look(chunk: TableChunk) -> _Looked:
        frame = rows.frame(chunk)
        checked = rows.check(frame, odd=chunk.odd)
        bodies = checked.good["body"].to_list()
        light = replace(checked, good=checked.good.drop("body"))
        return _Looked(msgspec.structs.replace(chunk, data=b""), frame["_row"], light, bodies)

    looks: deque[Future[_Looked]] = deque()
    with ThreadPoolExecutor(1) as thread:
        for number in range(1, task.chunks + 1):
            pipes.say(Want(number))
            looks.append(thread.submit(look, _hear(pipes, Given).chunk))
            if len(looks) > AHEAD:
                yield looks.popleft().result()
        while looks:
            yield looks.popleft().result()


def _hear(pipes: Pipes, kind: type[_Kind]) -> _Kind:
    message = pipes.hear()
    if not isinstance(message, kind):
        raise EOFError
    return message
