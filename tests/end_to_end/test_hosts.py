"""Two hosts against one Redis and one PostgreSQL, each on links that are cut: what one loses the other does, and nothing is done twice."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from benchmarks.town import REGISTRY, TownPlan, party, write_members
from domain.jobs import Job
from domain.states import JobState
from intake.receive import receive
from pratunam.doorbells import ring_check
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import open_parts
from pratunam.settings import read_settings
from tests.end_to_end.hosts import BY, Host, Several, redis_by_tcp, two_hosts
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held
from tests.gauntlet.proxy import Link
from tests.postgres import PostgresServer

ROWS, FEW = 700, 40
RATE = 120


@pytest.fixture
async def several(place: Path, postgres_server: PostgresServer) -> AsyncIterator[Several]:
    """Two hosts that stand ready, with three parties of two accounts each."""
    plan = TownPlan([2, 2, 2], [ROWS] * 3, RATE, RATE // 4, 20, 5, extra_policy="answer_timeout_s = 2")
    name = postgres_server.make("ledger")
    async with redis_by_tcp(place) as port, two_hosts(plan, place, [postgres_server], name, port) as made:
        yield made
    postgres_server.drop(name)


async def test_what_one_host_loses_the_other_does_and_nothing_is_done_twice(several: Several) -> None:
    """The leader's host is cut off Redis, then off PostgreSQL, then hears nothing from either; then one is lost with an unchecked file."""
    here, hosts = several.town, several.hosts
    for host in hosts:
        host.start()
    await asyncio.gather(*(host.ready() for host in hosts))
    files = {party(k): write_members(here.folder, party(k), rows, k) for k, rows in enumerate(here.plan.rows)}
    jobs = await here.submit(files)
    await asyncio.gather(*(has_sent(host, 10) for host in hosts))
    cut_off, other = hosts
    for what, harm in (("redis", Link.cut), ("ledger", Link.cut), ("both", Link.stall)):
        cut_off, other = await by_lead(hosts)
        links = links_of(cut_off, what)
        for link in links:
            harm(link)
        # the first time both are at work; from then on the other has to come back first
        await asyncio.gather(has_sent(other, 2 * RATE), by_lead([other]))
        for link in links:
            link.heal()
    await here.hurry()
    done = await here.until_done(jobs, 120)
    lost, left = other, cut_off
    for host in hosts:
        host.signal("worker", signal.SIGSTOP)
    late = await take_in(several, lost, write_members(here.folder, "late", FEW, 9))
    assert late.state is JobState.RECEIVED
    lost.lose()
    left.signal("worker", signal.SIGCONT)
    done += await here.until_done([late])
    report = await here.report()
    assert_limits_held(report)
    assert_all_in_effect(report, done)
    assert not await here.parts.ledger.restored_from_copy()
    assert await left.stop() == [0, 0]


async def take_in(several: Several, host: Host, file: Path) -> Job:
    """Take a file in on a host, as `pratunam submit` does there."""
    settings = read_settings(host.home, several.straight)
    async with open_parts(settings, make_home=False) as parts:
        intake = await intake_parts(parts, REGISTRY)
        request = submit_request(party(0), intake.rules, file.name)
        job = await receive(file, request, intake, BY, parts.clock.now())
        await ring_check(settings, job.job)
        return job


def links_of(host: Host, what: str) -> Sequence[Link]:
    """Return the links of a host to one of the servers, or to both."""
    return {"redis": [host.redis], "ledger": host.ledgers, "both": [host.redis, *host.ledgers]}[what]


async def by_lead(hosts: Sequence[Host]) -> Sequence[Host]:
    """Wait until one of the hosts leads, and return them, that one first."""
    since_s = time.time()
    async with asyncio.timeout(20):
        while True:
            led = [await host.led_at() for host in hosts]
            if max(led) > since_s:
                return sorted(hosts, key=lambda host: -led[hosts.index(host)])
            await asyncio.sleep(0.1)


async def has_sent(host: Host, more: int) -> None:
    """Wait until a host has sent so many records more than by now; raises TimeoutError."""
    before = await host.sent()
    async with asyncio.timeout(40):
        while True:
            if await host.sent() >= before + more:
                return
            await asyncio.sleep(0.1)
