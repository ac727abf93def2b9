"""What shuts the gate whatever its buckets hold: windows, zero rates, hold, pushback, withdrawal, lower limits."""

from domain.quota import AccountQuota, BoundBy, Share
from domain.wire import Scope
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry


async def test_a_permit_is_valid_for_the_least_of_window_lease_and_its_own_time(gate: Gate) -> None:
    """Near the instant until which the party may draw, permits are valid for what is left only; after it none is granted."""
    await gate.open(registry(lease_ms=300))
    process, session = Process(gate), Session(await gate.take())
    (permit,) = await process.tick([session], want=1)
    assert (permit.granted, permit.valid_ms, permit.lease_left_ms) == (1, 300, 300)
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


async def test_a_release_ends_a_pause_of_its_scope_and_only_a_release_does(gate: Gate) -> None:
    """People who let go after a hold mean now; where nothing was held, what the registrar asked for stands."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    for party, scope in (("P1", Scope.PARTY), (None, Scope.REGISTRY)):
        await gate.quotas.push_back(REGISTRY, scope, party or "", 86_400_000)
        await gate.quotas.hold(REGISTRY, party, on=False)
        assert (await process.tick([session], want=1))[0].bound_by is BoundBy.PUSHBACK
        await gate.quotas.hold(REGISTRY, party, on=True)
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
