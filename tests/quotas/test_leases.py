"""Leases: one holder an account, session caps, and what becomes of sessions that die."""

import asyncio

from domain.quota import AccountQuota, BoundBy, Share
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry


async def test_an_account_has_one_holder_at_a_time(gate: Gate) -> None:
    """A taken account is refused, to its own holder too, until it is given back; tokens rise."""
    await gate.open()
    first = await gate.take()
    assert await gate.refused(holder="w2") is BoundBy.ACCOUNT
    assert await gate.refused(holder="w1") is BoundBy.ACCOUNT
    await gate.quotas.release(Session(first).line(), logged_out=True)
    second = await gate.take(holder="w2")
    assert second.token > first.token > 2**32
    assert not await gate.quotas.renew(first)
    await gate.quotas.release(Session(first).line(), logged_out=True)
    assert await gate.quotas.renew(second)


async def test_a_lease_that_is_not_renewed_ends_and_one_that_is_lives(gate: Gate) -> None:
    """A lease lives its time after the last renewal, by the gate's clock."""
    await gate.open()
    kept, left = await gate.take("a1"), await gate.take("a2")
    for _ in range(3):
        await gate.pass_time(3000)
        assert await gate.quotas.renew(kept)
    assert not await gate.quotas.renew(left)
    usage = await gate.quotas.usage(REGISTRY)
    assert [(s.account, s.token, s.left_ms, s.quarantined) for s in usage.sessions] == [
        ("a1", kept.token, 6000, False)
    ]


async def test_a_tick_keeps_a_lease_alive_for_at_least_five_seconds(gate: Gate) -> None:
    """The pacer's tick renews: the lease never has less than 5/6 of its time after one."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    for _ in range(40):
        gate.clock.advance(290)
        (permit,) = await process.tick([session])
        assert permit.alive
        assert 5000 <= permit.lease_left_ms <= 6000
    await gate.pass_time(6000)
    (permit,) = await process.tick([session], want=1)
    assert (permit.alive, permit.granted, permit.bound_by) == (False, 0, BoundBy.LEASE_LOST)


async def test_only_configured_accounts_of_open_parties_can_be_taken(gate: Gate) -> None:
    """An unknown account, and a party without a share that is open, are refused with the reason."""
    await gate.open()
    assert await gate.refused("nobody") is BoundBy.ACCOUNT
    assert await gate.refused("a1", "P9") is BoundBy.WINDOW
    await gate.share({"P1": Share(80, 80, 0)})
    assert await gate.refused("a1") is BoundBy.WINDOW


async def test_sessions_stay_within_the_registrys_and_the_partys_cap(gate: Gate) -> None:
    """Leases are refused when the registry's sessions or the party's are all in use."""
    accounts = {f"a{i}": AccountQuota(20, 20) for i in range(6)}
    shares = {"P1": Share(80, 80, 5000, sessions=2), "P2": Share(80, 80, 5000)}
    await gate.open(registry(sessions=3), accounts, shares)
    first = await gate.take("a0")
    await gate.take("a1")
    assert await gate.refused("a2") is BoundBy.SESSIONS
    await gate.take("a3", "P2")
    assert await gate.refused("a4", "P2") is BoundBy.SESSIONS
    await gate.quotas.release(Session(first).line(), logged_out=True)
    await gate.take("a4", "P2")


async def die(gate: Gate, sent: int = 5) -> Session:
    """A session that logs in, sends some records and is never heard of again until its lease has ended."""
    process, session = Process(gate, "dead"), Session(await gate.take("a1", holder="dead"))
    assert await gate.quotas.renew(session.lease)
    await gate.quotas.fenced(session.lease)
    await process.tick([session], want=sent)
    session.send_all()
    await process.tick([session])
    await gate.pass_time(6000)
    await gate.share({"P1": Share(80, 80, 5000)})
    return session


async def test_what_a_dead_session_had_outstanding_stays_reserved_until_it_cannot_arrive(gate: Gate) -> None:
    """Lease end + answer time-out + settle time: only then is it spent, in all three buckets, and the session no longer counts."""
    await gate.open(registry(settle_ms=500))
    await die(gate)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.parties["P1"].outstanding) == (5, 5)
    (ghost,) = usage.sessions
    assert (ghost.quarantined, ghost.outstanding, ghost.left_ms, ghost.holder) == (True, 5, 1500, "")
    await gate.pass_time(1499)
    assert await gate.outstanding() == 5
    before = (await gate.quotas.usage(REGISTRY)).level
    await gate.pass_time(1)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.sessions, before - usage.level) == (0, (), 5.0)


async def test_a_fencing_log_in_spends_what_the_dead_session_had(gate: Gate) -> None:
    """The account can be taken at once; when its new log-in was answered, the dead session is over."""
    await gate.open()
    await die(gate)
    new = Session(await gate.take("a1", holder="w2"))
    assert await gate.outstanding() == 5
    await gate.quotas.fenced(new.lease)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.level) == (0, 795.0)
    assert [s.outstanding for s in usage.sessions] == [0]
    (permit,) = await Process(gate, "w2").tick([new], want=20)
    assert permit.granted == 15


async def test_a_fencing_log_in_without_newest_wins_proves_nothing(gate: Gate) -> None:
    """Where an older session is not ended by a newer one, the account is out of use until nothing of it can arrive."""
    await gate.open(registry(newest_wins=False))
    await die(gate)
    assert await gate.refused("a1") is BoundBy.QUARANTINE
    await gate.pass_time(999)
    assert await gate.refused("a1") is BoundBy.QUARANTINE
    await gate.pass_time(1)
    assert await gate.outstanding() == 0
    await gate.take("a1")


async def test_records_on_their_way_outlive_a_log_in_that_fences_nobody(gate: Gate) -> None:
    """Without newest wins a new log-in spends nothing of what the session before it still has on the way."""
    await gate.open(registry(newest_wins=False))
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=4)
    session.send_all()
    await gate.quotas.release(session.line(), logged_out=True)
    await gate.quotas.fenced(await gate.take())
    assert await gate.outstanding() == 4


async def test_a_session_not_known_to_be_closed_counts_against_the_caps(gate: Gate) -> None:
    """A dead session holds its place; its own account may be taken again, since that log-in ends it."""
    accounts = {f"a{i}": AccountQuota(20, 20) for i in range(1, 4)}
    await gate.open(registry(sessions=1), accounts)
    await die(gate)
    assert await gate.refused("a2") is BoundBy.SESSIONS
    again = await gate.take("a1")
    await gate.quotas.release(Session(again).line(), logged_out=True)
    assert await gate.refused("a2") is BoundBy.SESSIONS
    again = await gate.take("a1")
    await gate.quotas.fenced(again)
    await gate.quotas.release(Session(again).line(), logged_out=True)
    await gate.take("a2")


async def test_a_release_without_log_out_counts_on_and_one_with_log_out_does_not(gate: Gate) -> None:
    """Only a session that was logged out is known to be closed."""
    await gate.open(registry(sessions=1))
    for logged_out in (True, False):
        session = Session(await gate.take("a1"))
        assert await gate.quotas.renew(session.lease)
        await gate.quotas.release(session.line(), logged_out=logged_out)
        if logged_out:
            other = await gate.take("a2")
            await gate.quotas.release(Session(other).line(), logged_out=True)
    assert await gate.refused("a2") is BoundBy.SESSIONS
    await gate.pass_time(1000)
    await gate.take("a2")


async def test_records_on_their_way_stay_reserved_after_a_log_out(gate: Gate) -> None:
    """A release with unanswered records keeps them reserved until they cannot arrive any more, and returns what was not sent."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=10)
    session.sent, session.settled = 6, 2
    await gate.quotas.release(session.line(), logged_out=True)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.level, usage.sent) == (4, 797.92, 6)
    await gate.pass_time(1000)
    assert await gate.outstanding() == 0


