"""Boxes: what lies sealed in the ledger's columns. Each is bound to its party, job and place; none knows SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from domain.jobs import Outcome
from domain.states import RecordState
from ledger.sealing import Sealer, aad, pack, unpack

PERSON_BYTES = 16
CONTENT_BYTES = 8
INDEX_BYTES = PERSON_BYTES + CONTENT_BYTES


@dataclass(frozen=True, slots=True)
class SliceBox:
    """A slice's records as they will be sent: line i is `keys[i]` with `bodies[i]`.

    `positions[i]` is the 0-based position of the row in the spooled table; `after[i] = j`: line i may be sent only when line j is answered.
    """

    keys: tuple[str, ...]
    bodies: tuple[bytes, ...]
    positions: tuple[int, ...]
    after: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SliceKeys:
    """A slice's idempotency keys: `stem`, a dash and the line's number, but for `others`, which have one of their own."""

    stem: str
    others: Mapping[int, str] = field(default_factory=dict)

    def of(self, lines: int) -> tuple[str, ...]:
        """Return the keys of so many lines."""
        stem, others = self.stem, self.others
        keys = [f"{stem}-{line}" for line in range(lines)]
        for line, key in others.items():
            keys[line] = key
        return tuple(keys)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one field of a row, in words for the party's clerk."""

    code: str
    field: str
    message_en: str
    message_th: str


@dataclass(frozen=True, slots=True)
class RowFaults:
    """All faults of one row; `row` as the spreadsheet counts it."""

    position: int
    row: int
    sheet: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class FaultBox:
    """A batch of invalid rows."""

    rows: tuple[RowFaults, ...]


@dataclass(frozen=True, slots=True)
class OutcomeBox:
    """The outcomes of one settlement that moved a line."""

    outcomes: tuple[Outcome, ...]


_encode = msgspec.msgpack.Encoder().encode
# a slice as it is stored: what its keys have in common, the keys that are others, its lines packed, the order within
_Slice = tuple[str, dict[int, str], bytes, dict[int, int]]
_Lines = tuple[tuple[bytes, ...], tuple[int, ...]]
_Outcomes = tuple[tuple[int, str, str, str, str, str, str, str], ...]
_decode_slice = msgspec.msgpack.Decoder(_Slice).decode
_decode_lines = msgspec.msgpack.Decoder(_Lines).decode
_decode_faults = msgspec.msgpack.Decoder(FaultBox).decode
_decode_outcomes = msgspec.msgpack.Decoder(_Outcomes).decode


def seal_slice(box: SliceBox, sealer: Sealer, party: str, job: str, seq: int) -> bytes:
    """Seal a slice's records for its place in the job."""
    keys = SliceKeys("", dict(enumerate(box.keys)))
    return seal_lines(keys, pack_lines(box.bodies, box.positions), box.after, sealer, (party, job, seq))


def pack_lines(bodies: Sequence[bytes], positions: Sequence[int]) -> bytes:
    """Return a slice's bodies and positions as they are sealed, so that one process can pack them and another seal them unopened."""
    return pack(_encode((bodies, positions)))


def unpack_lines(lines: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return the bodies and the positions of packed lines."""
    bodies, positions = _decode_lines(unpack(lines))
    return bodies, positions


def seal_lines(
    keys: SliceKeys, lines: bytes, after: Mapping[int, int], sealer: Sealer, place: tuple[str, str, int]
) -> bytes:
    """Seal packed lines with their keys; `place` is party, job, seq. What comes of it opens as any slice."""
    party, job, seq = place
    return sealer.seal_packed(_encode((keys.stem, keys.others, lines, after)), aad(party, job, "slice", seq))


def open_slice(sealed: bytes, sealer: Sealer, party: str, job: str, seq: int) -> SliceBox:
    """Open a slice's records; raises SealBroken when the bytes do not belong to this place."""
    stem, others, lines, after = _decode_slice(sealer.open_packed(sealed, aad(party, job, "slice", seq)))
    bodies, positions = unpack_lines(lines)
    keys = SliceKeys(stem, others).of(len(bodies))
    return SliceBox(keys, bodies, positions, after)


def seal_faults(box: FaultBox, sealer: Sealer, party: str, job: str, seq: int) -> bytes:
    """Seal a batch of invalid rows."""
    return sealer.seal(_encode(box), aad(party, job, "invalid", seq))


def open_faults(sealed: bytes, sealer: Sealer, party: str, job: str, seq: int) -> FaultBox:
    """Open a batch of invalid rows; raises SealBroken."""
    return _decode_faults(sealer.open(sealed, aad(party, job, "invalid", seq)))


def seal_outcomes(box: OutcomeBox, sealer: Sealer, party: str, job: str, slice_id: str, batch: int) -> bytes:
    """Seal the outcomes of one settlement; the registrar's messages may quote a person."""
    rows = [
        (one.line, one.state.value, one.receipt, one.code, one.field, one.message_th, one.message_en, one.by)
        for one in box.outcomes
    ]
    return sealer.seal(_encode(rows), aad(party, job, "outcomes", slice_id, batch))


def open_outcomes(
    sealed: bytes, sealer: Sealer, party: str, job: str, slice_id: str, batch: int
) -> OutcomeBox:
    """Open the outcomes of one settlement; raises SealBroken.

    A line may stand in several batches (unknown, then accepted): the last one whose state is the line's present state counts.
    """
    rows = _decode_outcomes(sealer.open(sealed, aad(party, job, "outcomes", slice_id, batch)))
    return OutcomeBox(tuple(Outcome(row[0], RecordState(row[1]), *row[2:]) for row in rows))


def pack_index(persons: Sequence[bytes], contents: Sequence[bytes]) -> bytes:
    """Pack a slice's blind index, 24 bytes a line: 16 of the person, 8 of the content; raises ValueError for other lengths."""
    if len(persons) != len(contents):
        raise ValueError("a blind index has one person and one content a line")
    packed = b"".join(person + content for person, content in zip(persons, contents, strict=True))
    if len(packed) != INDEX_BYTES * len(persons) or any(len(person) != PERSON_BYTES for person in persons):
        raise ValueError("a line of the blind index is 16 and 8 bytes")
    return packed


def unpack_index(index: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the persons and the contents of a packed blind index, in line order."""
    starts = range(0, len(index), INDEX_BYTES)
    persons = [index[start : start + PERSON_BYTES] for start in starts]
    return persons, [index[start + PERSON_BYTES : start + INDEX_BYTES] for start in starts]
