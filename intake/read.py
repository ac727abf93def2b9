"""The child's reading of a source: looks, says what it sees, and gives out the normalised table. It keeps nothing."""

from collections.abc import Callable, Iterator

import polars as pl

from intake.blocks import Block, Blocks
from intake.faults import no_rows, no_sheets
from intake.frames import Go, Look, Piece, Pipes, ReadDone, ReadTask, TableChunk
from intake.look import DELIMITERS, Header, check_header, find_csv_header, is_workbook, unknown_columns
from intake.read_csv import parse, read_blocks
from intake.table import TableMaker, has_controls, kept_columns, kept_places, parent_job
from intake.text import Transcoder
from profiles import book
from profiles.profile import Profile

#: rows that a look shows
SHOWN_ROWS = 3


class Source:
    """The source's bytes as they come through the pipe, beside the parent's leave to go on."""

    def __init__(self, pipes: Pipes) -> None:
        """Begin before the first byte."""
        self._pipes = pipes
        self._waiting: list[bytes] = []
        self._ended = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes to the end."""
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            if self._ended:
                return
            self._take(self._pipes.hear())

    def wait_for_leave(self) -> Go:
        """Return the parent's answer to a look; bytes that come meanwhile are kept for later."""
        while True:
            message = self._pipes.hear()
            if isinstance(message, Go):
                return message
            self._take(message)

    def _take(self, message: object) -> None:
        if isinstance(message, Piece):
            if message.data:
                self._waiting.append(message.data)
            else:
                self._ended = True


def read(task: ReadTask, pipes: Pipes, say: Callable[[TableChunk | ReadDone], None] | None = None) -> None:
    """Read one source; `say` takes chunks (default: they go to the parent). Raises BadFile."""
    source = Source(pipes)
    pieces = source.pieces()
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= 4096:
            break
    maker = TableMaker(book.profile(task.profile), task.max_rows, say or pipes.say)
    whole = _chain(head, pieces)
    if is_workbook(head):
        from intake.read_xlsx import read_workbook

        read_workbook(whole, task, maker, lambda look: _agree(look, maker, source, pipes))
    elif task.sheet not in (None, "all"):
        raise no_sheets()
    else:
        _read_csv(whole, maker, lambda look: _agree(look, maker, source, pipes))
    maker.finish()


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _agree(look: Look, maker: TableMaker, source: Source, pipes: Pipes) -> None:
    pipes.say(look)
    leave = source.wait_for_leave()
    maker.operation = leave.operation
    maker.declared = leave.declared


def _read_csv(pieces: Iterator[bytes], maker: TableMaker, agree: Callable[[Look], None]) -> None:
    transcoder = Transcoder()
    blocks = read_blocks(pieces, transcoder, Blocks())
    # in every step a block is let go of before the next is collected: one of them is in memory, whatever the file's length
    first = next(blocks)
    header, delimiter, lines = find_csv_header(first.data, maker.profile)
    check_header(header)
    maker.begin(header, "")
    first = Block(_skip_lines(first.data, lines), first.last)
    frame, odd = _rows(first, len(header.columns), delimiter, header.row + 1)
    if first.last and not frame.height:
        raise no_rows()
    del first
    agree(make_look(header, frame, maker.profile, transcoder.encoding, DELIMITERS[delimiter], ()))
    row = header.row + 1 + frame.height
    maker.add(frame, odd=odd)
    del frame
    while block := next(blocks, None):
        frame, odd = _rows(block, len(header.columns), delimiter, row)
        del block
        row += frame.height
        maker.add(frame, odd=odd)
        del frame
    maker.end_sheet()


def _rows(block: Block, columns: int, delimiter: str, first_row: int) -> tuple[pl.DataFrame, bool]:
    """Return a block's records, and whether a control character stands in it."""
    return parse(block, columns, delimiter, first_row), has_controls(block.data)


def _skip_lines(data: bytes, lines: int) -> bytes:
    at = 0
    for _ in range(lines):
        end = data.find(b"\n", at)
        if end < 0:
            return b""
        at = end + 1
    return data[at:]


def make_look(
    header: Header,
    frame: pl.DataFrame,
    profile: Profile,
    encoding: str,
    delimiter: str,
    sheets: tuple[str, ...],
) -> Look:
    """Return what a look at a header and the first rows shows."""
    kept = [f"c{at}" for at in kept_places(header)]
    first = frame.head(SHOWN_ROWS).select(kept).rows() if kept else []
    return Look(
        profile_version=profile.version,
        encoding=encoding,
        delimiter=delimiter,
        sheets=sheets,
        header_row=header.row,
        columns=kept_columns(header),
        matched={name: column.strip() for name, column in header.match.matched.items()},
        unknown=unknown_columns(header),
        cut=header.match.forbidden,
        missing=header.match.missing,
        first_rows=tuple(tuple(cell or "" for cell in row) for row in first),
        parent=parent_job(header, frame),
    )