async def test_what_a_release_tells_counts_from_the_release(gate: Gate) -> None:
    """Its answers were read at some time before: a full bucket gains nothing by that."""
    await gate.open(accounts={"a1": AccountQuota(20, 20)}, shares={"P1": Share(20, 20, 5000)})
    process, session = Process(gate), Session(await gate.take())
    await gate.pass_time(1000)
    await process.tick([session], want=15)
    session.send_all()
    session.settle_all()
    session.ago = 200
    gate.clock.advance(200)
    await gate.quotas.release(session.line(), logged_out=True)
    assert (await gate.quotas.usage(REGISTRY)).parties["P1"].level == 5


async def test_a_lease_that_never_logged_in_leaves_nothing_behind(gate: Gate) -> None:
    """A lease whose answer was lost ends by itself and counts no longer, since its session never began."""
    await gate.open(registry(sessions=1, newest_wins=False))
    await gate.take("a1")
    await gate.pass_time(6000)
    await gate.share({"P1": Share(80, 80, 5000)})
    assert (await gate.quotas.usage(REGISTRY)).sessions == ()
    await gate.take("a2")


async def test_a_lease_given_back_before_any_log_in_leaves_nothing_behind(gate: Gate) -> None:
    """Log-in happens only after a renewal: without one there was no session that could be open."""
    await gate.open(registry(sessions=1, newest_wins=False))
    lease = await gate.take("a1")
    await gate.quotas.release(Session(lease).line(), logged_out=False)
    assert (await gate.quotas.usage(REGISTRY)).sessions == ()
    await gate.take("a1")


async def test_a_quarantined_account_is_out_of_use_for_its_time(gate: Gate) -> None:
    """Quarantine is by the gate's clock, and a shorter one does not shorten a longer."""
    await gate.open()
    await gate.quotas.quarantine(REGISTRY, "P1", "a1", 800)
    await gate.quotas.quarantine(REGISTRY, "P1", "a1", 100)
    await gate.quotas.quarantine(REGISTRY, "P1", "nobody", 100)
    assert await gate.refused("a1") is BoundBy.QUARANTINE
    assert [(s.account, s.quarantined) for s in (await gate.quotas.usage(REGISTRY)).sessions] == [
        ("a1", True)
    ]
    await gate.take("a2")
    await gate.pass_time(800)
    await gate.take("a1")


async def test_many_accounts_are_configured_in_parts_and_none_is_withdrawn_meanwhile(gate: Gate) -> None:
    """A configuration larger than one call takes effect as a whole."""
    accounts = {f"a{i}": AccountQuota(20, 20) for i in range(1, 1001)}
    await gate.open(accounts=accounts)
    session = Session(await gate.take("a999"))
    process, configuring = Process(gate), asyncio.create_task(gate.quotas.configure(registry(), accounts))
    while not configuring.done():  # ticks come between the parts
        assert not (await process.tick([session]))[0].ending
    await configuring
    await gate.take("a1")
    await gate.quotas.configure(registry(), {})
    assert (await process.tick([session]))[0].ending
    assert await gate.refused("a2") is BoundBy.ACCOUNT
