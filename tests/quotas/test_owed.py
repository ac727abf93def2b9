"""What lost leases still owe: the gate that forgot it is told, and holds room for it until it cannot arrive any more."""

import pytest

from domain.errors import GateLost
from domain.quota import AccountQuota, BoundBy, Debt, Lease, Share
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry

#: a lease of the generation before
OLD = Lease(REGISTRY, "P1", "a1", "w1", token=2**32 + 7, generation=1)
QUOTA = registry(rate=20, burst=20, answer_timeout_ms=1000, settle_ms=2000)


def owing(sent: int = 8, settled: int = 0, lease: Lease = OLD, for_ms: int = 6_000) -> Debt:
    """What a lease has out."""
    return Debt(lease, sent, settled, for_ms)


async def after_a_loss(gate: Gate, fill_ms: int = 100, *, newest_wins: bool = True) -> None:
    """Begin generation 2; its buckets begin to fill two seconds later."""
    quota = registry(
        rate=20, burst=20, answer_timeout_ms=1000, settle_ms=2000, newest_wins=newest_wins, lease_ms=9_000
    )
    await gate.open(quota, fill_ms=fill_ms, shares={"P1": Share(20, 20, 5000)}, generation=2)
    await gate.share({"P1": Share(20, 20, 5000)}, 20)


async def room(gate: Gate, account: str = "a2") -> int:
    """How many records another account may send now, the buckets as full as they get."""
    await gate.share({"P1": Share(20, 20, 5000)}, 20)
    session = Session(await gate.take(account))
    (permit,) = await Process(gate, holder=f"of {account}").tick([session], want=99)
    return permit.granted


async def test_what_was_sent_before_the_loss_keeps_its_room_until_it_cannot_arrive(gate: Gate) -> None:
    """It stands in all three buckets like a dead session's, is told once more without counting twice, and is spent at last."""
    await after_a_loss(gate)
    for _ in range(2):
        assert await gate.quotas.owe(REGISTRY, [owing()]) == [True]
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.parties["P1"].outstanding) == (8, 8)
    (ghost,) = usage.sessions
    assert (ghost.account, ghost.outstanding, ghost.left_ms, ghost.quarantined) == ("a1", 8, 6_000, True)
    await gate.pass_time(5_900)
    assert await room(gate) == 20 - 8
    await gate.pass_time(100)
    assert await gate.outstanding() == 12
    assert await gate.quotas.owe(REGISTRY, [owing()]) == [False]
    assert await gate.outstanding() == 12
    assert (await gate.quotas.usage(REGISTRY)).level == pytest.approx(12, abs=0.1)


async def test_answers_that_come_before_anything_is_drawn_cost_nothing(gate: Gate) -> None:
    """Redis lost, and everything else well: what is answered meanwhile leaves no trace when the buckets begin to fill."""
    await after_a_loss(gate)
    assert await gate.quotas.owe(REGISTRY, [owing(8, 0)]) == [True]
    assert await gate.quotas.owe(REGISTRY, [owing(8, 5)]) == [True]
    assert await gate.outstanding() == 3
    assert await gate.quotas.owe(REGISTRY, [owing(8, 8)]) == [False]
    assert (await gate.quotas.usage(REGISTRY)).sessions == ()
    await gate.pass_time(2_900)
    assert (await gate.quotas.usage(REGISTRY)).level == pytest.approx(20, abs=0.1)


async def test_answers_that_come_later_are_spent_as_they_are_told(gate: Gate) -> None:
    """A telling that comes late, with totals of before, changes nothing any more."""
    await after_a_loss(
        gate, 12_000
    )  # so long that its party, of which nothing was heard since, is not shown any more
    await gate.quotas.owe(REGISTRY, [owing(8, 0)])
    await gate.quotas.owe(REGISTRY, [owing(8, 5)])
    for late in (owing(8, 0), owing(8, 5), owing(8, 3)):
        assert await gate.quotas.owe(REGISTRY, [late]) == [True]
    usage = await gate.quotas.usage(REGISTRY)
    assert usage.outstanding == 3
    assert usage.level == pytest.approx(20 - 5, abs=0.1)
    await gate.quotas.owe(REGISTRY, [owing(8, 8)])
    assert await gate.quotas.owe(REGISTRY, [owing(8, 0)]) == [False]
    usage = await gate.quotas.usage(REGISTRY)
    assert usage.outstanding == 0
    assert (usage.level, usage.parties["P1"].level) == pytest.approx((20 - 8, 20 - 8), abs=0.1)


async def test_a_fencing_log_in_spends_what_was_owed_where_the_newest_session_wins(gate: Gate) -> None:
    """The registrar has ended the old session: what it sent has arrived, or is refused; told again it is over."""
    await after_a_loss(gate)
    await gate.quotas.owe(REGISTRY, [owing()])
    await gate.pass_time(3_500)
    session = Session(await gate.take("a1"))
    await gate.quotas.fenced(session.lease)
    usage = await gate.quotas.usage(REGISTRY)
    assert usage.outstanding == 0
    assert usage.level == pytest.approx(20 - 8, abs=0.1)
    assert await gate.quotas.owe(REGISTRY, [owing()]) == [False]
    assert await gate.quotas.owe(REGISTRY, [owing(8, 8)]) == [False]
    assert (await gate.quotas.usage(REGISTRY)).level == pytest.approx(20 - 8, abs=0.1)


