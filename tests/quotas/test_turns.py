"""How a party's share is divided between its leases, and the registry's bucket between parties."""

from domain.quota import AccountQuota, Share
from tests.quotas.rig import Gate, Process, Session, registry


async def test_a_partys_leases_share_its_bucket_fairly_however_often_they_ask(gate: Gate) -> None:
    """A process that ticks five times as often gets no more of its party's share than one that ticks once."""
    await gate.open(
        accounts={"a1": AccountQuota(100, 10), "a2": AccountQuota(100, 10)},
        shares={"P1": Share(20, 20, 5000)},
    )
    fast, slow = Process(gate, "fast"), Process(gate, "slow")
    a1, a2 = Session(await gate.take("a1", holder="fast")), Session(await gate.take("a2", holder="slow"))
    at_first = [0, 0]
    for round_no in range(350):
        gate.clock.advance(10)
        if round_no == 50:  # the full bucket is gone, both are left wanting
            at_first = [a1.granted, a2.granted]
        if round_no % 100 == 0:
            await gate.share({"P1": Share(20, 20, 5000)})
        await fast.tick([a1], want=4)
        a1.send_all()
        a1.settle_all()
        if round_no % 5 == 0:
            await slow.tick([a2], want=4)
            a2.send_all()
            a2.settle_all()
    got = a1.granted - at_first[0], a2.granted - at_first[1]
    assert sum(got) >= 0.99 * 60 - 2
    assert abs(got[0] - got[1]) <= 3


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


async def test_a_slow_account_gets_all_that_it_can_bear_of_a_share_that_binds(gate: Gate) -> None:
    """Who was served less than its part is served first, however far ahead the others are."""
    await gate.open(
        accounts={"a1": AccountQuota(100, 20), "a2": AccountQuota(5, 5)}, shares={"P1": Share(20, 20, 5000)}
    )
    process = Process(gate)
    a1, a2 = Session(await gate.take("a1")), Session(await gate.take("a2"))
    for round_no in range(400):
        gate.clock.advance(20)
        if round_no % 100 == 0:
            await gate.share({"P1": Share(20, 20, 5000)})
        await process.tick([a1, a2], want=6)
        for session in (a1, a2):
            session.send_all()
            session.settle_all()
    assert a2.granted >= 5 + 5 * 8 * 0.99 - 2
    assert a1.granted + a2.granted >= 20 + 20 * 8 * 0.99 - 2


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
