"""One process's page over a real socket."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from domain.events import RecordsSent
from metrics.collectors import GateMetrics
from metrics.exporter import serve_metrics


async def test_the_page_is_served_and_moves() -> None:
    """A scraper reads the page, and sees what happened since when it reads again."""
    registry = CollectorRegistry()
    tell = GateMetrics(registry)
    async with serve_metrics(registry, "127.0.0.1", 0) as url, aiohttp.ClientSession() as scraper:
        for expected in (3.0, 6.0):
            tell(RecordsSent("members", "P001", count=3))
            async with scraper.get(url) as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                families = {f.name: f for f in text_string_to_metric_families(await answer.text())}
            (sample,) = [s for s in families["pratunam_records_sent"].samples if s.name.endswith("_total")]
            assert sample.value == expected


async def test_only_the_page_is_there_and_only_while_the_block_lasts() -> None:
    """No other address answers, and afterwards nobody listens."""
    async with aiohttp.ClientSession() as scraper:
        async with (
            serve_metrics(CollectorRegistry(), "127.0.0.1", 0) as url,
            scraper.get(url.removesuffix("/metrics")) as answer,
        ):
            assert answer.status == 404
        with pytest.raises(aiohttp.ClientConnectorError):
            await scraper.get(url)