async def test_a_log_in_fences_nothing_where_the_newest_session_does_not_win(gate: Gate) -> None:
    """The old session may live on, and with it what it sent."""
    await after_a_loss(gate, newest_wins=False)
    await gate.quotas.owe(REGISTRY, [owing()])
    await gate.pass_time(3_500)
    session = Session(await gate.take("a1"))
    await gate.quotas.fenced(session.lease)
    assert await gate.outstanding() == 8
    (permit,) = await Process(gate).tick([session], want=99)
    assert permit.granted == 20 - 8


@pytest.mark.parametrize(("newest_wins", "outstanding"), [(True, 0), (False, 8)])
async def test_what_is_told_only_after_a_new_session_has_sent_counts_as_arrived_if_that_fenced_it(
    gate: Gate, newest_wins: bool, outstanding: int
) -> None:
    """A process that slept hears of the new generation late: it must slow the registry down, and not stop it for minutes."""
    await after_a_loss(gate, 3_500, newest_wins=newest_wins)
    process, session = Process(gate), Session(await gate.take("a1"))
    await gate.quotas.fenced(session.lease)
    await process.tick([session], want=15)
    session.send_all()
    session.settle_all()
    await process.tick([session])
    assert await gate.quotas.owe(REGISTRY, [owing()]) == [not newest_wins]
    usage = await gate.quotas.usage(REGISTRY)
    assert usage.outstanding == outstanding
    assert usage.level == pytest.approx(5 + outstanding - 8, abs=0.1)


async def test_two_lost_leases_of_one_account_count_each_for_itself(gate: Gate) -> None:
    """The answers of one do not free what the other has out, nor does the end of one's time."""
    await after_a_loss(gate)
    other = Lease(REGISTRY, "P1", "a1", "w2", token=2**32 + 9, generation=1)
    assert await gate.quotas.owe(REGISTRY, [owing(4), owing(5, lease=other, for_ms=1_000)]) == [True, True]
    await gate.pass_time(1_100)
    assert await gate.outstanding() == 9
    assert await gate.quotas.owe(REGISTRY, [owing(4, 4), owing(5, lease=other)]) == [False, True]
    assert await gate.outstanding() == 5


async def test_an_account_that_was_withdrawn_still_owes_in_its_party_and_the_registry(gate: Gate) -> None:
    """The policy of the new generation does not name it; what it sent arrives all the same, and nobody can take it."""
    await after_a_loss(gate)
    gone = Lease(REGISTRY, "P1", "gone", "w1", token=2**32 + 1, generation=1)
    assert await gate.quotas.owe(REGISTRY, [owing(lease=gone)]) == [True]
    await gate.pass_time(3_500)
    assert await gate.refused("gone") is BoundBy.ACCOUNT
    assert await room(gate) == 20 - 8


async def test_debts_told_before_accounts_are_configured_stand(gate: Gate) -> None:
    """A worker may hear of the new generation before the scheduler has written its accounts: until then nobody can take them."""
    await gate.quotas.begin(2, QUOTA)
    assert await gate.quotas.owe(REGISTRY, [owing()]) == [True]
    await gate.pass_time(2_000)
    assert await gate.refused("a1") is await gate.refused("a2") is BoundBy.ACCOUNT
    await gate.quotas.configure(QUOTA, {"a1": AccountQuota(20, 10), "a2": AccountQuota(20, 20)})
    await gate.share({"P1": Share(20, 20, 5000)}, 20)
    await gate.pass_time(1_500)
    assert await room(gate, "a1") == 10 - 8
    assert await room(gate, "a2") == 20 - 8 - 2


async def test_of_its_own_generation_s_leases_the_gate_knows_itself(gate: Gate) -> None:
    """Nothing is counted twice; a lease of which nothing is out any more need not be told again."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=5)
    session.send_all()
    own = owing(session.sent, 0, session.lease)
    assert await gate.quotas.owe(REGISTRY, [own]) == [True]
    await gate.quotas.release(session.line(), logged_out=True)
    assert await gate.quotas.owe(REGISTRY, [own]) == [True]
    assert await gate.outstanding() == 5
    await gate.pass_time(1_500)
    assert await gate.outstanding() == 0
    assert await gate.quotas.owe(REGISTRY, [own]) == [False]


async def test_a_gate_without_a_generation_of_its_own_is_told_later(gate: Gate) -> None:
    """An empty server, and one that came back with a copy's keys, will begin another generation: what was told would be lost."""
    with pytest.raises(GateLost):
        await gate.quotas.owe(REGISTRY, [owing()])
    await after_a_loss(gate)
    key = "pratunam:{reg}:gate"
    run = (await gate.client.info("server"))["run_id"]
    kept = await gate.client.get(key)
    assert isinstance(kept, bytes)
    await gate.client.set(key, kept.replace(run.encode(), b"0" * 40))
    with pytest.raises(GateLost):
        await gate.quotas.owe(REGISTRY, [owing()])


async def test_a_second_loss_is_told_of_the_first_one_s_debts_as_well(gate: Gate) -> None:
    """Each generation begins with nothing: it takes what is told of all before it."""
    await after_a_loss(gate)
    await gate.quotas.owe(REGISTRY, [owing()])
    await gate.client.flushall()
    await gate.open(QUOTA, fill_ms=100, generation=3)
    assert await gate.outstanding() == 0
    newer = Lease(REGISTRY, "P1", "a1", "w1", token=2 * 2**32 + 1, generation=2)
    assert await gate.quotas.owe(REGISTRY, [owing(8, 2), owing(3, lease=newer)]) == [True, True]
    assert await gate.outstanding() == 9
