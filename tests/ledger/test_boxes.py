"""Boxes: what is packed comes back, in its place only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SealBroken
from domain.jobs import Outcome
from domain.states import RecordState
from ledger.boxes import (
    Fault,
    FaultBox,
    OutcomeBox,
    RowFaults,
    SliceBox,
    open_faults,
    open_outcomes,
    open_slice,
    pack_index,
    seal_faults,
    seal_outcomes,
    seal_slice,
    unpack_index,
)
from ledger.sealing import Sealer

SEALER = Sealer(b"k" * 32)
BOX = SliceBox(("k1", "k2"), (b'{"a":"\xe0\xb8\x81"}', b"{}"), (0, 7), {1: 0})


def test_a_slice_comes_back_as_it_was() -> None:
    """Keys, bodies, positions and order of one person's records."""
    assert open_slice(seal_slice(BOX, SEALER, "P", "J", 3), SEALER, "P", "J", 3) == BOX


@pytest.mark.parametrize("place", [("Q", "J", 3), ("P", "K", 3), ("P", "J", 4)])
def test_a_slice_opens_at_its_own_place_only(place: tuple[str, str, int]) -> None:
    """Another party, job or number breaks the seal."""
    with pytest.raises(SealBroken):
        open_slice(seal_slice(BOX, SEALER, "P", "J", 3), SEALER, *place)


def test_faults_come_back_as_they_were() -> None:
    """Rows with their place and words, Thai included."""
    box = FaultBox((RowFaults(4, 6, "ก", (Fault("bad-id", "national_id", "wrong", "ผิด"),)),))
    assert open_faults(seal_faults(box, SEALER, "P", "J", 0), SEALER, "P", "J", 0) == box
    with pytest.raises(SealBroken):
        open_slice(seal_faults(box, SEALER, "P", "J", 0), SEALER, "P", "J", 0)


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(Outcome, st.integers(0, 10**6), st.sampled_from(RecordState), *[st.text()] * 6), max_size=5
    )
)
def test_outcomes_come_back_as_they_were(outcomes: list[Outcome]) -> None:
    """Every field of every outcome."""
    box = OutcomeBox(tuple(outcomes))
    assert open_outcomes(seal_outcomes(box, SEALER, "P", "J", "J.0", 2), SEALER, "P", "J", "J.0", 2) == box


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8))))
def test_the_blind_index_is_24_bytes_a_line(lines: list[tuple[bytes, bytes]]) -> None:
    """Persons and contents come back in line order."""
    persons, contents = [line[0] for line in lines], [line[1] for line in lines]
    packed = pack_index(persons, contents)
    assert len(packed) == 24 * len(lines)
    assert unpack_index(packed) == (persons, contents)


@pytest.mark.parametrize(
    ("persons", "contents"), [([b"p" * 16], []), ([b"p" * 15], [b"c" * 9]), ([b"p" * 16], [b"c" * 7])]
)
def test_a_line_of_another_length_is_refused(persons: list[bytes], contents: list[bytes]) -> None:
    """A slip in lengths would shift every later line."""
    with pytest.raises(ValueError, match="blind index"):
        pack_index(persons, contents)
