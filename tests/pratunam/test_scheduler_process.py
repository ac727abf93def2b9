"""The scheduler's process: what it sweeps away of a submit that was killed before its receipt."""

from collections.abc import Awaitable, Callable

import pytest

from domain.clock import ManualClock
from domain.jobs import By
from intake import receive
from ledger.orphans import SAFE_MS, Orphans
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import Parts
from profiles.party_members.made_up import made_up_members
from tests.ledger.test_orphans import sweep_for
from tests.pratunam.desk import REGISTRY, Desk


class Killed(BaseException):
    """The process ends here: nothing after this runs."""


@pytest.mark.parametrize("step", ["key", "first chunk", "head", "written down"])
def test_a_submit_that_is_killed_leaves_nothing_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Killed after each of its steps, in turn: what it made goes two days later, unless its job was written down."""
    file = desk.folder / "members.csv"
    made_up_members(20, 3).write_csv(file)

    async def work(parts: Parts) -> None:
        with monkeypatch.context() as killing:
            _kill_after(step, parts, killing)
            into = await intake_parts(parts, REGISTRY)
            request = submit_request("P001", into.rules, file.name)
            with pytest.raises(Killed):
                await receive.receive(file, request, into, By("test", "test"), parts.clock.now())
        assert len(parts.keys.jobs()) == 1
        assert len(await parts.spool.blobs()) == (0 if step == "key" else 1)
        clock = ManualClock(parts.clock.now())
        await sweep_for(Orphans(parts.ledger, parts.keys, parts.spool, clock), clock, 2 * SAFE_MS)
        is_kept = step == "written down"
        assert (len(parts.keys.jobs()), len(await parts.spool.blobs())) == ((1, 1) if is_kept else (0, 0))

    desk.within(work)


def _kill_after(step: str, parts: Parts, killing: pytest.MonkeyPatch) -> None:
    """End the process once a step is done: its clean-up does not run either."""

    async def no_cleanup(*_: object) -> None:
        raise Killed

    killing.setattr(receive, "_forget", no_cleanup)

    def dying(done: Callable[..., Awaitable[object]], is_last: Callable[..., bool]) -> object:
        async def call(*given: object, **named: object) -> object:
            result = await done(*given, **named)
            if is_last(*given):
                raise Killed
            return result

        return call

    if step == "key":
        create = parts.keys.create

        def create_and_die(job: str) -> object:
            create(job)
            raise Killed

        killing.setattr(parts.keys, "create", create_and_die)
    elif step == "written down":
        killing.setattr(parts.ledger, "receive", dying(parts.ledger.receive, lambda *_: True))
    else:
        number = {"first chunk": 1, "head": 0}[step]
        killing.setattr(parts.spool, "put", dying(parts.spool.put, lambda _, chunk, __: chunk == number))
