"""A file's way from its bytes to sealed slices in the ledger."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Busy
from domain.jobs import InvalidDraft, SliceDraft
from domain.states import JobState
from intake.check_job import check_job
from intake.frames import Limits
from intake.keeper import Keeper
from ledger.values import CheckTicket
from tests.intake.conftest import BY, Desk
from tests.intake.samples import as_csv, grid, member, members, national_id


async def test_good_rows_become_slices_in_the_order_of_the_file(desk: Desk) -> None:
    """Every row of a good file stands once in a slice, in order, as it will be sent."""
    job = await desk.take(as_csv(grid(members(95))))
    assert (job.state, job.rows, job.invalid, job.records.pending) == (JobState.QUEUED, 95, 0, 95)
    boxes = await desk.slices(job)
    sent = [json.loads(body) for box in boxes for body in box.bodies]
    assert [one["national_id"] for one in sent] == [national_id(number) for number in range(95)]
    assert [at for box in boxes for at in box.positions] == list(range(95))
    assert max(len(box.keys) for box in boxes) <= 40


async def test_no_two_records_share_a_key_and_keys_hold_nothing_personal(desk: Desk) -> None:
    """A key is 22 letters of an HMAC and the line's number."""
    job = await desk.take(as_csv(grid(members(60))))
    keys = [key for box in await desk.slices(job) for key in box.keys]
    assert len(set(keys)) == 60
    assert all(len(stem) == 22 and line.isdigit() for stem, _, line in (key.rpartition("-") for key in keys))


async def test_every_fault_of_a_row_is_kept_with_its_row_and_column(desk: Desk) -> None:
    """An invalid row keeps all its faults, named by the column's own header, in both languages."""
    rows = [member(0), member(1, national_id="123", postcode="99999", first_name=""), member(2)]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=50.0)
    assert (job.rows, job.invalid, job.records.pending) == (3, 1, 2)
    (box,) = await desk.faults(job)
    (row,) = box.rows
    assert (row.row, row.position) == (3, 1)
    assert {fault.field for fault in row.faults} >= {"national_id", "first_name", "postcode"}
    assert all(fault.message_en.startswith(fault.field) and fault.message_th for fault in row.faults)


async def test_the_same_person_twice_is_a_fault_that_names_both_rows(desk: Desk) -> None:
    """With the same operation neither row is sent."""
    rows = [member(0), member(1), member(2), member(9, national_id=national_id(1))]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=99.0)
    assert await desk.codes(job) == {3: ["duplicate-person"], 5: ["duplicate-person"]}
    (box,) = await desk.faults(job)
    assert all("3, 5" in row.faults[0].message_en for row in box.rows)
    assert job.records.pending == 2


async def test_who_stands_twice_is_told_beside_every_other_fault(desk: Desk) -> None:
    """A row that has a fault of its own names its person all the same: neither row is sent, and it counts once."""
    again = member(9, national_id=national_id(1), postcode="1")
    rows = [member(0), member(1), member(2), again, member(3, member_no="M000002", moo="x")]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=99.0)
    assert await desk.codes(job) == {
        3: ["duplicate-person"], 4: ["duplicate-member-no"],
        5: ["bad-postcode", "duplicate-person"], 6: ["bad-moo", "duplicate-member-no"],
    }  # fmt: skip
    assert (job.rows, job.invalid, job.records.pending) == (5, 4, 1)


async def test_one_member_number_for_two_persons_is_a_fault(desk: Desk) -> None:
    """Both rows are named."""
    rows = [member(0), member(1, member_no="M000000"), member(2)]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=99.0)
    assert await desk.codes(job) == {2: ["duplicate-member-no"], 3: ["duplicate-member-no"]}


async def test_one_person_s_operations_stand_in_one_slice_each_after_the_one_before(desk: Desk) -> None:
    """ADD, then RESIGN far below: one slice, in file order, the second behind the first."""
    leaving = member(3, operation="RESIGN", end_date="1/3/2568", end_reason="RESIGN")
    rows = [*members(60), leaving]
    job = await desk.take(as_csv(grid(rows, more=("end_date", "end_reason"))))
    assert job.records.pending == 61
    boxes = await desk.slices(job)
    (box,) = [box for box in boxes if box.after]
    ops = [json.loads(body)["operation"] for body in box.bodies]
    assert (ops, box.positions, dict(box.after)) == (["ADD", "RESIGN"], (3, 60), {1: 0})
    assert sorted(at for one in boxes for at in one.positions) == list(range(61))


