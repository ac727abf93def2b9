"""Long reads in parts."""

import pytest

from domain.errors import NotFound
from domain.jobs import InvalidDraft
from ledger.boxes import unpack_index
from ledger.values import CheckResult
from tests.ledger.scene import ACCEPTED, BY, NOW, REGISTRY, UNKNOWN, Scene, new_job


async def test_slices_come_in_order_and_all_of_them(scene: Scene) -> None:
    """More slices than one part holds, each once, each with its states and box."""
    await scene.submit(lines=(1,) * 123)
    found = [one async for one in scene.ledger.slices("J1")]
    assert [one.seq for one in found] == list(range(123))
    assert {one.states for one in found} == {b"p"}
    assert all(one.box for one in found)


async def test_invalid_batches_come_in_order(scene: Scene) -> None:
    """As they were numbered, not as they came."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    await scene.ledger.accept("J1", [], [InvalidDraft(1, 2, b"b"), InvalidDraft(0, 1, b"a")], NOW)
    await scene.ledger.finish_check(ticket, CheckResult(3, 3, 0, {}), BY, NOW)
    assert [(one.seq, one.rows, one.box) async for one in scene.ledger.invalid("J1")] == [
        (0, 1, b"a"),
        (1, 2, b"b"),
    ]


async def test_outcomes_come_in_the_order_of_settling(scene: Scene) -> None:
    """Batches of several slices, as they were committed."""
    await scene.submit(lines=(2, 2))
    for slice_id, line in (("J1.1", 0), ("J1.0", 0), ("J1.1", 1)):
        await scene.settle(slice_id, {line: ACCEPTED})
    found = [(one.slice_id, one.batch) async for one in scene.ledger.outcomes("J1")]
    assert found == [("J1.1", 1), ("J1.0", 1), ("J1.1", 2)]


async def test_the_blind_index_holds_unsettled_slices_of_the_party_in_order(scene: Scene) -> None:
    """Other parties', one's own job's, unchecked and settled slices are not in it; doubtful and unknown ones are."""
    await scene.submit("J1", lines=(2, 1))
    await scene.submit("J2", lines=(1,), party="P002")
    await scene.submit("J3", lines=(3,))
    await scene.ledger.receive(new_job("J4"), BY, NOW)
    await scene.check("J4")
    await scene.ledger.accept("J4", [scene.draft("J4", 0, 1)], [], NOW)
    await scene.settle("J1.1", {0: ACCEPTED})
    await scene.settle("J1.0", {0: UNKNOWN, 1: ACCEPTED})
    parts = [one async for one in scene.ledger.index_parts(REGISTRY, "P001", "J9")]
    assert [(one.slice_id, one.states) for one in parts] == [("J1.0", b"ua"), ("J3.0", b"ppp")]
    assert len(unpack_index(parts[1].index)[0]) == 3
    others = [one.slice_id async for one in scene.ledger.index_parts(REGISTRY, "P001", "J3")]
    assert others == ["J1.0"]


async def test_the_blind_index_comes_in_parts(scene: Scene) -> None:
    """More than one part holds, each slice once."""
    await scene.submit("J1", lines=(1,) * 150)
    await scene.submit("J2", lines=(1,) * 150)
    parts = [(one.job, one.seq) async for one in scene.ledger.index_parts(REGISTRY, "P001", "J9")]
    assert parts == [(job, seq) for job in ("J1", "J2") for seq in range(150)]


async def test_unsettled_records_are_listed_by_a_word_that_is_known(scene: Scene) -> None:
    """A word that no record can be in is not found."""
    await scene.submit(lines=(2,))
    await scene.settle("J1.0", {1: UNKNOWN})
    assert [one.line for one in await scene.ledger.unsettled("J1", "unknown")] == [1]
    with pytest.raises(NotFound):
        await scene.ledger.unsettled("J1", "lost")
