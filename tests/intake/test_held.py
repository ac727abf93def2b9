"""Rows that were put away are found again, by block and one by one, and none of them lies open on disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.held import HeldRows


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 9), st.binary(max_size=5)), max_size=12), min_size=1),
    st.integers(1, 7),
    st.data(),
)
def test_rows_are_found_as_if_they_had_stayed_in_memory(
    tmp_path_factory: pytest.TempPathFactory,
    chunks: list[list[tuple[int, bytes]]],
    length: int,
    data: st.DataObject,
) -> None:
    """Whatever positions are missing between them."""
    held = HeldRows(tmp_path_factory.mktemp("h"), length)
    kept: dict[int, bytes] = {}
    at = -1
    for chunk in chunks:
        steps = [at := at + step for step, _ in chunk]
        bodies = [body for _, body in chunk]
        held.put(steps, bodies)
        kept.update(zip(steps, bodies, strict=True))
    held.end()
    rows = [row for block in held.blocks() for row in zip(*held.rows(block), strict=True)]
    assert rows == list(kept.items())
    counts = [block.count for block in held.blocks()]
    assert all(count == length for count in counts[:-1])
    for block in held.blocks():
        positions, _ = held.rows(block)
        assert (block.first, block.last, block.count) == (positions[0], positions[-1], len(positions))
    wanted = data.draw(st.lists(st.sampled_from(sorted(kept)), unique=True)) if kept else []
    assert held.pick(wanted) == {one: kept[one] for one in wanted}


def test_nothing_of_a_row_lies_open_on_disk(tmp_path: Path) -> None:
    """Neither where rows are kept nor where their places are."""
    held = HeldRows(tmp_path, 2)
    held.put([0, 1, 2], [b"a person", b"another person", b"a third person"])
    held.end()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"person" not in written
    assert held.pick([2]) == {2: b"a third person"}
