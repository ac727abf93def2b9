"""A table of many chunks comes out as one of a single chunk would: nothing is lost, doubled or moved at a seam."""

import json
from functools import partial

import pytest

from domain.jobs import Outcome, Settlement
from domain.quota import Lease
from domain.states import RecordState
from intake.blocks import Blocks
from intake.results import write_results
from tests.intake.conftest import REGISTRY, Desk
from tests.intake.samples import as_csv, grid, member, members, national_id
from tests.intake.test_results import read_rows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of rows a chunk."""
    monkeypatch.setattr("intake.read.Blocks", partial(Blocks, 2000))
    monkeypatch.setattr("intake.results.STRETCH_ROWS", 20)
    monkeypatch.setattr("intake.receive.PIECE_BYTES", 700)


async def test_rows_faults_and_orders_hold_across_chunks(desk: Desk) -> None:
    """Duplicates and a person's operations find each other whatever lies between."""
    rows = members(100)
    rows[50]["postcode"] = "1"
    rows.append(member(200, national_id=national_id(7)))
    rows.append(member(3, operation="RESIGN", end_date="1/3/2568", end_reason="RESIGN"))
    job = await desk.take(as_csv(grid(rows, more=("end_date", "end_reason"))), max_invalid_pct=50.0)
    assert (job.rows, job.invalid, job.records.pending) == (102, 3, 99)
    assert await desk.codes(job) == {9: ["duplicate-person"], 52: ["bad-postcode"], 102: ["duplicate-person"]}
    boxes = await desk.slices(job)
    sent = {at: json.loads(body) for box in boxes for at, body in zip(box.positions, box.bodies, strict=True)}
    assert sorted(sent) == [at for at in range(102) if at not in {7, 50, 100}]
    assert all(sent[at]["national_id"] == national_id(at) for at in sent if at < 100)
    (chained,) = [box for box in boxes if box.after]
    assert chained.positions == (3, 101)


async def test_results_of_many_chunks_hold_every_row_once(desk: Desk) -> None:
    """Unknown rows too; the words are fetched a stretch at a time."""
    rows = members(60)
    rows[30]["postcode"] = "1"
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=50.0)
    claimed = await desk.ledger.claim(
        Lease(REGISTRY, "P001", "P001-01", "h", 1, desk.clock.now() + 6000), desk.clock.now()
    )
    assert claimed is not None
    said = [Outcome(line, RecordState.ACCEPTED, f"RCPT-{line}") for line in range(claimed.lines - 1)]
    await desk.ledger.settle([Settlement(claimed.slice_id, tuple(said))], desk.clock.now())
    await desk.ledger.give_back(claimed.slice_id, 1, [claimed.lines - 1], desk.clock.now())
    out = desk.home / "out"
    manifest = await write_results(job.job, out, desk.parts)
    kinds = {kind: read_rows(out / f"{kind}.csv") for kind in manifest.counts}
    assert {kind: len(found) for kind, found in kinds.items()} == manifest.counts
    assert sorted(int(row["_row"]) for found in kinds.values() for row in found) == list(range(2, 62))
    assert manifest.counts["accepted"] == claimed.lines - 1
    (unknown,) = kinds["unknown"]
    assert (unknown["_code"], bool(unknown["_reason_th"])) == ("unknown", True)
    assert all(row["_receipt"] == f"RCPT-{int(row['_row']) - 2}" for row in kinds["accepted"])
    (rejected,) = kinds["rejected"]
    assert rejected["_row"] == "32"
