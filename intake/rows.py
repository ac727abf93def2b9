"""The table's rows as the profile reads them, and their faults and warnings in words, told in batches and counted.

It reads what it is given, and asks for nothing.
"""

import io
from collections import Counter
from collections.abc import Callable

import polars as pl

from intake.faults import counted, place_label
from intake.frames import FaultRows, FoundFault, FoundRow, TableChunk
from profiles.profile import CheckContext, Checked, Profile

#: invalid rows of one batch
FAULT_ROWS = 2000
#: rows named as examples of a fault
EXAMPLES = 5
#: a row's place in the whole table, as a column of every frame
POSITION = "_position"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


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
            POSITION
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
                hit = frame.filter(pl.col(f"c{at}").str.contains(_CONTROL)).select(POSITION)
                words = {
                    "code": pl.lit("control-character"),
                    "field": pl.lit(column),
                    "detail": pl.lit(None, pl.String),
                }
                faults.append(hit.with_columns(**words).cast(dict(checked.faults.schema)))  # type: ignore[arg-type]  # polars' stubs want a narrower mapping
        all_faults = pl.concat(faults).sort(POSITION, maintain_order=True)
        bad = checked.good[POSITION].is_in(all_faults[POSITION].implode())
        named = pl.concat([checked.named, checked.good.filter(bad).drop("body")]).sort(POSITION)
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
        for position, code, field, detail in faults.select(POSITION, "code", "field", "detail").iter_rows():
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
            for position in rows[POSITION].head(EXAMPLES):
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


def tell_faults(told: FaultTold, checked: Checked, chunk: TableChunk, rows: pl.Series) -> None:
    """Tell the faults and warnings of one chunk (`rows`: the row numbers of all its rows)."""
    for found, take in ((checked.warnings, told.warn), (checked.faults, told.tell)):
        if found.height:
            concerned = found[POSITION].unique()
            numbers = rows.gather(concerned - chunk.first).to_list()
            take(
                found, {at: (row, chunk.sheet) for at, row in zip(concerned.to_list(), numbers, strict=True)}
            )
