"""Ticks: drawing from three buckets together, settling by totals, renewing, and healing what the network lost."""

import asyncio

from domain.quota import AccountQuota, BoundBy, Share
from domain.wire import Scope
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
    assert (permit.valid_ms, permit.retry_after_ms) == (1000, 0)
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


async def test_a_permit_is_valid_for_the_least_of_window_lease_and_a_second(gate: Gate) -> None:
    """Near the instant until which the party may draw, permits are valid for what is left only; after it none is granted."""
    await gate.open(registry(lease_ms=700))
    process, session = Process(gate), Session(await gate.take())
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.valid_ms, permit.lease_left_ms) == (1, 700, 700)
    await gate.share({"P1": Share(80, 80, 300)})
    gate.clock.advance(100)
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.valid_ms) == (1, 200)
    gate.clock.advance(200)
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.valid_ms, permit.bound_by, permit.alive) == (0, 0, BoundBy.WINDOW, True)


async def test_a_window_ends_on_time_although_the_server_stood_still(gate: Gate) -> None:
    """While the server stands still its gate clock lags; the end of a window does not."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await gate.share({"P1": Share(80, 80, 1500)})
    gate.clock.advance(1600)
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.bound_by) == (0, BoundBy.WINDOW)


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


async def test_zero_means_closed_whatever_stands_in_the_buckets(gate: Gate) -> None:
    """A rate of zero, of the registry, of a share or of an account, lets nothing through."""
    await gate.open(accounts={"a1": AccountQuota(20, 20), "a2": AccountQuota(0, 20)})
    process, session = Process(gate), Session(await gate.take())
    assert await gate.refused("a2") is BoundBy.ACCOUNT
    await gate.share({"P1": Share(80, 80, 5000)}, rate=0)
    assert (await process.tick([session], want=5))[0].bound_by is BoundBy.REGISTRY
    await gate.share({"P1": Share(0, 80, 5000)})
    assert (await process.tick([session], want=5))[0].bound_by is BoundBy.PARTY
    await gate.share({"P1": Share(80, 80, 0)})
    assert (await process.tick([session], want=5))[0].bound_by is BoundBy.WINDOW
    await gate.share({"P1": Share(80, 80, 5000)})
    await gate.quotas.limit_account(session.lease, AccountQuota(0, 20))
    assert (await process.tick([session], want=5))[0].bound_by is BoundBy.ACCOUNT
    assert await gate.outstanding() == 0


async def test_limits_told_at_log_in_bind_for_that_lease_only(gate: Gate) -> None:
    """The lower of policy and what the registrar told binds; the next lease begins with policy again."""
    await gate.open(accounts={"a1": AccountQuota(20, 20)})
    process, session = Process(gate), Session(await gate.take())
    await gate.quotas.limit_account(session.lease, AccountQuota(5, 5))
    assert (await process.tick([session], want=20))[0].granted == 5
    session.lapsed = session.granted
    await gate.quotas.release(session.line(), logged_out=True)
    second = Session(await gate.take())
    await gate.pass_time(2000)
    await gate.share({"P1": Share(80, 80, 5000)})
    assert (await process.tick([second], want=20))[0].granted == 20
    await gate.quotas.limit_account(second.lease, AccountQuota(500, 500))
    second.lapsed = second.granted
    await gate.pass_time(2000)
    await gate.share({"P1": Share(80, 80, 5000)})
    assert (await process.tick([second], want=50))[0].granted == 20


async def test_hold_stops_and_releases_at_once(gate: Gate) -> None:
    """A held party or registry draws nothing from the next tick on; sessions live on; release lets go."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    for party in ("P1", None):
        await gate.quotas.hold(REGISTRY, party, on=True)
        (permit,) = await process.tick([session], want=1)
        assert (permit.alive, permit.granted, permit.bound_by) == (True, 0, BoundBy.HOLD)
        assert await gate.refused("a2") is BoundBy.HOLD
        assert (await gate.quotas.usage(REGISTRY)).held is (party is None)
        await gate.quotas.hold(REGISTRY, party, on=False)
        assert (await process.tick([session], want=1))[0].granted == 1


async def test_a_pushback_binds_the_scope_it_names_until_it_is_over(gate: Gate) -> None:
    """Nothing is drawn in that scope before Retry-After is over; others go on; a shorter one does not shorten it."""
    accounts = {name: AccountQuota(20, 20) for name in ("a1", "a2", "b1")}
    shares = {"P1": Share(80, 80, 5000), "P2": Share(80, 80, 5000)}
    for scope, who, stopped in (
        (Scope.ACCOUNT, "a1", {"a1"}),
        (Scope.PARTY, "P1", {"a1", "a2"}),
        (Scope.REGISTRY, "", {"a1", "a2", "b1"}),
    ):
        await gate.client.flushall()
        await gate.open(accounts=accounts, shares=shares)
        process = Process(gate)
        sessions = [Session(await gate.take(a, "P2" if a == "b1" else "P1")) for a in accounts]
        await gate.quotas.push_back(REGISTRY, scope, who, 700)
        await gate.quotas.push_back(REGISTRY, scope, who, 100)
        permits = await process.tick(sessions, want=1)
        assert {s.lease.account for s, p in zip(sessions, permits, strict=True) if not p.granted} == stopped
        assert {p.bound_by for p in permits if not p.granted} == {BoundBy.PUSHBACK}
        assert {p.retry_after_ms for p in permits if not p.granted} == {700}
        assert (await gate.quotas.usage(REGISTRY)).signals.closed_ms == (
            700 if scope is Scope.REGISTRY else 0
        )
        await gate.pass_time(700)
        assert [p.granted for p in await process.tick(sessions, want=1)] == [1, 1, 1]


