"""Faults of the network, done by the proxy to one link or several."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from tests.gauntlet.kinds import Broken, Kind, NotInjected, Scene
from tests.gauntlet.proxy import DOWN, UP, Link

#: a key in a record's body, or in the path of a request about one record
_KEY = re.compile(
    rb'"key":\s*"([A-Za-z0-9_-]{1,64})"|(?:GET|PUT) \S*/records/([A-Za-z0-9_-]{1,64}) HTTP/1\.1\r\n'
)
WHERE = ("registrar", "redis", "ledger")


def spoiling(what: str, how: Callable[[Link], None], usual_s: float) -> Callable[[Scene], Awaitable[None]]:
    """Return a fault that does `how` to one host's link to `what` for a while."""

    async def do(scene: Scene) -> None:
        link = scene.host().links[what]
        how(link)
        try:
            await asyncio.sleep(scene.span_s(usual_s))
        finally:
            link.heal()

    return do


def _delay(link: Link) -> None:
    link.delay_s, link.jitter_s = 0.15, 0.2


def _throttle(link: Link) -> None:
    link.bytes_per_s = 4_000


async def twice(scene: Scene) -> None:
    """Deliver what a host sent the registrar a second time; the registrar only watches meanwhile, since the gate cannot help it."""
    registrar, link = scene.ground.registrar, scene.host().links["registrar"]
    await registrar.control(mode="watch")
    try:
        link.keeps = True
        await asyncio.sleep(scene.span_s(5.0))
        link.reset()  # sessions begin anew on connections that are kept from their beginning
        await asyncio.sleep(scene.span_s(4.0))
        again = await link.deliver_again()
        keys = [key for sent in again for key in keys_of(sent)]
        for key in keys:
            scene.repeated[key] = scene.repeated.get(key, 0) + 1
        await asyncio.sleep(1)
    finally:
        link.heal()
        await registrar.control(mode="enforce")
    if not keys:
        raise NotInjected("no record passed by meanwhile")


def keys_of(sent: bytes) -> list[str]:
    """Return the keys of what arrives at the registrar when these bytes are delivered: records, and questions about them."""
    return [(in_body or in_path).decode() for in_body, in_path in _KEY.findall(sent)]


async def swizzle(scene: Scene) -> None:
    """Clog links one by one, and let them go in another order."""
    links = scene.dice.sample(scene.ground.links, len(scene.ground.links))
    try:
        for link in links:
            link.stall()
            await asyncio.sleep(scene.span_s(0.5))
        scene.dice.shuffle(links)
        for link in links:
            await asyncio.sleep(scene.span_s(0.5))
            link.heal()
    finally:
        scene.ground.heal_links()


async def cut_host_off(scene: Scene) -> None:
    """Cut all links of one host; the other takes its work over."""
    host = scene.host()
    before = scene.ground.arrivals()
    with _cut(list(host.links.values())):
        await asyncio.sleep(scene.span_s(12.0, short=8.0))
        if scene.ground.arrivals() == before:
            raise Broken("the other host sent nothing meanwhile")


@contextmanager
def _cut(links: list[Link]) -> Iterator[None]:
    for link in links:
        link.cut()
    try:
        yield
    finally:
        for link in links:
            link.heal()


_STAKES = {
    "registrar": "limits in every interval; one effect",
    "redis": "nothing without a permit; leases fenced",
    "ledger": "claim before send; none lost",
}
_COVERS = {"registrar": "25-29", "redis": "12, D4", "ledger": "17"}
_HOWS: dict[str, tuple[str, Callable[[Link], None], float]] = {
    "slow link to": ("150-350 ms each way", _delay, 6.0),
    "cut link to": ("RST to all connections and to new ones", Link.cut, 3.0),
    "half-open link to": ("bytes and ends vanish both ways, nobody is told", Link.swallow, 6.0),
    "answers lost from": ("what comes back vanishes", lambda link: link.swallow(DOWN), 4.0),
    "stalled link to": ("all held, then at once", Link.stall, 4.0),
    "late delivery to": (
        "what is sent is held past every time-out, then delivered",
        lambda link: link.stall(UP),
        7.0,
    ),
    "throttled link to": ("4,000 bytes a second", _throttle, 6.0),
    "reset link to": ("RST once", Link.reset, 0.5),
}
#: what comes later than an answer time-out was given up for good where Redis is lost meanwhile (architecture.md 4.3)
_LATE = ("stalled link to", "late delivery to", "throttled link to", "half-open link to")
LINKS = (
    *(
        Kind(
            f"{name} {what}",
            f"proxy: {how}",
            _STAKES[what],
            spoiling(what, do, usual_s),
            _COVERS[what],
            is_alone=what == "registrar" and name in _LATE,
        )
        for what in WHERE
        for name, (how, do, usual_s) in _HOWS.items()
    ),
    Kind(
        "delivered twice", "proxy: a host's requests delivered again", "one effect a key", twice, "27", is_alone=True
    ),
    Kind("swizzled links", "proxy: links clogged and freed in random orders", "all promises", swizzle, "48", is_alone=True),
    Kind("host cut off", "proxy: all links of one host cut", "the other host takes over", cut_host_off, "29", is_alone=True),
)  # fmt: skip
