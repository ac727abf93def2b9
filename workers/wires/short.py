"""One short request and its short answer, whole: what log-ins, log-outs and questions are made of.

On a connection that was kept, or one of its own; nothing is sent twice. It must not know what an answer means.
"""

import asyncio
import ssl
from dataclasses import dataclass, field

from domain.errors import WireFault
from workers.wires.connecting import Connections
from workers.wires.connection import Connection

#: the most that is read of an answer that should be one short document (bytes)
SHORT_ANSWER = 65_536
_HEADERS = {"User-Agent": "pratunam", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(slots=True)
class ShortAnswer:
    """Status, the headers that anybody asks for, and the first SHORT_ANSWER bytes of the body; a `connection.Listener`."""

    told: asyncio.Future[bool]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def on_head(self, status: int, headers: dict[str, str]) -> None:
        """Keep both."""
        self.status, self.headers = status, headers

    def on_body(self, data: bytes) -> None:
        """Keep what is short."""
        self.content += data
        if len(self.content) >= SHORT_ANSWER:
            self.content = self.content[:SHORT_ANSWER]
            self._tell(may_stay=False)

    def on_complete(self, *, may_stay: bool) -> None:
        """The answer is whole."""
        self._tell(may_stay=may_stay)

    def on_broken(self, code: str) -> None:
        """No more can come."""
        if not self.told.done():
            self.told.set_exception(_Broken(code))

    def _tell(self, *, may_stay: bool) -> None:
        if not self.told.done():
            self.told.set_result(may_stay)


class _Broken(Exception):
    """The connection ended before the answer did."""


async def exchange(
    connections: Connections, method: str, path: str, headers: dict[str, str], body: bytes, timeout_s: float
) -> ShortAnswer:
    """Send a request and return its answer; raises WireFault, `maybe_delivered` false where no byte of it left."""
    length = {"Content-Length": str(len(body))} if body else {}
    answer = ShortAnswer(asyncio.get_running_loop().create_future())
    connection: Connection | None = None
    may_stay = False
    try:
        head = connections.door.head(method, path, {**_HEADERS, **length, **headers})
        async with asyncio.timeout(timeout_s):
            connection = _fresh(connections) or await connections.make()
            connection.serve(answer)
            connection.write(head + body)
            may_stay = await answer.told
    except (TimeoutError, OSError, ValueError, _Broken) as error:
        raise WireFault(_word(error, connection), maybe_delivered=connection is not None) from None
    finally:
        if connection is not None and may_stay and connection.is_clear():
            connections.keep(connection)
        elif connection is not None:
            connection.close()
    return answer


def _fresh(connections: Connections) -> Connection | None:
    """Return a kept connection on which nothing has come meanwhile: one that has is closed, or about to be."""
    connection = connections.kept()
    if connection is None or not connection.has_news():
        return connection
    connection.close()
    return None


def _word(error: Exception, connection: Connection | None) -> str:
    """Name the kind of trouble without its text (texts carry addresses)."""
    if isinstance(error, ssl.SSLError):
        return "The registrar's certificate is not trusted, or TLS failed."
    if connection is None:
        return "The registrar cannot be reached."
    if isinstance(error, TimeoutError):
        return "The registrar did not answer in time."
    return "The connection to the registrar broke."