async def test_a_withdrawn_account_is_told_to_end_and_cannot_be_taken(gate: Gate) -> None:
    """An account that the newest configuration does not name draws nothing more, settles what it sent, and is not leased again."""
    await gate.open()
    process, session, other = Process(gate), Session(await gate.take("a1")), Session(await gate.take("a2"))
    await process.tick([session, other], want=3)
    session.send_all()
    await gate.quotas.configure(registry(), {"a2": AccountQuota(20, 20)})
    gone, stays = await process.tick([session, other], want=3)
    assert (gone.alive, gone.ending, gone.granted, gone.valid_ms) == (True, True, 0, 0)
    assert (stays.ending, stays.granted) == (False, 3)
    session.settle_all()
    await process.tick([session, other])
    assert not await gate.quotas.renew(session.lease)
    await gate.quotas.release(session.line(), logged_out=True)
    assert await gate.refused("a1") is BoundBy.ACCOUNT


async def test_sessions_are_told_to_end(gate: Gate) -> None:
    """`end_sessions` reaches the named accounts' sessions and nobody else; the account is free for the next turn."""
    await gate.open()
    process, session, other = Process(gate), Session(await gate.take("a1")), Session(await gate.take("a2"))
    await gate.quotas.end_sessions(REGISTRY, ["a1", "a3", "nobody"])
    ends, stays = await process.tick([session, other], want=1)
    assert (ends.ending, ends.granted, stays.ending, stays.granted) == (True, 0, False, 1)
    await gate.quotas.release(session.line(), logged_out=True)
    again = Session(await gate.take("a1"))
    assert (await process.tick([again], want=1))[0].granted == 1


async def test_a_partys_leases_share_its_bucket_fairly_however_often_they_ask(gate: Gate) -> None:
    """A process that ticks five times as often gets no more of its party's share than one that ticks once."""
    await gate.open(
        accounts={"a1": AccountQuota(100, 10), "a2": AccountQuota(100, 10)},
        shares={"P1": Share(20, 20, 5000)},
    )
    fast, slow = Process(gate, "fast"), Process(gate, "slow")
    a1, a2 = Session(await gate.take("a1", holder="fast")), Session(await gate.take("a2", holder="slow"))
    for round_no in range(300):
        gate.clock.advance(10)
        if round_no % 100 == 0:
            await gate.share({"P1": Share(20, 20, 5000)})
        await fast.tick([a1], want=4)
        a1.send_all()
        a1.settle_all()
        if round_no % 5 == 0:
            await slow.tick([a2], want=4)
            a2.send_all()
            a2.settle_all()
    assert a1.granted + a2.granted >= 0.99 * (20 + 60) - 2
    assert abs(a1.granted - a2.granted) <= 5


async def test_what_one_lease_does_not_want_the_other_gets(gate: Gate) -> None:
    """A party's share is not left unused because one of its sessions has nothing to send."""
    await gate.open(
        accounts={"a1": AccountQuota(100, 10), "a2": AccountQuota(100, 10)},
        shares={"P1": Share(20, 20, 5000)},
    )
    process = Process(gate)
    a1, a2 = Session(await gate.take("a1")), Session(await gate.take("a2"))
    for _ in range(150):
        gate.clock.advance(20)
        await process.tick([a1, a2], want=[5, 0])
        a1.send_all()
        a1.settle_all()
    assert a1.granted >= 76


async def test_parties_get_their_shares_of_a_registry_that_binds(gate: Gate) -> None:
    """With shares that fill the registry exactly, each party gets its own, also the one whose lines stand last."""
    accounts = {f"a{i}": AccountQuota(100, 100) for i in range(4)}
    shares = {f"P{i}": Share(rate, 20, 5000) for i, rate in enumerate((40, 30, 20, 10))}
    await gate.open(registry(rate=100, burst=25), accounts, shares)
    process = Process(gate)
    sessions = [Session(await gate.take(f"a{i}", f"P{i}")) for i in range(4)]
    for round_no in range(500):
        gate.clock.advance(20)
        if round_no % 100 == 0:
            await gate.share(shares, 100)
        await process.tick(sessions, want=20)
        for session in sessions:
            session.send_all()
            session.settle_all()
    got = [s.granted for s in sessions]
    assert sum(got) >= 0.99 * (25 + 1000) - 2
    assert all(abs(g - r * 10) <= 22 for g, r in zip(got, (40, 30, 20, 10), strict=True)), got


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
