"""Generations, leaders and what the loss of Redis means: nothing of an older time draws, and nothing is drawn too early."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from domain.errors import GateLost
from domain.quota import BoundBy, LeaseRefused, Share, Signals
from domain.wire import Scope
from quotas.quotas import RedisQuotas
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry


async def test_a_fresh_server_says_that_it_is_new_and_lets_nothing_through(gate: Gate) -> None:
    """Before a generation has begun nothing is leased, drawn or written."""
    quotas = gate.quotas
    assert (await quotas.usage(REGISTRY)).is_new
    answer = await quotas.lease(REGISTRY, "P1", "a1", "w1")
    assert isinstance(answer, LeaseRefused)
    assert answer.bound_by is BoundBy.STARTING
    for call in (
        quotas.configure(registry(), {}),
        quotas.set_shares(REGISTRY, 1, {}, 800),
        quotas.hold(REGISTRY, None, on=True),
        quotas.push_back(REGISTRY, Scope.REGISTRY, "", 100),
        quotas.quarantine(REGISTRY, "P1", "a1", 100),
        quotas.end_sessions(REGISTRY, ["a1"]),
        quotas.report(REGISTRY, "w1", Signals()),
    ):
        with pytest.raises(GateLost):
            await call
    assert await gate.client.dbsize() == 0


async def test_the_loss_of_all_keys_voids_every_lease(gate: Gate) -> None:
    """After FLUSHALL a session is not alive, cannot renew, and its late totals touch nothing of the next generation."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=5)
    session.send_all()
    await gate.client.flushall()
    (permit,) = await process.tick([session], want=5)
    assert (permit.alive, permit.granted, permit.bound_by) == (False, 0, BoundBy.STARTING)
    assert not await gate.quotas.renew(session.lease)
    assert (await gate.quotas.usage(REGISTRY)).is_new
    await gate.open(generation=2, fill_ms=3000)
    session.settle_all()
    (permit,) = await process.tick([session], want=5)
    assert (permit.alive, permit.bound_by) == (False, BoundBy.LEASE_LOST)
    await gate.quotas.release(session.line(), logged_out=True)
    await gate.quotas.fenced(session.lease)
    usage = await gate.quotas.usage(REGISTRY)
    assert (usage.generation, usage.is_new, usage.outstanding, usage.sent, usage.level) == (
        2,
        False,
        0,
        0,
        799.92,
    )


async def test_after_a_loss_buckets_are_empty_when_the_answer_time_out_is_over(gate: Gate) -> None:
    """Nothing is leased, drawn or refilled until what was out before the loss has arrived (answer time-out + a permit's second)."""
    await gate.open(generation=2, fill_ms=1999)
    assert await gate.refused() is BoundBy.STARTING
    assert (await gate.quotas.usage(REGISTRY)).level == 0
    await gate.pass_time(1)
    session = Session(await gate.take())
    (permit,) = await Process(gate).tick([session], want=5)
    assert (permit.granted, permit.bound_by) == (0, BoundBy.ACCOUNT)
    gate.clock.advance(51)
    assert (await Process(gate, tick_no=1).tick([session], want=5))[0].granted == 1


async def test_a_new_generation_on_a_living_server_voids_the_old(gate: Gate) -> None:
    """Leases of the older generation are gone, an older one cannot begin any more, the same one again harms nothing, and rest is rest."""
    await gate.open()
    old = Session(await gate.take())
    await gate.quotas.quarantine(REGISTRY, "P1", "a2", 60_000)
    gate_at = (await gate.quotas.usage(REGISTRY)).gate_at
    await gate.quotas.begin(2, registry())
    assert not await gate.quotas.renew(old.lease)
    assert (await gate.quotas.usage(REGISTRY)).gate_at == gate_at
    with pytest.raises(GateLost, match="newer generation"):
        await gate.quotas.begin(1, registry())
    await gate.open(generation=2, fill_ms=2500)
    new = Session(await gate.take())
    assert new.lease.generation == 2
    assert new.lease.token > old.lease.token
    await gate.quotas.begin(2, registry())
    assert await gate.quotas.renew(new.lease)
    assert await gate.refused("a2") is BoundBy.QUARANTINE


@pytest.mark.parametrize("newest_wins", [True, False])
async def test_a_new_generation_on_a_living_server_counts_the_sessions_that_may_be_open(
    gate: Gate, newest_wins: bool
) -> None:
    """Of two leases one has logged in: its session takes the only place until its own account's log-in, or its time is over."""
    limits = registry(sessions=2, settle_ms=4000, newest_wins=newest_wins)
    await gate.open(limits)
    used, _ = await gate.take("a1"), await gate.take("a2")
    assert await gate.quotas.renew(used)
    one = registry(sessions=1, settle_ms=4000, newest_wins=newest_wins)
    await gate.open(one, generation=2, fill_ms=2000)
    (session,) = (await gate.quotas.usage(REGISTRY)).sessions
    assert (session.account, session.party, session.quarantined) == ("a1", "P1", True)
    assert await gate.refused("a3") is BoundBy.SESSIONS
    if newest_wins:
        assert (await gate.take("a1")).generation == 2
    else:
        assert await gate.refused("a1") is BoundBy.QUARANTINE
        await gate.pass_time(session.left_ms)
        await gate.share({"P1": Share(80, 80, 5000)})
        await gate.take("a3")


