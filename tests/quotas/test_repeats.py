"""Every script is safe to repeat: a second identical call leaves every key as the first one did."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest
import redis.asyncio as aioredis

from domain.quota import AccountQuota, Debt, Lease, LeaseRefused, Share, Signals
from domain.wire import Scope
from quotas.scripts import operations, script
from tests.quotas.rig import REGISTRY, Gate, Process, Session, registry


async def contents(client: aioredis.Redis) -> Mapping[bytes | str, Any]:
    """All keys and all that is in them."""
    held: dict[bytes | str, Any] = {}
    for key in await client.keys():
        kind = await client.type(key)
        if kind == b"string":
            packed = await client.get(key)
            assert isinstance(packed, bytes)
            held[key] = msgspec.msgpack.decode(packed)
        elif kind == b"hash":
            held[key] = await client.hgetall(key)
        elif kind == b"zset":
            held[key] = await client.zrange(key, 0, -1, withscores=True)
        else:
            held[key] = await client.smembers(key)
    return held


Call = Callable[[Gate, Session], Awaitable[object]]

REPEATED: Mapping[str, Call] = {
    "begin": lambda gate, _: gate.quotas.begin(2, registry()),
    "end_sessions": lambda gate, _: gate.quotas.end_sessions(REGISTRY, ["a1"]),
    "fence": lambda gate, s: gate.quotas.fenced(s.lease),
    "hold": lambda gate, _: gate.quotas.hold(REGISTRY, "P2", on=True),
    "lead": lambda gate, _: gate.quotas.lead("s1", 2000),
    "lease": lambda gate, _: gate.quotas.lease(REGISTRY, "P1", "a2", "w1"),
    "limit": lambda gate, s: gate.quotas.limit_account(s.lease, AccountQuota(3, 4)),
    "owe": lambda gate, _: gate.quotas.owe(
        REGISTRY, [Debt(Lease(REGISTRY, "P1", "a2", "w1", 7, 0), 5, 2, 900)]
    ),
    "push_back": lambda gate, _: gate.quotas.push_back(REGISTRY, Scope.PARTY, "P1", 500),
    "quarantine": lambda gate, _: gate.quotas.quarantine(REGISTRY, "P1", "a3", 500),
    "release": lambda gate, s: gate.quotas.release(s.line(), logged_out=False),
    "renew": lambda gate, s: gate.quotas.renew(s.lease),
    "report": lambda gate, _: gate.quotas.report(REGISTRY, "w1", Signals(5, 1, 1, 50, "busy", 0, 7, 2)),
    "set_shares": lambda gate, _: gate.share({"P1": Share(7, 8, 900)}),
    "tick": lambda gate, s: gate.quotas.tick(REGISTRY, "w1", 9, [s.line(want=4)]),
    "usage": lambda gate, _: gate.quotas.usage(REGISTRY),
}


@pytest.mark.parametrize("name", sorted(REPEATED))
async def test_a_second_identical_call_changes_nothing(gate: Gate, name: str) -> None:
    """What the answer to the first call was lost for, the second call does not do twice."""
    await gate.open()
    session = Session(await gate.take())
    await gate.quotas.renew(session.lease)
    await Process(gate).tick([session], want=6)
    session.sent, session.settled = 5, 2
    gate.clock.advance(40)
    before = await contents(gate.client)
    first = await REPEATED[name](gate, session)
    after = await contents(gate.client)
    assert after != before
    second = await REPEATED[name](gate, session)
    assert await contents(gate.client) == after
    if name not in {"lease", "tick"}:
        assert second == first
    elif name == "lease":
        assert isinstance(second, LeaseRefused)
    await Process(gate, tick_no=20).tick([session])


async def test_a_repeated_configuration_takes_effect_once_more_with_nothing_else_changed(gate: Gate) -> None:
    """A configuration is a whole of several calls under one stamp; the same again only moves the stamp."""
    await gate.open()
    session = Session(await gate.take())
    for _ in range(2):
        await gate.quotas.configure(registry(), {"a1": AccountQuota(20, 20)})
        (permit,) = await Process(gate, tick_no=_).tick([session])
        assert (permit.alive, permit.ending) == (True, False)
        assert (await gate.quotas.usage(REGISTRY)).sessions[0].account == "a1"


def test_no_script_is_left_out_here() -> None:
    """Every operation is among those repeated above, and says in its header that it may be."""
    assert set(operations()) == {*REPEATED, "configure"}
    assert [name for name in operations() if "-- Repeatable: yes" not in script(name).text] == []
