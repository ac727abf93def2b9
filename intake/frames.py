"""What parent and child say to each other through two pipes: length, then msgpack. The child's words carry no cell, save the rows.

The parent holds keys, spool and ledger; the child holds the file. Neither trusts the other's end to stay alive.
"""

from collections.abc import Callable
from datetime import date
from typing import BinaryIO

import msgspec


class Message(msgspec.Struct, tag=True, array_like=True, gc=False):
    """One frame."""


class Limits(Message):
    """What a child may use: address space in bytes, CPU in seconds."""

    memory: int = 3 << 30
    cpu_s: int = 1800


class ReadTask(Message):
    """Read a source that follows in `Piece`s; answer `Look`, `TableChunk`s, `ReadDone`."""

    profile: str
    operation: str | None
    declared: bool
    sheet: str | None
    max_rows: int


class Go(Message):
    """The parent has looked at `Look` and wants the rest, with what a corrected file takes over from its first job."""

    operation: str | None
    declared: bool


class Piece(Message):
    """The next bytes of the source; empty: that was all."""

    data: bytes


class Look(Message):
    """What the file is; said once, before the first chunk."""

    profile_version: int
    encoding: str
    delimiter: str
    sheets: tuple[str, ...]
    header_row: int
    columns: tuple[str, ...]
    matched: dict[str, str]
    unknown: tuple[str, ...]
    cut: tuple[str, ...]
    missing: tuple[str, ...]
    first_rows: tuple[tuple[str, ...], ...]
    parent: str


class TableChunk(Message):
    """Some tens of thousands of rows of one sheet as a packed Arrow stream: `c0`, `c1`, … and `_row`.

    `first` is the position of the first row; `odd` says that a control character stands somewhere in it.
    """

    first: int
    rows: int
    sheet: str
    odd: bool
    data: bytes


class ReadDone(Message):
    """The source has been read to its end."""

    rows: int
    notes: tuple[tuple[str, str], ...]


class Refusal(Message):
    """The file cannot be taken: message and remedy, English and Thai."""

    message_en: str
    message_th: str
    remedy_en: str
    remedy_th: str


class Crash(Message):
    """The child met a surprise: the error's class and where it was raised; never its text."""

    kind: str
    where: tuple[str, ...]


class CheckTask(Message):
    """Check a spooled table: the child asks for its chunks by number."""

    profile: str
    operation: str | None
    declared: bool
    test_ids: bool
    party: str
    registry: str
    today: date
    blind_key: bytes
    columns: tuple[str, ...]
    matched: dict[str, str]
    chunks: int
    rows: int
    scratch: str
    account_rate: float
    accounts: int


class DryTask(Message):
    """Read a source as `reading` says and check it at once; nothing is kept. Answer `Look`, `CheckDone`.

    With `blind_key` (the party has records on their way) the child wants the others' index before it is done.
    """

    reading: ReadTask
    test_ids: bool
    party: str
    registry: str
    today: date
    scratch: str
    blind_key: bytes = b""


class Want(Message):
    """The child wants chunk `number`."""

    number: int


class Given(Message):
    """The chunk that was wanted."""

    chunk: TableChunk


class FoundFault(Message):
    """One fault as the ledger keeps it."""

    code: str
    field: str
    message_en: str
    message_th: str


class FoundRow(Message):
    """All faults of one row; `again`: those that a look at all rows has added to what was told of it before."""

    position: int
    row: int
    sheet: str
    faults: tuple[FoundFault, ...]
    again: bool = False


class FaultRows(Message):
    """A batch of invalid rows."""

    rows: tuple[FoundRow, ...]


class WantOthers(Message):
    """The rows are read; the child wants the blind index of the party's other open jobs."""

    good: int


class Others(Message):
    """One slice's blind index of another job; `states` one byte a line. Without lines: that was all."""

    number: int
    index: bytes
    states: bytes


class Join(Message):
    """This line joins a record that is not settled yet: line `line` of the other job's slice `number`."""

    at: int
    number: int
    line: int


class Lines(Message):
    """One slice on its way: packed lines, blind index, order within, slices of other jobs it waits for, and joined lines.

    `packed` are bodies and positions as they will be sealed (`ledger.boxes.pack_lines`): the parent never takes them apart.
    """

    count: int
    packed: bytes
    index: bytes
    after: dict[int, int]
    waits: tuple[int, ...]
    joins: tuple[Join, ...]


class SliceBatch(Message):
    """Some tens of slices."""

    slices: tuple[Lines, ...]


class CheckDone(Message):
    """All is said: counts of rows, invalid ones, records, faults and warnings by code, with some rows (and sheets) and all columns."""

    rows: int
    invalid: int
    records: int
    faults: dict[str, int]
    warnings: dict[str, int]
    examples: dict[str, tuple[tuple[int, str], ...]]
    columns: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, str]]
    notes: tuple[tuple[str, str], ...]


AnyMessage = (
    Limits
    | ReadTask
    | Go
    | Piece
    | Look
    | TableChunk
    | ReadDone
    | Refusal
    | Crash
    | CheckTask
    | DryTask
    | Want
    | Given
    | FaultRows
    | WantOthers
    | Others
    | SliceBatch
    | CheckDone
)

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], AnyMessage] = msgspec.msgpack.Decoder(AnyMessage).decode
HEAD_BYTES = 4
#: no frame is longer: what one record block or one batch of slices can come to, with room
MOST_BYTES = 512 << 20


def pack(message: Message) -> bytes:
    """Return a message as a frame."""
    body = _encode(message)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def unpack(body: bytes) -> AnyMessage:
    """Return the message of a frame's body; raises msgspec.DecodeError."""
    return _decode(body)


class Pipes:
    """The child's end: blocking, one frame at a time."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        """Speak over these two."""
        self._source = source
        self._sink = sink

    def say(self, message: Message) -> None:
        """Write one frame."""
        self._sink.write(pack(message))
        self._sink.flush()

    def hear(self) -> AnyMessage:
        """Read one frame; raises EOFError when the parent is gone."""
        head = self._source.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            raise EOFError
        size = int.from_bytes(head, "big")
        body = self._source.read(size)
        if len(body) < size:
            raise EOFError
        return _decode(body)
