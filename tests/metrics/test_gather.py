"""Two processes' pages become one: each sample says whose it is, and who does not answer is named."""

from collections.abc import AsyncIterator, Iterable

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from domain.events import AnswerTimed, RecordsSent
from metrics.collectors import GateMetrics
from metrics.exporter import serve_metrics, serving
from metrics.gather import gather, serve_gathered

WANTED = ["scheduler", "worker-1", "worker-2"]


@pytest.fixture
async def pages() -> AsyncIterator[dict[str, str]]:
    """Two real exporters whose workers have sent 3 and 4 records."""
    registries = [CollectorRegistry(), CollectorRegistry()]
    for registry, count in zip(registries, (3, 4), strict=True):
        tell = GateMetrics(registry)
        tell(RecordsSent("members", "P001", count=count))
        tell(AnswerTimed("members", "P001", latencies_ms=(10.0,)))
    async with (
        serve_metrics(registries[0], "127.0.0.1", 0) as one,
        serve_metrics(registries[1], "127.0.0.1", 0) as two,
    ):
        yield {"worker-1": one, "worker-2": two}


def families(page: bytes) -> dict[str, Metric]:
    """The page as Prometheus reads it."""
    return {family.name: family for family in text_string_to_metric_families(page.decode())}


def by_process(found: Iterable[Metric], sample_name: str) -> dict[str, float]:
    """One sample of each process."""
    return {
        sample.labels["process"]: sample.value
        for family in found
        for sample in family.samples
        if sample.name == sample_name
    }


async def test_every_sample_says_whose_it_is(pages: dict[str, str]) -> None:
    """Counters and histograms of both stand under one family each, told apart by `process`."""
    found = families(await gather(pages, WANTED))
    sent = by_process([found["pratunam_records_sent"]], "pratunam_records_sent_total")
    assert sent == {"worker-1": 3, "worker-2": 4}
    answers = by_process([found["pratunam_answer_seconds"]], "pratunam_answer_seconds_count")
    assert answers == {"worker-1": 1, "worker-2": 1}
    assert found["pratunam_answer_seconds"].type == "histogram"
    assert all("process" in sample.labels for family in found.values() for sample in family.samples)


async def test_who_is_down_is_told(pages: dict[str, str]) -> None:
    """A process that should run and does not answer stands at 0; one that runs beyond those stands at 1."""
    up = families(await gather(pages | {"extra": pages["worker-1"]}, WANTED))["pratunam_process_up"]
    assert by_process([up], "pratunam_process_up") == {
        "scheduler": 0,
        "worker-1": 1,
        "worker-2": 1,
        "extra": 1,
    }


async def test_a_process_that_has_just_died_does_not_hide_the_others(pages: dict[str, str]) -> None:
    """An address where nobody listens any more is left out and told."""
    async with serve_metrics(CollectorRegistry(), "127.0.0.1", 0) as gone:
        pass
    found = families(await gather(pages | {"scheduler": gone}, WANTED))
    assert by_process([found["pratunam_process_up"]], "pratunam_process_up")["scheduler"] == 0
    assert len(by_process([found["pratunam_records_sent"]], "pratunam_records_sent_total")) == 2


async def test_a_page_that_cannot_be_read_does_not_hide_the_others(pages: dict[str, str]) -> None:
    """Somebody else's page on that port, or an error, counts as no answer."""

    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text='pratunam_records_sent_total{registry="x} seven\n')

    app = web.Application()
    app.router.add_get("/metrics", nonsense)
    async with serving(app, "127.0.0.1", 0) as url:
        asked = pages | {"scheduler": f"{url}/metrics", "odd": f"{url}/elsewhere"}
        found = families(await gather(asked, WANTED))
    up = by_process([found["pratunam_process_up"]], "pratunam_process_up")
    assert (up["scheduler"], up["odd"], up["worker-1"]) == (0, 0, 1)


async def test_health_is_bad_while_a_process_is_missing(pages: dict[str, str]) -> None:
    """/healthz answers 503 with the names that are missing, and 200 once all are there; /metrics answers either way."""
    running = dict(pages)
    async with (
        serve_gathered(lambda: running, WANTED, "127.0.0.1", 0) as url,
        aiohttp.ClientSession() as asker,
    ):
        async with asker.get(f"{url}/healthz") as answer:
            assert (answer.status, await answer.json()) == (503, {"ok": False, "missing": ["scheduler"]})
        running["scheduler"] = pages["worker-1"]
        async with asker.get(f"{url}/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ok": True, "missing": []})
        async with asker.get(f"{url}/metrics") as answer:
            up = families(await answer.read())["pratunam_process_up"]
        assert set(by_process([up], "pratunam_process_up").values()) == {1.0}
