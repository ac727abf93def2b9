"""One page of metrics and one of health for all processes of a machine: each process's page, told apart by the label `process`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from metrics.exporter import serving
from metrics.names import PROCESS_UP

#: a process that does not answer within so long (s) is left out, and shows in `pratunam_process_up`
_ANSWER_WITHIN_S = 2.0

Pages = Mapping[str, str]
Families = Sequence[Metric]


@asynccontextmanager
async def serve_gathered(
    pages: Callable[[], Pages], wanted: Sequence[str], host: str, port: int
) -> AsyncIterator[str]:
    """Serve /metrics and /healthz; `pages` tells the processes that run now (name → address), `wanted` those that should."""
    app = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=await gather(pages(), wanted), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    async def healthz(_: web.Request) -> web.Response:
        missing = sorted(set(wanted) - set(pages()))
        return web.json_response({"ok": not missing, "missing": missing}, status=503 if missing else 200)

    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    async with serving(app, host, port) as url:
        yield url


async def gather(pages: Pages, wanted: Sequence[str]) -> bytes:
    """Fetch every process's page and return one; `pratunam_process_up` says who answered."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)) as session:
        found = await asyncio.gather(*(_fetch(session, url) for url in pages.values()))
    told = {name: families for name, families in zip(pages, found, strict=True) if families is not None}
    registry = CollectorRegistry()
    registry.register(_Merged(told, sorted({*wanted, *pages})))
    return generate_latest(registry)


async def _fetch(session: aiohttp.ClientSession, url: str) -> Families | None:
    """Fetch and read one page; None for a process that is away, and for one whose page cannot be read."""
    try:
        async with session.get(url) as answer:
            if answer.status != 200:
                return None
            return list(text_string_to_metric_families(await answer.text()))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


class _Merged:
    """All pages as one collector."""

    def __init__(self, pages: Mapping[str, Families], expected: Sequence[str]) -> None:
        self._pages = pages
        self._expected = expected

    def collect(self) -> list[Metric]:
        """Return every family once, with the samples of all processes."""
        up = Metric(PROCESS_UP.name, PROCESS_UP.help, PROCESS_UP.kind.value)
        for name in self._expected:
            up.add_sample(up.name, {"process": name}, float(name in self._pages))
        merged: dict[str, Metric] = {up.name: up}
        for process, families in self._pages.items():
            for family in families:
                target = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    target.add_sample(sample.name, sample.labels | {"process": process}, sample.value)
        return list(merged.values())
