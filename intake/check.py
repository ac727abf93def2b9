"""The child's check of a spooled table: rows through the profile, persons against each other, good rows into slices.

It sees plain rows and blind hashes, holds no key of the job, and writes nothing that outlives it in the clear.
"""

import io
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
import polars as pl

from domain.slices import lines_of_a_slice
from intake.faults import counted, place_label
from intake.frames import (
    CheckDone,
    CheckTask,
    FaultRows,
    FoundFault,
    FoundRow,
    Given,
    Others,
    Pipes,
    TableChunk,
    Want,
    WantOthers,
)
from intake.held import HeldRows
from intake.limits import return_memory
from intake.persons import Persons
from intake.slices import Slicer
from profiles import book
from profiles.profile import CheckContext, Checked, Profile

#: invalid rows of one batch
FAULT_ROWS = 2000
#: rows named as examples of a fault
EXAMPLES = 5
#: chunks that the profile looks at while the one before is hashed and held
AHEAD = 1
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_POSITION = "_position"
_Kind = TypeVar("_Kind")


class Rows:
    """The table's rows, by chunk, as the profile wants them."""

    def __init__(
        self, profile: Profile, context: CheckContext, columns: tuple[str, ...], matched: dict[str, str]
    ) -> None:
        """Know the columns; read nothing."""
        self._profile = profile
        self._fields = {column: name for name, column in matched.items()}
        self._columns = columns
        self._context = context
        self._matched = matched

    def frame(self, chunk: TableChunk) -> pl.DataFrame:
        """Return a chunk's rows: matched columns by their fields' names, the others as they are numbered."""
        frame = pl.read_ipc_stream(io.BytesIO(chunk.data))
        names = {
            f"c{at}": self._fields[column]
            for at, column in enumerate(self._columns)
            if column in self._fields
        }
        positions = pl.int_range(chunk.first, chunk.first + frame.height, dtype=pl.UInt32, eager=True).alias(
            _POSITION
        )
        return frame.rename(names).with_columns(positions)

    def check(self, frame: pl.DataFrame, *, odd: bool) -> Checked:
        """Check rows; a control character in a column that the profile does not know is a fault as well."""
        checked = self._profile.check(frame, self._context)
        if not odd:
            return checked
        faults = [checked.faults]
        for at, column in enumerate(self._columns):
            if column not in self._fields:
                hit = frame.filter(pl.col(f"c{at}").str.contains(_CONTROL)).select(_POSITION)
                words = {
                    "code": pl.lit("control-character"),
                    "field": pl.lit(column),
                    "detail": pl.lit(None, pl.String),
                }
                faults.append(hit.with_columns(**words).cast(dict(checked.faults.schema)))  # type: ignore[arg-type]  # polars' stubs want a narrower mapping
        all_faults = pl.concat(faults).sort(_POSITION, maintain_order=True)
        bad = checked.good[_POSITION].is_in(all_faults[_POSITION].implode())
        named = pl.concat([checked.named, checked.good.filter(bad).drop("body")]).sort(_POSITION)
        return Checked(checked.good.filter(~bad), named, all_faults, checked.warnings)

    def found(self, code: str, field: str, detail: str | None) -> FoundFault:
        """Return a fault in words, with the column's own name in the file."""
        column = self._column(field)
        en, th = self._profile.message(code, detail)
        return FoundFault(
            code, column, f"{column}: {en}" if column else en, f"{column}: {th}" if column else th
        )

    def words(self, code: str) -> tuple[str, str]:
        """Return a code's message in English and Thai."""
        return self._profile.message(code)

    def notes(
        self, warnings: Counter[str], examples: dict[str, list[tuple[int, str]]]
    ) -> tuple[tuple[str, str], ...]:
        """Return each warning in words, with the number of rows it concerns and the first of them."""
        told = []
        for code, count in sorted(warnings.items()):
            (en, th), rows = self._profile.message(code), ", ".join(map(place_label, examples.get(code, ())))
            of_en, of_th = (f" (row {rows})", f" (แถวที่ {rows})") if rows else ("", "")
            told.append((f"{counted(count, 'row')}: {en}{of_en}", f"{count:,} แถว: {th}{of_th}"))
        return tuple(told)

    def _column(self, field: str) -> str:
        if field in self._matched:
            return self._matched[field]
        known = self._profile.fields.get(field)
        return known.headers[0] if known and known.headers else field


