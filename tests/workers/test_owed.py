"""What lost leases have out is told until it is answered, the gate says that it is over, or it cannot arrive any more."""

import asyncio
from typing import Any

from domain.policy import RegistryRules
from domain.quota import BoundBy
from tests.workers.bench import Bench
from tests.workers.pacing import Desk
from tests.workers.surroundings import serve
from tests.workers.waiting import until
from tests.workers.wires.scripted import Scripted
from workers.ending import Reason
from workers.owed import AGAIN_S, IDLE_S, LAST_PERMIT_MS, LOST_S, SOON_S, Owed
from workers.seat import Seat

RULES = RegistryRules("reg", "party-members", "http://127.0.0.1", answer_timeout_s=2, settle_s=8)
KEPT_MS = 10_000 + LAST_PERMIT_MS


class Ledger:
    """A desk at the pacer, and beside it what its sessions leave."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.owed = Owed("reg", self.desk.pacer._quotas, self.desk.clock, self.desk.events.append)

    async def sent(self, count: int, account: str = "A1") -> Seat:
        """Return the seat of a session that has sent so many records."""
        seat = self.desk.sit(account, count)
        await self.desk.pacer.run_once()
        seat.spend(count)
        return seat

    @property
    def told(self) -> list[tuple[int, int]]:
        """Sent and settled, as each telling said it of the first lease."""
        return [(debts[0].sent, debts[0].settled) for debts in self.desk.gate.debts]


async def test_a_lost_lease_is_told_with_its_answers_until_all_are_read() -> None:
    """While its session reads on, totals are told soon; the last telling says that nothing is out, and there is none after that."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.lose(seat, RULES)
    assert await books.owed.run_once() == SOON_S
    seat.settle(3)
    assert await books.owed.run_once() == SOON_S
    seat.settle(2)
    books.owed.leave(seat, RULES)
    assert await books.owed.run_once() == IDLE_S
    assert await books.owed.run_once() == IDLE_S
    assert books.told == [(5, 0), (5, 3), (5, 5)]


async def test_what_was_answered_before_it_could_be_told_is_never_told() -> None:
    """Redis lost, and everything else well: the gate hears nothing of it, and the next generation is not held up."""
    books = Ledger()
    books.desk.gate.is_lost = True
    seat = books.desk.sit("A1", 0)
    books.owed.lose(seat, RULES)
    assert await books.owed.run_once() == SOON_S
    books.owed.leave(seat, RULES)
    assert await books.owed.run_once() == IDLE_S
    assert books.told == []


async def test_what_nobody_answers_is_told_once_a_second_until_it_cannot_arrive() -> None:
    """Each telling says for how long it may still arrive, from when the lease was first lost; the session's own end changes nothing."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.lose(seat, RULES)
    books.desk.clock.advance(3_000)
    books.owed.lose(seat, RULES)
    books.owed.leave(seat, RULES)
    assert await books.owed.run_once() == AGAIN_S
    books.desk.clock.advance(KEPT_MS - 3_001)
    assert await books.owed.run_once() == AGAIN_S
    assert [debts[0].for_ms for debts in books.desk.gate.debts] == [KEPT_MS - 3_000, 1]
    books.desk.clock.advance(1)
    assert await books.owed.run_once() == IDLE_S
    assert len(books.told) == 2


async def test_a_session_that_gave_its_lease_back_leaves_what_was_not_answered() -> None:
    """The gate knows of it, and may be lost; one that has nothing out leaves nothing."""
    books = Ledger()
    seat, other = await books.sent(5), await books.sent(4, "A2")
    other.settle(4)
    books.owed.leave(seat, RULES)
    books.owed.leave(other, RULES)
    await books.owed.run_once()
    assert [[debt.lease.account for debt in debts] for debts in books.desk.gate.debts] == [["A1"]]


async def test_what_the_gate_holds_to_be_over_is_forgotten() -> None:
    """A fencing log-in was answered, here or elsewhere: another generation need not hold room for it."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.leave(seat, RULES)
    await books.owed.run_once()
    books.desk.gate.over.add(seat.lease.token)
    assert await books.owed.run_once() == IDLE_S
    await books.owed.run_once()
    assert len(books.told) == 2


async def test_what_is_over_is_kept_while_its_session_reads_on() -> None:
    """Should another generation begin meanwhile, it is told with the time that is left since the lease was lost."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.lose(seat, RULES)
    books.desk.gate.over.add(seat.lease.token)
    assert await books.owed.run_once() == SOON_S
    books.desk.clock.advance(3_000)
    books.desk.gate.over.clear()
    assert await books.owed.run_once() == SOON_S
    assert [debts[0].for_ms for debts in books.desk.gate.debts] == [KEPT_MS, KEPT_MS - 3_000]


async def test_while_the_gate_is_lost_it_is_asked_again_soon_and_nothing_is_forgotten() -> None:
    """Draws of a new generation begin one answer time-out later: all is told before that. An answer told in vain is told again."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.leave(seat, RULES)
    await books.owed.run_once()
    books.desk.gate.is_lost = True
    assert await books.owed.run_once() == LOST_S
    books.desk.gate.is_lost = False
    assert await books.owed.run_once() == AGAIN_S
    assert books.told == [(5, 0), (5, 0)]


async def test_a_telling_that_nobody_answered_may_have_been_heard() -> None:
    """The gate may hold it reserved by now: that all is answered is told all the same, and then no more."""
    books = Ledger()
    seat = await books.sent(5)
    books.owed.lose(seat, RULES)
    books.desk.gate.is_lost = True
    assert await books.owed.run_once() == LOST_S
    seat.settle(5)
    books.owed.leave(seat, RULES)
    assert await books.owed.run_once() == LOST_S
    books.desk.gate.is_lost = False
    assert await books.owed.run_once() == IDLE_S
    assert books.told == [(5, 5)]


def silent(_: str) -> dict[str, Any]:
    """Take a record, and never answer."""
    return {"do": "silence"}


async def test_a_session_whose_answers_never_come_leaves_them_owed(work: Bench, server: Scripted) -> None:
    """The lease is lost while records are out: they are told at once, by the loop beside the sessions, and still when it is over."""
    server.script = silent
    work.gate.total = 5
    work.gate.bound_by = BoundBy.ACCOUNT
    work.ledger.add_slice(20)
    work.station.owed.start()
    running = asyncio.ensure_future(serve(work))
    await until(lambda: len(server.arrived) == 1)
    work.gate.is_alive = False
    await until(lambda: work.gate.debts)
    assert not running.done()
    assert (await running).reason is Reason.LEASE
    seen = len(work.gate.debts)
    await until(lambda: len(work.gate.debts) > seen)
    (debt,) = work.gate.debts[-1]
    assert (debt.lease.account, debt.sent, debt.settled) == ("A1", 5, 0)
    assert work.gate.released == []
    await work.station.owed.stop()


async def test_a_session_that_ends_with_its_lease_leaves_what_was_not_answered_as_well(
    work: Bench, server: Scripted
) -> None:
    """The gate is told with the lease given back, and may then be lost: the totals stay here, and are told no sooner than that."""
    server.script = silent
    work.gate.total = 5
    work.ledger.add_slice(20)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: len(server.arrived) == 1)
    assert await work.station.owed.run_once() == IDLE_S
    assert (await running).reason is Reason.FAULT
    assert [line.sent for line, _ in work.gate.released] == [5]
    assert await work.station.owed.run_once() == AGAIN_S
    assert [(debt.sent, debt.settled) for debt in work.gate.debts[0]] == [(5, 0)]