async def test_sessions_of_another_run_s_keys_do_not_count(gate: Gate) -> None:
    """Where the server came back with keys of a copy, what they tell of sessions is of long ago."""
    await gate.open()
    assert await gate.quotas.renew(await gate.take())
    key = "pratunam:{reg}:gate"
    run, kept = (await gate.client.info("server"))["run_id"], await gate.client.get(key)
    assert isinstance(kept, bytes)
    await gate.client.set(key, kept.replace(run.encode(), b"0" * 40))
    await gate.open(generation=2, fill_ms=2000)
    assert not (await gate.quotas.usage(REGISTRY)).sessions


@pytest.mark.parametrize("generation", [0, -1, 2**20])
async def test_a_generation_that_tokens_cannot_carry_is_refused(gate: Gate, generation: int) -> None:
    """Tokens must stay exact numbers in Lua."""
    with pytest.raises(GateLost, match="cannot be"):
        await gate.quotas.begin(generation, registry())


async def test_keys_of_another_run_of_the_server_are_worth_nothing(gate: Gate) -> None:
    """A server that came back with keys of before (from a copy) has another run id: usage says that it is new."""
    await gate.open()
    assert not (await gate.quotas.usage(REGISTRY)).is_new
    key = "pratunam:{reg}:gate"
    run = (await gate.client.info("server"))["run_id"]
    kept = await gate.client.get(key)
    assert isinstance(kept, bytes)
    await gate.client.set(key, kept.replace(run.encode(), b"0" * 40))
    assert (await gate.quotas.usage(REGISTRY)).is_new
    await gate.client.set(key, kept)
    assert not (await gate.quotas.usage(REGISTRY)).is_new


async def test_one_leader_at_a_time_and_each_change_of_hands_has_a_higher_epoch(gate: Gate) -> None:
    """The lease is kept by asking again, ends after its time, and the next holder's epoch is higher."""
    first = await gate.quotas.lead("s1", 2000)
    assert first is not None
    assert await gate.quotas.lead("s2", 2000) is None
    gate.clock.advance(1500)
    assert await gate.quotas.lead("s1", 2000) == first
    gate.clock.advance(1999)
    assert await gate.quotas.lead("s2", 2000) is None
    gate.clock.advance(1)
    second = await gate.quotas.lead("s2", 2000)
    assert second is not None
    assert second > first
    assert await gate.quotas.lead("s1", 2000) is None


async def test_a_step_back_of_the_clock_does_not_keep_a_dead_leader(gate: Gate) -> None:
    """The leader's lease counts down by time that passed, whatever the clock shows."""
    await gate.quotas.lead("s1", 2000)
    gate.clock.advance(-3_600_000)
    assert await gate.quotas.lead("s2", 2000) is None
    gate.clock.advance(2000)
    assert await gate.quotas.lead("s2", 2000) is not None


async def test_a_leader_that_was_deposed_cannot_write_shares(gate: Gate) -> None:
    """Shares of an older epoch are refused and change nothing."""
    await gate.open()
    await gate.quotas.set_shares(REGISTRY, 7, {"P1": Share(80, 80, 5000)}, 800)
    with pytest.raises(GateLost, match="Another scheduler leads"):
        await gate.quotas.set_shares(REGISTRY, 6, {"P1": Share(80, 80, 0)}, 0)
    await gate.take()


DEPOSED: Mapping[str, Callable[[RedisQuotas, int], Awaitable[None]]] = {
    "begin": lambda quotas, epoch: quotas.begin(2, registry(), epoch=epoch),
    "configure": lambda quotas, epoch: quotas.configure(registry(), {}, epoch=epoch),
    "end_sessions": lambda quotas, epoch: quotas.end_sessions(REGISTRY, ["a1"], epoch=epoch),
    "hold": lambda quotas, epoch: quotas.hold(REGISTRY, None, on=True, epoch=epoch),
    "hold of a party": lambda quotas, epoch: quotas.hold(REGISTRY, "P1", on=True, epoch=epoch),
}


@pytest.mark.parametrize("name", sorted(DEPOSED))
async def test_a_leader_that_was_deposed_and_wakes_undoes_nothing(gate: Gate, name: str) -> None:
    """Whatever it writes of an older epoch is refused and changes nothing; the newer leader's own call is done, and fences as well."""
    await gate.open()
    session = Session(await gate.take())
    await gate.quotas.hold(REGISTRY, "P2", on=True, epoch=7)
    with pytest.raises(GateLost, match="Another scheduler leads"):
        await DEPOSED[name](gate.quotas, 6)
    (permit,) = await Process(gate).tick([session], want=1)
    assert (permit.alive, permit.granted, permit.ending) == (True, 1, False)
    assert (await gate.quotas.usage(REGISTRY)).generation == 1
    await DEPOSED[name](gate.quotas, 8)
    with pytest.raises(GateLost, match="Another scheduler leads"):
        await gate.quotas.set_shares(REGISTRY, 7, {}, 0)


