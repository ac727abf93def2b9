"""Ticks: drawing from three buckets together, settling by totals, renewing, and healing what the network lost."""

import asyncio

import pytest

from domain.quota import AccountQuota, BoundBy, Share
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry


async def test_a_draw_reserves_and_an_answer_spends(gate: Gate) -> None:
    """Reserved records cannot be drawn again; answered ones have left the level."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    (permit,) = await process.tick([session], want=15)
    assert (permit.granted, permit.bound_by, permit.alive, permit.ending) == (
        15,
        BoundBy.NOTHING,
        True,
        False,
    )
    assert (permit.valid_ms, permit.retry_after_ms) == (400, 0)
    session.send_all()
    (permit,) = await process.tick([session], want=15)
    assert (permit.granted, permit.bound_by) == (4, BoundBy.ACCOUNT)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.parties["P1"].outstanding) == (19, 19)
    session.send_all()
    session.settle_all()
    await process.tick([session])
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.sent, usage.parties["P1"].sent) == (0, 19, 19)
    assert 780 < usage.level <= 781


@pytest.mark.parametrize(("told_late_ms", "level"), [(0, 5.0), (150, 7.99), (10_000, 8.99)])
async def test_a_full_bucket_refills_from_when_an_answer_was_read(
    gate: Gate, told_late_ms: int, level: float
) -> None:
    """An answer told late costs a full bucket nothing; one said to be older than its draw counts from the draw."""
    await gate.open(accounts={"a1": AccountQuota(20, 20)}, shares={"P1": Share(20, 20, 5000)})
    process, session = Process(gate), Session(await gate.take())
    await gate.pass_time(1_000)
    assert (await process.tick([session], want=15))[0].granted == 15
    session.send_all()
    gate.clock.advance(200)
    session.settle_all()
    session.ago = told_late_ms
    await process.tick([session])
    assert (await gate.quotas.usage(REGISTRY)).parties["P1"].level == pytest.approx(level, abs=0.02)


async def test_a_share_written_again_and_others_draws_cost_a_late_answer_nothing(gate: Gate) -> None:
    """Meanwhile the leader writes the same share, and another session draws: the bucket refills from when the answer was read."""
    accounts, shares = dict.fromkeys(("a1", "a2"), AccountQuota(20, 20)), {"P1": Share(20, 20, 5000)}
    await gate.open(accounts=accounts, shares=shares)
    process = Process(gate)
    session, other = Session(await gate.take("a1")), Session(await gate.take("a2"))
    await gate.pass_time(1_000)
    assert (await process.tick([session], want=15))[0].granted == 15
    session.send_all()
    session.settle_all()
    session.ago = 150
    gate.clock.advance(150)
    await gate.quotas.set_shares(REGISTRY, 1, shares, 800)
    assert (await process.tick([other], want=1))[0].granted == 1
    assert (await gate.quotas.usage(REGISTRY)).standing > 0
    await process.tick([session])
    assert (await gate.quotas.usage(REGISTRY)).parties["P1"].level == pytest.approx(8.0, abs=0.02)


async def test_the_smallest_of_three_binds_and_a_part_is_granted(gate: Gate) -> None:
    """Account, party and registry are drawn together, as much as all allow, and the answer names which bound."""
    for burst_a, burst_p, burst_r, word in ((5, 9, 9, "account"), (9, 5, 9, "party"), (9, 9, 5, "registry")):
        await gate.client.flushall()
        await gate.open(
            registry(rate=100, burst=burst_r),
            {"a1": AccountQuota(100, burst_a)},
            {"P1": Share(100, burst_p, 5000)},
        )
        session = Session(await gate.take())
        (permit,) = await Process(gate).tick([session], want=8)
        assert (permit.granted, permit.bound_by.value) == (5, word)
        usage = await gate.quotas.usage(REGISTRY)
        assert (usage.outstanding, usage.parties["P1"].outstanding, usage.sessions[0].outstanding) == (
            5,
            5,
            5,
        )
        assert usage.parties["P1"].bound_by is BoundBy(word)


async def test_retry_after_is_when_the_next_one_can_be_drawn(gate: Gate) -> None:
    """After the time told one record can be drawn, and not before."""
    await gate.open(accounts={"a1": AccountQuota(20, 20)})
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=18)
    session.send_all()
    session.settle_all()
    (permit,) = await process.tick([session], want=5)
    session.send_all()
    session.settle_all()
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.bound_by) == (0, BoundBy.ACCOUNT)
    gate.clock.advance(permit.retry_after_ms - 1)
    assert (await process.tick([session], want=1))[0].granted == 0
    gate.clock.advance(1)
    assert (await process.tick([session], want=1))[0].granted == 1


async def test_a_lost_answer_heals_with_the_next_tick(gate: Gate) -> None:
    """What a tick granted and nobody learnt of is returned by the next one."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    (lost,) = await process.unheard_tick([session], want=10)
    assert (lost.granted, await gate.outstanding()) == (10, 10)
    (permit,) = await process.tick([session], want=20)
    assert (permit.granted, await gate.outstanding()) == (19, 19)