class FaultTold:
    """Tells the parent of invalid rows in batches, and counts by code."""

    def __init__(self, rows: Rows, say: Callable[[FaultRows], None]) -> None:
        """Begin with none."""
        self.invalid = 0
        self.by_code: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.examples: dict[str, list[tuple[int, str]]] = {}
        self.columns: dict[str, dict[str, None]] = {}
        self._rows = rows
        self._say = say
        self._batch: list[FoundRow] = []
        self._known: dict[tuple[str, str, str | None], FoundFault] = {}

    def tell(
        self,
        faults: pl.DataFrame,
        row_of: dict[int, tuple[int, str]],
        again: frozenset[int] = frozenset(),
    ) -> None:
        """Take faults in the order of their rows: `_position`, `code`, `field`, `detail`; `row_of` gives row and sheet.

        `again` are rows of which other faults were told before.
        """
        present = -1
        told: list[FoundFault] = []
        for position, code, field, detail in faults.select(_POSITION, "code", "field", "detail").iter_rows():
            if position != present:
                self._close(present, told, row_of, present in again)
                present, told = position, []
            told.append(self._found(code, field, detail))
            self.by_code[code] += 1
            self._note(code, told[-1].field, row_of[position])
        self._close(present, told, row_of, present in again)

    def warn(self, warnings: pl.DataFrame, row_of: dict[int, tuple[int, str]]) -> None:
        """Count warnings, given as `tell` is given faults."""
        for (code, field), rows in warnings.partition_by(
            "code", "field", maintain_order=True, as_dict=True
        ).items():
            self.warnings[code] += rows.height
            for position in rows[_POSITION].head(EXAMPLES):
                self._note(code, self._found(code, field, None).field, row_of[position])

    def flush(self) -> None:
        """Send what is left."""
        if self._batch:
            self._say(FaultRows(tuple(self._batch)))
            self._batch = []

    def _close(
        self, position: int, told: list[FoundFault], row_of: dict[int, tuple[int, str]], is_again: bool
    ) -> None:
        if not told:
            return
        row, sheet = row_of[position]
        self._batch.append(FoundRow(position, row, sheet, tuple(told), is_again))
        self.invalid += not is_again
        if len(self._batch) >= FAULT_ROWS:
            self.flush()

    def _note(self, code: str, column: str, place: tuple[int, str]) -> None:
        self.columns.setdefault(code, {})[column] = None
        examples = self.examples.setdefault(code, [])
        if len(examples) < EXAMPLES and place not in examples:
            examples.append(place)

    def _found(self, code: str, field: str, detail: str | None) -> FoundFault:
        if detail is not None:
            return self._rows.found(code, field, detail)
        key = (code, field, detail)
        if key not in self._known:
            self._known[key] = self._rows.found(code, field, detail)
        return self._known[key]


def check(task: CheckTask, pipes: Pipes) -> None:
    """Check the whole table: faults, then the party's other jobs, then slices, then the counts."""
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


def _first_pass(
    task: CheckTask, pipes: Pipes, rows: Rows, told: FaultTold, persons: Persons, held: HeldRows
) -> None:
    """Check every chunk: faults are told, persons noted, good rows held."""
    with ThreadPoolExecutor(1) as thread:
        putting: Future[None] | None = None
        for chunk, numbers, checked in _checked(task, pipes, rows):
            bodies = checked.good["body"].to_list()
            if putting:
                putting.result()
            putting = thread.submit(held.put, checked.good[_POSITION].to_list(), bodies)
            tell_faults(told, checked, chunk, numbers)
            persons.add(checked.good, bodies, chunk, numbers)
            persons.add_named(checked.named, chunk, numbers)
        if putting:
            putting.result()
        held.end()
    return_memory()  # what comes needs other memory than what was


def _checked(task: CheckTask, pipes: Pipes, rows: Rows) -> Iterator[tuple[TableChunk, pl.Series, Checked]]:
    """Yield each chunk, in its order, with its rows' numbers and what the profile finds; the next is looked at meanwhile."""

    def look(chunk: TableChunk) -> tuple[TableChunk, pl.Series, Checked]:
        frame = rows.frame(chunk)
        checked = rows.check(frame, odd=chunk.odd)
        return msgspec.structs.replace(chunk, data=b""), frame["_row"], checked

    looks: deque[Future[tuple[TableChunk, pl.Series, Checked]]] = deque()
    with ThreadPoolExecutor(1) as thread:
        for number in range(1, task.chunks + 1):
            pipes.say(Want(number))
            looks.append(thread.submit(look, _hear(pipes, Given).chunk))
            if len(looks) > AHEAD:
                yield looks.popleft().result()
        while looks:
            yield looks.popleft().result()


def tell_faults(told: FaultTold, checked: Checked, chunk: TableChunk, rows: pl.Series) -> None:
    """Tell the faults and warnings of one chunk (`rows`: the row numbers of all its rows)."""
    for found, take in ((checked.warnings, told.warn), (checked.faults, told.tell)):
        if found.height:
            concerned = found[_POSITION].unique()
            numbers = rows.gather(concerned - chunk.first).to_list()
            take(
                found, {at: (row, chunk.sheet) for at, row in zip(concerned.to_list(), numbers, strict=True)}
            )


def _hear(pipes: Pipes, kind: type[_Kind]) -> _Kind:
    message = pipes.hear()
    if not isinstance(message, kind):
        raise EOFError
    return message
