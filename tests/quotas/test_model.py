"""The scripts against the slow reference model: in any history both answer the same, call by call."""

import asyncio
from typing import Any

import redis.asyncio as aioredis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.quota import RegistryQuota
from domain.wire import Scope
from pratunam.embedded import EmbeddedServer
from quotas.quotas import RedisQuotas
from tests.quotas.model import Model
from tests.quotas.pair import Pair
from tests.quotas.rig import ManualMicros, registry
from tests.servers import client_of

rates = st.sampled_from([0, 0.5, 3, 20, 33.3, 100])
bursts = st.integers(0, 30)
spans_ms = st.sampled_from([0, 1, 40, 200, 700, 3000, 7000])
# Plain numbers that the player below takes modulo what there is: shrinking stays easy.
picks = st.integers(0, 7)

ordinary = st.one_of(
    st.tuples(st.just("round"), st.sampled_from([7, 20, 21, 50, 130, 250]), picks, st.integers(1, 9), picks),
    st.tuples(st.just("round"), st.sampled_from([20, 100]), picks, st.integers(1, 25), picks),
    st.tuples(st.just("pass"), st.sampled_from([1, 20, 50, 130, 250, 300, 1000, -5000])),
    st.tuples(st.just("tick"), picks, st.integers(0, 25), st.sampled_from(["heard", "lost", "late"])),
    st.tuples(
        st.just("work"),
        picks,
        st.integers(0, 10),
        st.integers(0, 10),
        st.integers(0, 2),
        st.sampled_from([0, 9, 150, 900]),
    ),
    st.tuples(st.just("lease"), picks, picks),
    st.tuples(st.just("renew"), picks),
    st.tuples(st.just("fenced"), picks),
    st.tuples(st.just("open")),
)
unusual = st.one_of(
    st.tuples(st.just("limit"), picks, rates, bursts),
    st.tuples(st.just("release"), picks, st.booleans()),
    st.tuples(st.just("share"), picks, rates, bursts, spans_ms, st.integers(0, 2), rates),
    st.tuples(st.just("quarantine"), picks, spans_ms),
    st.tuples(st.just("push_back"), st.sampled_from(list(Scope)), picks, spans_ms),
    st.tuples(st.just("hold"), st.sampled_from(["P1", "P2", None]), st.booleans()),
    st.tuples(st.just("end"), picks),
    st.tuples(st.just("owe"), picks, st.integers(0, 6), st.integers(0, 6), spans_ms),
    st.tuples(st.just("owe"), picks, st.integers(0, 3), st.integers(0, 9), spans_ms),
    st.tuples(st.just("configure"), st.integers(0, 31), rates, bursts),
    st.tuples(st.just("silence"), st.integers(1, 9)),
    st.tuples(st.just("leads")),
    st.tuples(st.just("deposed"), picks),
)
#: stretches of ordinary work with something unusual between them
histories = st.lists(
    st.tuples(st.lists(ordinary, min_size=4, max_size=12), unusual), min_size=2, max_size=8
).map(lambda stretches: [one for usual, odd in stretches for one in (("open",), *usual, odd)])
registries = st.builds(
    lambda rate, burst, sessions, settle, wins: registry(
        rate, burst, sessions, answer_timeout_ms=400, settle_ms=settle, newest_wins=wins, lease_ms=1500
    ),
    st.sampled_from([20, 100]),
    st.integers(5, 60),
    st.integers(1, 5),
    st.sampled_from([0, 300]),
    st.booleans(),
)


async def replay(client: aioredis.Redis, quota: RegistryQuota, history: list[tuple[Any, ...]]) -> None:
    """Play a history on an empty server and its model."""
    await client.flushall()
    clock = ManualMicros()
    pair = Pair(RedisQuotas(client, test_clock=clock), Model(quota, clock()), clock, quota)
    await pair.quotas.begin(1, quota)
    started = [("configure", 31, 20, 12), ("open",), ("pass", 300), *(("lease", i, i) for i in range(5))]
    for operation in [*started, *history]:
        await pair.play(operation)
        await pair.compare()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quota=registries, history=histories)
def test_scripts_and_model_answer_alike_in_any_history(
    valkey_server: EmbeddedServer, quota: RegistryQuota, history: list[tuple[Any, ...]]
) -> None:
    """Every answer and every figure of usage is what the slow model says."""

    async def run() -> None:
        client = client_of(valkey_server.url)
        try:
            await replay(client, quota, history)
        finally:
            await client.aclose()

    asyncio.run(run())
