"""Rows as they were read become the chunks of the normalised table: forbidden columns cut, blank and total rows left out.

What is cut here is cut before anything touches a disk; this file itself touches none.
"""

import io
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from intake.escape import unescaped
from intake.faults import counted, long_cell, no_rows, place_label, too_many_rows, unnamed_column
from intake.frames import ReadDone, TableChunk
from intake.look import JOB_COLUMN, Header, refuse_missing
from profiles.profile import Profile

#: most bytes of one cell
CELL_BYTES = 4096
ROW_COLUMN = "_row"
#: the last rows among which a total is sought
TOTAL_ROWS = 5
#: letters of a count in a total row; no person's number is that short
LONGEST_SUM = 9
_TOTAL = re.compile(
    r"^\s*(รวม|ยอดรวม|ผลรวม|รวมทั้งสิ้น|ทั้งสิ้น|จำนวนรวม|grand total|sub-?total|total|sum)\b|^\s*(รวม|ยอดรวม|ผลรวม)",
    re.IGNORECASE,
)
_JOB_ID = re.compile(r"J[A-Z2-7]{12}")
#: bytes that stand in no honest cell: control characters except tab and line feed
_HONEST = bytes(set(range(256)) - set(range(32)) - {127} | {9, 10, 13})
#: bytes that are looked at together
_LOOK_BYTES = 256 << 10


def _pack(frame: pl.DataFrame, first: int, sheet: str, odd: bool) -> TableChunk:
    out = io.BytesIO()
    # packed here, column by column, it passes the parent unopened; the older layout packs and unpacks faster
    frame.write_ipc_stream(out, compression="zstd", compat_level=pl.CompatLevel.oldest())
    return TableChunk(first, frame.height, sheet, odd, out.getvalue())


def has_controls(text: bytes) -> bool:
    """Say whether a control character stands in this UTF-8."""
    # piece by piece: what is left out is first copied
    return any(
        text[at : at + _LOOK_BYTES].translate(None, _HONEST) for at in range(0, len(text), _LOOK_BYTES)
    )