async def test_a_generation_that_begins_on_a_living_server_keeps_the_brake(gate: Gate) -> None:
    """What the last leader braked to stands until the next says otherwise."""
    await gate.open()
    await gate.quotas.set_shares(REGISTRY, 7, {}, 200)
    await gate.quotas.begin(2, registry(), epoch=8)
    assert (await gate.quotas.usage(REGISTRY)).rate == 200


async def test_a_leader_of_before_the_loss_of_redis_is_outbid(gate: Gate) -> None:
    """Who leads now but met a newer epoch gets one above it by asking again."""
    await gate.open()
    await gate.quotas.set_shares(REGISTRY, 2**50, {}, 800)
    epoch = await gate.quotas.lead("s1", 2000)
    assert epoch is not None
    with pytest.raises(GateLost):
        await gate.quotas.set_shares(REGISTRY, epoch, {}, 800)
    higher = await gate.quotas.lead("s1", 2000)
    assert higher == 2**50 + 1
    await gate.quotas.set_shares(REGISTRY, higher, {}, 800)


async def test_the_gate_closes_by_itself_when_the_scheduler_is_silent(gate: Gate) -> None:
    """Shares open the gate for five seconds at most, however much is asked for."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await gate.share({"P1": Share(80, 80, 60_000)})
    for _ in range(19):
        gate.clock.advance(250)
        assert (await process.tick([session], want=1))[0].granted == 1
        session.send_all()
        session.settle_all()
    gate.clock.advance(250)
    assert (await process.tick([session], want=1))[0].bound_by is BoundBy.WINDOW


async def test_shares_that_arrive_late_open_nothing_for_longer(gate: Gate) -> None:
    """A call that the server executes two seconds after it was asked counts from when it was asked."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    asked = gate.clock.now_us
    gate.clock.advance(2000)
    readings = iter((asked, gate.clock.now_us))
    late = RedisQuotas(gate.client, test_clock=lambda: next(readings))
    await late.set_shares(REGISTRY, 1, {"P1": Share(80, 80, 2000)}, 800)
    assert (await process.tick([session], want=1))[0].bound_by is BoundBy.WINDOW


async def test_signals_of_all_processes_are_added_up(gate: Gate) -> None:
    """Totals are absolute per process: repeated and overtaken reports add nothing; the newest words stand."""
    await gate.open()
    await gate.quotas.report(REGISTRY, "w1", Signals())
    await gate.quotas.report(REGISTRY, "w2", Signals())
    await gate.quotas.report(REGISTRY, "w1", Signals(10, 1, 2, 300, "normal"))
    await gate.quotas.report(
        REGISTRY, "w2", Signals(5, 0, 0, 50, "busy", clock_offset_ms=-40, clock_error_ms=3)
    )
    for totals in (Signals(12, 1, 2, 340), Signals(12, 1, 2, 340), Signals(10, 1, 2, 300)):
        await gate.quotas.report(REGISTRY, "w1", totals)
    signals = (await gate.quotas.usage(REGISTRY)).signals
    assert signals == Signals(17, 1, 2, 390, "busy", 0, clock_offset_ms=-40, clock_error_ms=3)
    await gate.quotas.report(REGISTRY, "w1", Signals(clock_offset_ms=0, clock_error_ms=1))
    assert (await gate.quotas.usage(REGISTRY)).signals.clock_offset_ms == 0


async def test_what_a_process_saw_before_a_generation_is_not_told_again(gate: Gate) -> None:
    """A worker that outlived the loss of Redis reports its whole life: old trouble must not brake the new generation."""
    await gate.open()
    await gate.quotas.report(REGISTRY, "w1", Signals(10_000, 2_000, 50, 90_000))
    await gate.quotas.report(REGISTRY, "w1", Signals(10_030, 2_000, 50, 90_300))

    assert (await gate.quotas.usage(REGISTRY)).signals == Signals(30, 0, 0, 300)


async def test_parties_that_lately_had_sessions_are_shown_and_later_forgotten(gate: Gate) -> None:
    """Usage looks at parties that matter now only; a party's totals come back with its next session."""
    await gate.open()
    process, session = Process(gate), Session(await gate.take())
    await process.tick([session], want=3)
    session.send_all()
    session.settle_all()
    await gate.quotas.release(session.line(), logged_out=True)
    await gate.pass_time(10_000)
    assert (await gate.quotas.usage(REGISTRY)).parties["P1"].sent == 3
    await gate.pass_time(1000)
    assert (await gate.quotas.usage(REGISTRY)).parties == {}
    await gate.share({"P1": Share(80, 80, 5000)})
    await gate.take()
    assert (await gate.quotas.usage(REGISTRY)).parties["P1"].sent == 3