async def test_a_row_that_equals_an_unsettled_record_joins_it_with_the_same_key(desk: Desk) -> None:
    """A second file with the same record waits for the first one's slice and takes over its key."""
    first = await desk.take(as_csv(grid(members(30))))
    second = await desk.take(as_csv(grid([member(5), member(6, house_no="1"), member(99)])))
    keys = {
        at: key for box in await desk.slices(first) for at, key in zip(box.positions, box.keys, strict=True)
    }
    boxes = await desk.slices(second)
    mine = {at: key for box in boxes for at, key in zip(box.positions, box.keys, strict=True)}
    assert mine[0] == keys[5]
    assert mine[1] not in keys.values()
    assert list(await desk.ledger.blockers(second.job)) != []
    assert [box.positions for box in boxes] == [(2,), (0, 1)]


async def test_the_same_file_is_the_same_job_and_leaves_nothing_behind(desk: Desk) -> None:
    """A second submission of the same bytes keeps no second copy."""
    data = as_csv(grid(members(12)))
    first = await desk.submit(data)
    assert (await desk.submit(data)).job == first.job
    assert len(list((desk.home / "spool").iterdir())) == 1


async def test_a_cancelled_file_sent_again_never_meets_its_old_keys(desk: Desk) -> None:
    """Settled records leave the index, so that the second sealing must have keys of its own."""
    data = as_csv(grid(members(12)))
    first = await desk.take(data)
    old = {key for box in await desk.slices(first) for key in box.keys}
    await desk.ledger.cancel(first.job, BY, desk.clock.now())
    second = await desk.take(data)
    assert second.job != first.job
    assert old.isdisjoint(key for box in await desk.slices(second) for key in box.keys)


async def test_more_invalid_rows_than_allowed_pause_the_job(desk: Desk) -> None:
    """The rest is not sent before somebody says so."""
    job = await desk.take(as_csv(grid([member(0), member(1, postcode="x")])))
    assert job.state is JobState.PAUSED


async def test_forbidden_columns_are_cut_and_named(desk: Desk) -> None:
    """A Laser ID is gone before the spool, and the job says which column was cut."""
    cells = [[*row, "JT0123456789" if at else "Laser ID"] for at, row in enumerate(grid(members(3)))]
    job = await desk.take(as_csv(cells))
    assert job.cut == ("Laser ID",)
    assert any("Laser ID" in note for note in job.notes_en)


@pytest.mark.parametrize(("idempotent", "states"), [(True, ["p", "pp"]), (False, ["p", "up"])])
async def test_a_joined_row_is_asked_about_first_where_a_key_may_have_two_effects(
    desk: Desk, idempotent: bool, states: list[str]
) -> None:
    """Cancelled and sent again: the first copy may have been recorded, so the second is not sent before that is known."""
    desk.parts = replace(desk.parts, rules=replace(desk.parts.rules, idempotent=idempotent))
    await desk.take(as_csv(grid(members(30))))
    second = await desk.take(as_csv(grid([member(5), member(6, house_no="1"), member(99)])))
    assert [one.states.decode() async for one in desk.ledger.slices(second.job)] == states


async def test_a_check_that_is_asked_to_stop_gives_its_attempt_back(desk: Desk) -> None:
    """Not a crash: the next worker begins at once, as if this one had never been."""
    begun = asyncio.Event()

    @contextlib.asynccontextmanager
    async def hang(limits: Limits) -> AsyncIterator[Keeper]:
        begun.set()
        await asyncio.Event().wait()
        yield  # type: ignore[misc]  # never reached

    job = await desk.submit(as_csv(grid(members(12))))
    running = asyncio.create_task(check_job(job.job, replace(desk.parts, start_child=hang), desk.clock.now()))
    await begun.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await desk.ledger.job(job.job)).check_attempts == 0
    checked = await desk.check(job)
    assert (checked.state, checked.check_attempts) == (JobState.QUEUED, 1)


async def test_a_ledger_that_is_busy_for_a_moment_ends_no_check(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right is kept alive at the next try."""
    keep, tries = desk.ledger.keep_check, 0

    async def busy_once(ticket: CheckTicket, now: int) -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Busy
        return await keep(ticket, now)

    monkeypatch.setattr(desk.ledger, "keep_check", busy_once)
    assert (await desk.take(as_csv(grid(members(12))))).state is JobState.QUEUED
    assert tries


async def test_a_check_that_was_taken_over_brings_nothing_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen until another had the right, then awake: its slices are not mixed with the other's."""
    job = await desk.submit(as_csv(grid(members(12))))
    accept = desk.ledger.accept
    others: list[CheckTicket | None] = []

    async def too_late(
        name: str, slices: Sequence[SliceDraft], invalid: Sequence[InvalidDraft], now: int, **right: Any
    ) -> None:
        desk.clock.advance(120_000)
        others.append(await desk.ledger.begin_check(name, desk.clock.now()))
        await accept(name, slices, invalid, now, **right)

    monkeypatch.setattr(desk.ledger, "accept", too_late)
    await check_job(job.job, desk.parts, desk.clock.now())
    assert others[0] is not None
    assert [one async for one in desk.ledger.slices(job.job)] == []
