"""The network between a worker host and the registrar, as `domain.wire.Wire`; the product's own shapes run on it.

A link may be slow, stall and then deliver all at once, lose bytes (the connection then stands silent), be reset before or after what is
under way was delivered, or repeat a line (a proxy's second try).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from domain.clock import Clock
from domain.errors import WireFault
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import Answer, ClockSample, End, Load, LoginRefused, OpenSession, Upload
from tests.sim.link import Exchange, Link
from tests.sim.put import SimHttp
from tests.sim.registrar import Registrar
from tests.sim.virtual_loop import VirtualLoop
from workers.wires.batch import BatchUpload
from workers.wires.single import SingleUpload
from workers.wires.stream import StreamUpload

T = TypeVar("T")
#: connections that one host keeps standing for its next requests
KEPT = 4


class SimWire:
    """One host's way to the registrar."""

    def __init__(
        self,
        host: str,
        loop: VirtualLoop,
        link: Link,
        registrar: Registrar,
        clock: Clock,
        rules: RegistryRules,
    ) -> None:
        """Connect nothing yet."""
        self.host = host
        self.loop = loop
        self.link = link
        self.registrar = registrar
        self.clock = clock
        self.rules = rules
        self.answer_timeout_s = rules.answer_timeout_s
        #: most lines a request, as in `workers.wires.http.HttpWire`
        self.batch = rules.batch
        self.http = SimHttp(self)
        self.exchanges: list[Exchange] = []
        self._kept = 0
        self._listeners: list[Callable[[ClockSample], None]] = []

    async def log_in(self, account: str, secret: str) -> OpenSession | LoginRefused:
        left_at = self.loop.time()
        return await self._exchange(lambda: self.registrar.log_in(account, left_at, self.host))

    async def log_out(self, session: OpenSession) -> bool:
        def close() -> bool:
            self.registrar.end(self.registrar.sessions[session.session], "logged out")
            return True

        try:
            return await self._exchange(close)
        except WireFault:
            return False

    def open(self, session: OpenSession) -> Upload:
        shapes: dict[Shape, Callable[[Any, OpenSession], Upload]] = {
            Shape.STREAM: StreamUpload, Shape.BATCH: BatchUpload, Shape.SINGLE: SingleUpload,
        }  # fmt: skip
        return shapes[self.rules.shape](self, session)

    def records_path(self, key: str) -> str:
        return f"/records/{key}"

    def url(self, path: str) -> str:
        return path

    def pause_of(self, _: Mapping[str, str]) -> int | None:
        return None

    def note(self, exchange: Exchange) -> None:
        """Know of one request more, and forget those that are over."""
        self.exchanges = [one for one in self.exchanges if not one.ended]
        self.exchanges.append(exchange)

    def take_kept(self) -> bool:
        """Take a connection that an earlier request gave back, if one stands."""
        self._kept -= (found := self._kept > 0)
        return found

    def keep(self) -> None:
        """Give a connection back."""
        self._kept = min(KEPT, self._kept + 1)

    async def ask(self, session: OpenSession, key: str) -> Answer | End:
        left_at = self.loop.time()
        return await self._exchange(lambda: self.registrar.ask(session.session, key, left_at))

    async def load(self) -> Load | None:
        return await self._exchange(lambda: Load(self.registrar.trouble.load))

    def on_clock(self, listener: Callable[[ClockSample], None]) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        """Nothing is kept open."""

    def cut_all(self, *, kept: bool | None = None) -> None:
        """Reset every connection; `kept`: what is under way is delivered all the same (by chance, unless it is said)."""
        self._kept = 0
        for exchange in self.exchanges:
            exchange.reset(kept=kept)

    async def _exchange(self, work: Callable[[], T]) -> T:
        """Make one short request; a lost one is waited for as long as an answer may take."""
        loop, link, sent_at = self.loop, self.link, self.clock.now()
        if loop.time() < link.cut_until:
            await asyncio.sleep(link.base_s)
            raise WireFault("The registrar cannot be reached.", maybe_delivered=False)
        answer: asyncio.Future[tuple[T, int]] = loop.create_future()

        def arrive() -> None:
            if answer.done():  # who asked has given up and cut the connection
                return
            held_s = link.holds(loop.time())
            if held_s > 0:
                loop.call_outside(held_s, arrive)
                return
            result = work()
            if not link.loses(loop.time()):
                second = int(self.registrar.wall()) * 1_000
                loop.call_outside(link.delay(loop.time()), _tell, answer, (result, second))

        if not link.loses(loop.time()):
            loop.call_outside(link.delay(loop.time()), arrive)
        try:
            async with asyncio.timeout(self.answer_timeout_s):
                result, second = await answer
        except TimeoutError:
            link.seen.add("lost exchange")
            raise WireFault("The registrar did not answer in time.") from None
        for listener in self._listeners:
            listener(ClockSample(second, sent_at, self.clock.now()))
        return result


def _tell(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():
        answer.set_result(result)