@dataclass(slots=True)
class TableMaker:
    """Makes one table of one or several sheets with the same columns; `say` takes each chunk."""

    profile: Profile
    max_rows: int
    say: Callable[[TableChunk | ReadDone], None]
    operation: str | None = None
    declared: bool = False
    rows: int = 0
    blank: int = 0
    totals: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    _header: Header | None = None
    _sheet: str = ""
    _more_notes: list[tuple[str, str]] = field(default_factory=list)
    _held: tuple[pl.DataFrame, bool] | None = None
    # the next rows are read while these are packed
    _packer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _packing: Future[TableChunk] | None = None

    def begin(self, header: Header, sheet: str) -> None:
        """Begin a sheet."""
        self._header = header
        self._sheet = sheet

    def add(self, frame: pl.DataFrame, *, odd: bool) -> None:
        """Take rows: text columns `c0`… in the header's order, and `_row`; raises BadFile."""
        assert self._header is not None
        self._check_sizes(frame)
        frame = self._without_blank(frame)
        if parent_job(self._header, frame):
            frame = frame.with_columns(unescaped(pl.exclude(ROW_COLUMN)))
        kept = kept_places(self._header)
        frame = frame.select(
            [*(pl.col(f"c{at}").alias(f"c{new}") for new, at in enumerate(kept)), ROW_COLUMN]
        )
        if frame.height:
            self._flush()
            self._held = frame, odd

    def end_sheet(self) -> None:
        """Leave out the total rows at the sheet's end and give out the rest."""
        if self._held is not None:
            frame, odd = self._held
            self._held = self._without_totals(frame), odd
            self._flush()

    def finish(self) -> None:
        """Say that the table is whole; raises BadFile when it is empty or lacks a required column."""
        assert self._header is not None
        if not self.rows:
            raise no_rows()
        if missing := self.profile.missing_columns(self._header.match, self.operations, self.declared):
            raise refuse_missing(missing, self.profile)
        self._give_out()
        self._packer.shutdown()
        self.say(ReadDone(self.rows, tuple(self._notes())))

    def note(self, en: str, th: str) -> None:
        """Add a note to the end."""
        self._more_notes.append((en, th))

    def _flush(self) -> None:
        if self._held is None:
            return
        frame, odd = self._held
        self._held = None
        if not frame.height:
            return
        if self.rows + frame.height > self.max_rows:
            raise too_many_rows(self.max_rows)
        self.operations |= self.profile.operations_of(self._operation_frame(frame), self.operation)
        self._give_out()
        first, self.rows = self.rows, self.rows + frame.height
        # the copy shares its columns and nothing else: polars locks a frame that is being written, and whoever asks it anything
        self._packing = self._packer.submit(_pack, frame.clone(), first, self._sheet, odd)

    def _give_out(self) -> None:
        """Say the chunk that is being packed, if there is one."""
        packing, self._packing = self._packing, None
        if packing:
            self.say(packing.result())

    def _operation_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        assert self._header is not None
        at = self._header.match.places.get("operation")
        if at is None:
            return frame.select(ROW_COLUMN)
        return frame.select(pl.col(f"c{kept_places(self._header).index(at)}").alias("operation"))

    def _check_sizes(self, frame: pl.DataFrame) -> None:
        assert self._header is not None
        longest = frame.select(pl.exclude(ROW_COLUMN).str.len_bytes().max()).row(0)
        for at, size in enumerate(longest):
            if size is not None and size > CELL_BYTES:
                row = frame.filter(pl.col(f"c{at}").str.len_bytes() > CELL_BYTES)[ROW_COLUMN][0]
                raise long_cell(row, self._header.columns[at], CELL_BYTES, self._sheet)
            if size and not self._header.columns[at].strip():
                self._refuse_unnamed(frame, at)

    def _refuse_unnamed(self, frame: pl.DataFrame, at: int) -> None:
        filled = frame.filter(pl.col(f"c{at}").str.strip_chars() != "")
        if filled.height:
            raise unnamed_column(column_letters(at), filled[ROW_COLUMN][0], self._sheet)

    def _without_blank(self, frame: pl.DataFrame) -> pl.DataFrame:
        assert self._header is not None
        # only rows without a key can be blank: one column is looked at, not all
        keys = [
            f"c{self._header.match.places[name]}"
            for name in self.profile.natural_key_fields
            if name in self._header.match.places
        ]
        maybe = (
            frame.select(pl.all_horizontal(pl.col(keys).str.strip_chars() == "")).to_series()
            if keys
            else None
        )
        if maybe is not None and not maybe.any():
            return frame
        blank = frame.select(pl.all_horizontal(pl.exclude(ROW_COLUMN).str.strip_chars() == "")).to_series()
        self.blank += int(blank.sum() or 0)
        return frame.filter(~blank)

    def _without_totals(self, frame: pl.DataFrame) -> pl.DataFrame:
        assert self._header is not None
        kept = kept_places(self._header)
        places = self._header.match.places
        keys = [kept.index(places[name]) for name in self.profile.natural_key_fields if name in places]
        left = frame.height
        for cells in reversed(frame.tail(TOTAL_ROWS).rows()):
            texts = [cell.strip() for cell in cells[:-1] if cell and cell.strip()]
            # a sum may stand in any column, also the key's; a record has more cells and a longer key
            keyed = any(len((cells[at] or "").strip()) > LONGEST_SUM for at in keys)
            if keyed or not texts or len(texts) * 2 > len(cells) or not _TOTAL.match(texts[0]):
                break
            left -= 1
            self.totals.append(place_label((cells[-1], self._sheet)))
        return frame.head(left)

    def _notes(self) -> list[tuple[str, str]]:
        notes = []
        if self.blank:
            were = "was" if self.blank == 1 else "were"
            notes.append(
                (f"{counted(self.blank, 'blank row')} {were} left out.", f"ข้ามแถวว่าง {self.blank:,} แถว")
            )
        if self.totals:
            listed = ", ".join(reversed(self.totals))
            notes.append(
                (f"Total rows at the end were left out: row {listed}.", f"ข้ามแถวผลรวมท้ายตาราง: แถวที่ {listed}")
            )
        return [*notes, *self._more_notes]


def kept_places(header: Header) -> list[int]:
    """Return the places of the columns that are kept: named, not forbidden, not the gate's own."""
    gone = set(header.match.forbidden_places)
    own = {" ".join(name.split()) for name in header.match.ours}
    return [
        at
        for at, name in enumerate(header.columns)
        if name.strip() and at not in gone and " ".join(name.split()) not in own
    ]


def kept_columns(header: Header) -> tuple[str, ...]:
    """Return the names of the columns that are kept, trimmed, in the file's order."""
    return tuple(header.columns[at].strip() for at in kept_places(header))


def parent_job(header: Header, frame: pl.DataFrame) -> str:
    """Return the job that a corrected `rejected` file comes from; empty when it is no such file."""
    for at, name in enumerate(header.columns):
        if name.strip().casefold() == JOB_COLUMN:
            found = [
                text.strip()
                for text in frame[f"c{at}"].head(1000).to_list()
                if text and _JOB_ID.fullmatch(text.strip())
            ]
            return found[0] if found else ""
    return ""


def column_letters(at: int) -> str:
    """Return a column's letters as a spreadsheet shows them (0 = A)."""
    letters, at = "", at + 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