async def test_the_same_tick_again_changes_nothing_and_grants_nothing(gate: Gate) -> None:
    """A tick whose number does not rise, repeated or overtaken, has no effect and grants nothing."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=3)
    session.send_all()
    before = await gate.quotas.usage(REGISTRY)
    for number in (process.tick_no, process.tick_no - 1):
        session.settled = 3
        (permit,) = await gate.quotas.tick(REGISTRY, "w1", number, [session.line(want=5)])
        assert (permit.alive, permit.granted, permit.valid_ms) == (True, 0, 0)
    assert await gate.quotas.usage(REGISTRY) == before


async def test_lapsed_permits_are_returned(gate: Gate) -> None:
    """Permits that lapsed in the holder's hand can be drawn again at once, and cost nothing."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=19)
    session.lapsed = 19
    (permit,) = await process.tick([session], want=19)
    assert (permit.granted, await gate.outstanding()) == (19, 19)
    assert (await gate.quotas.usage(REGISTRY)).level > 799


async def test_a_step_of_the_machines_clock_is_worth_300_ms_at_most(gate: Gate) -> None:
    """An hour forward refills for 300 ms; an hour back refills nothing and time goes on from there."""
    await gate.open(accounts={"a1": AccountQuota(20, 20)})
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=19)
    session.send_all()
    session.settle_all()
    await process.tick([session])
    before = await gate.quotas.usage(REGISTRY)
    gate.clock.advance(3_600_000)
    after = await gate.quotas.usage(REGISTRY)
    assert after.gate_at - before.gate_at == 300
    gate.clock.advance(-7_200_000)
    back = await gate.quotas.usage(REGISTRY)
    assert back.gate_at == after.gate_at
    gate.clock.advance(50)
    assert (await gate.quotas.usage(REGISTRY)).gate_at == after.gate_at + 50
    await gate.share({"P1": Share(80, 80, 5000)})
    (permit,) = await process.tick([session], want=20)
    assert 6 <= permit.granted <= 8


async def test_one_call_serves_many_sessions_in_the_order_of_their_lines(gate: Gate) -> None:
    """Answers stand in the order of the lines, whoever was served first inside."""
    accounts = {f"a{i}": AccountQuota(20, i) for i in range(1, 31)}
    await gate.open(accounts=accounts, shares={"P1": Share(400, 800, 5000)}, fill_ms=3000)
    sessions = [Session(await gate.take(name)) for name in accounts]
    for _ in range(3):
        permits = await Process(gate, "w1", tick_no=_).tick(sessions, want=50)
        assert [p.granted for p in permits] == list(range(1, 31))
        for session in sessions:
            session.lapsed = session.granted


async def test_a_stranger_or_an_unknown_account_is_not_alive(gate: Gate) -> None:
    """A line whose token is not the account's own is answered with a lost lease and changes nothing."""
    await gate.open()
    lease = await gate.take()
    stranger = Session(
        type(lease)(REGISTRY, "P1", "a1", "w2", lease.token + 1, 1), granted=5, sent=5, settled=5
    )
    unknown = Session(type(lease)(REGISTRY, "P1", "zz", "w2", lease.token, 1))
    before = await gate.quotas.usage(REGISTRY)
    permits = await Process(gate, "w2").tick([stranger, unknown], want=5)
    assert [(p.alive, p.granted, p.bound_by) for p in permits] == [(False, 0, BoundBy.LEASE_LOST)] * 2
    assert await gate.quotas.usage(REGISTRY) == before


async def test_an_empty_tick_is_answered_with_nothing(gate: Gate) -> None:
    """A process without sessions may tick."""
    await gate.open()
    assert await asyncio.wait_for(Process(gate).tick([]), 5) == []
