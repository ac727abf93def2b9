"""Bodies that pass the parent unopened lie in the ledger as those that are put together there."""

import asyncio
from pathlib import Path

import pytest

from domain.errors import Conflict
from intake.check_job import _Talk
from intake.frames import Lines
from intake.seal import Seal
from ledger.boxes import SliceBox, open_slice, pack_lines
from ledger.sealing import Sealer


def test_a_slice_that_was_written_by_the_child_opens_as_any_other() -> None:
    """Keys, bodies, positions and order all come back."""
    bodies = [b"{}", b'{"a":"\xe0\xb8\x81"}', b"x" * 300]
    lines = Lines(3, pack_lines(bodies, [4, 5, 70_000]), b"i" * 72, {1: 0}, (), ())
    seal = Seal(Sealer(b"k" * 32), b"r" * 32, "P", "J", "digest", "J.1")
    (draft,) = seal.slices(3, [lines], {}, [])
    stem = seal.key_stem(3)
    keys = tuple(f"{stem}-{line}" for line in range(3))
    assert draft.lines == 3
    assert open_slice(draft.box, seal.sealer, "P", "J", 3) == SliceBox(
        keys, tuple(bodies), (4, 5, 70_000), {1: 0}
    )


async def test_a_commit_that_fails_meanwhile_is_heard_of(tmp_path: Path) -> None:
    """It ends the talk as soon as the next step asks for it, and is not told twice."""
    talk = _Talk.__new__(_Talk)

    async def refused() -> None:
        raise Conflict(str(tmp_path.name), message_th="")

    talk._storing = asyncio.create_task(refused())
    with pytest.raises(Conflict):
        await talk._stored()
    await talk._stored()
