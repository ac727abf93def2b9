"""Worker processes on real parts: Valkey, a SQLite ledger, the reference registrar, whose own report judges."""

from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as aioredis

import registrar
from domain.events import AccountSetAside, LoopFailed
from domain.states import AccountState, JobState, Shape
from tests.workers.real import BY, REGISTRY, Town, town, working
from tests.workers.waiting import until_told
from workers import heeding

PARTIES = {"P1": 2, "P2": 1}


def central(**rules: Any) -> registrar.Registry:
    """A registrar that takes any account of the form PARTY-NN."""
    given = {"rate": 500.0, "account_rate": 100.0, "sessions": 20, "service_ms": 2.0, "enrol": True}
    return registrar.Registry(**(given | rules))


async def finished(installation: Town, *jobs: str) -> None:
    """Wait until these jobs are finished."""

    async def all_are() -> bool:
        return all([(await installation.ledger.job(job)).state is JobState.FINISHED for job in jobs])

    await until_told(all_are)


async def arrived(installation: Town) -> int:
    """How many records have arrived at the registrar."""
    return int((await installation.report())["registries"][REGISTRY]["arrivals"])


async def arrivals(installation: Town, count: int) -> None:
    """Wait until so many records have arrived at the registrar."""

    async def enough() -> bool:
        return await arrived(installation) >= count

    await until_told(enough)


async def no_sessions(installation: Town) -> None:
    """Wait until the gate knows of no session."""

    async def none() -> bool:
        return not (await installation.quotas.usage(REGISTRY)).sessions

    await until_told(none)


async def judged(installation: Town, records: int) -> dict[str, Any]:
    """Have the registrar judge: no rule broken, so many records in effect, each once; returns its registry's report."""
    told = await installation.report()
    assert told["verdict"] == {"ok": True, "faults": []}
    registry: dict[str, Any] = told["registries"][REGISTRY]
    assert (registry["effects"]["exactly_one"], registry["effects"]["more"]) == (records, 0)
    assert [e for e in installation.events if isinstance(e, LoopFailed)] == []
    return registry


@pytest.mark.parametrize("shape", list(Shape))
async def test_every_record_takes_effect_once_within_the_limits(
    shape: Shape, redis_url: str, tmp_path: Path
) -> None:
    """Two parties' jobs go through in each shape; the registrar saw no limit broken and every record once."""
    async with town(
        redis_url, tmp_path, PARTIES, central(), shape=shape, account_rate=100, account_burst=50
    ) as here:
        await here.submit("P1", "J1", 150)
        await here.submit("P2", "J2", 70)
        async with working(here.worker()):
            await finished(here, "J1", "J2")
        registry = await judged(here, 220)
        assert registry["sessions"]["most"] <= 3
        assert [(await here.ledger.job(job)).records.accepted for job in ("J1", "J2")] == [150, 70]


async def test_a_polite_stop_loses_nothing_and_the_next_worker_goes_on(
    redis_url: str, tmp_path: Path
) -> None:
    """Stopped in the middle, sessions give back everything settled and sorted; nothing is unknown, the rest goes later."""
    async with town(redis_url, tmp_path, PARTIES, central(), account_rate=100, account_burst=20) as here:
        await here.submit("P1", "J1", 400)
        async with working(here.worker()):
            await arrivals(here, 80)
        job = await here.ledger.job("J1")
        usage = await here.quotas.usage(REGISTRY)
        assert (job.records.unknown, usage.sessions, usage.outstanding) == (0, (), 0)
        assert 80 <= job.records.accepted < 400
        async with working(here.worker()):
            await finished(here, "J1")
        registry = await judged(here, 400)
        assert registry["arrivals"] == 400


@pytest.mark.parametrize("shape", [Shape.STREAM, Shape.BATCH])
async def test_broken_answers_never_double_an_effect(shape: Shape, redis_url: str, tmp_path: Path) -> None:
    """The registrar breaks exchanges in every way, before and after the effect: every record takes effect exactly once."""
    kinds = ("reset-after", "garbage", "truncate", "error-after", "reset", "error")
    async with town(
        redis_url, tmp_path, {"P1": 2}, central(), shape=shape, account_rate=100, account_burst=20
    ) as here:
        await here.control(
            faults=[
                *({"kind": kind, "count": 1, "after": 3 * n} for n, kind in enumerate(kinds)),
                *({"kind": "error-after", "count": 1, "after": n, "status": n + 500} for n in (2, 3, 4)),
            ]
        )
        await here.submit("P1", "J1", 150)
        async with working(here.worker()):
            await finished(here, "J1")
        await judged(here, 150)
        assert (await here.ledger.job("J1")).records.accepted == 150


async def test_without_idempotency_unknown_records_are_asked_about(redis_url: str, tmp_path: Path) -> None:
    """Where a second sending would be a second effect, unknown records are asked about first; absent ones go again later."""
    rules = {"idempotent": False, "account_rate": 100, "account_burst": 20, "settle_s": 0.5}
    async with town(redis_url, tmp_path, {"P1": 1}, central(idempotent=False), **rules) as here:
        await here.control(
            faults=[{"kind": "reset-after", "count": 2, "after": 10}, {"kind": "reset", "count": 1}]
        )
        await here.submit("P1", "J1", 80)
        async with working(here.worker()):
            await finished(here, "J1")
        await judged(here, 80)
        assert (await here.ledger.job("J1")).records.accepted == 80


async def test_a_lost_redis_stops_the_gate_and_loses_nothing(
    redis_url: str, valkey: aioredis.Redis, tmp_path: Path
) -> None:
    """After FLUSHALL under load nothing is drawn until a new generation begins; then everything goes on, once."""
    async with town(redis_url, tmp_path, PARTIES, central(), account_rate=100, account_burst=20) as here:
        await here.submit("P1", "J1", 300)
        async with working(here.worker()):
            await arrivals(here, 60)
            await valkey.flushall()
            await here.open_gate()
            await finished(here, "J1")
        await judged(here, 300)


async def test_an_account_that_others_use_is_set_aside(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody logs in with the code in use, twice: it is set aside, its party is told, the other account does the work."""
    monkeypatch.setattr(heeding, "LOG_IN_AGAIN_MS", 100)
    async with town(redis_url, tmp_path, {"P1": 2}, central(), account_rate=100, account_burst=20) as here:
        await here.control(faults=[{"kind": "hijack", "account": "P1-01", "count": 2}])
        await here.submit("P1", "J1", 400)
        async with working(here.worker()):
            await finished(here, "J1")
        rows = {row.account: row.state for row in await here.ledger.accounts(REGISTRY, "P1")}
        assert rows == {"P1-01": AccountState.SET_ASIDE, "P1-02": AccountState.ACTIVE}
        assert [e.account for e in here.events if isinstance(e, AccountSetAside)] == ["P1-01"]
        assert [notice.kind for notice in await here.ledger.notices("P1")] == ["account-set-aside"]
        assert (await here.ledger.job("J1")).records.accepted == 400


async def test_a_held_registry_gets_nothing_more(redis_url: str, tmp_path: Path) -> None:
    """A hold ends sessions with their answers; letting go brings them back."""
    async with town(redis_url, tmp_path, {"P1": 1}, central(), account_rate=100, account_burst=20) as here:
        await here.submit("P1", "J1", 200)
        async with working(here.worker()):
            await arrivals(here, 40)
            await here.quotas.hold(REGISTRY, None, on=True)
            await here.ledger.hold(REGISTRY, None, "test", [], BY, here.clock.now())
            await no_sessions(here)
            job = await here.ledger.job("J1")
            assert job.records.unknown == 0
            assert job.records.accepted == await arrived(here)
            await here.ledger.release(REGISTRY, None, "test", [], BY, here.clock.now())
            await here.quotas.hold(REGISTRY, None, on=False)
            await finished(here, "J1")
        await judged(here, 200)
