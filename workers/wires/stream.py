"""Shape `stream`: one long request an exchange, lines written as permits allow, answers read as they come."""

from collections.abc import Sequence

from domain.wire import Answer, End, Line, OpenSession
from workers.wires.exchange import OpenRequest
from workers.wires.handfuls import Handfuls, Hear
from workers.wires.http import HttpWire

#: lines that may be unanswered at once where the registrar names no limit
IN_FLIGHT = 256


class StreamUpload:
    """`domain.wire.Upload` as one full-duplex request."""

    def __init__(self, wire: HttpWire, session: OpenSession) -> None:
        """Begin the request; lines can be written once `is_clear`."""
        self._in_flight = session.limits.max_in_flight or IN_FLIGHT
        self._handfuls = Handfuls()
        self._request = OpenRequest(wire, session, self, eager_headers=True)

    def is_clear(self) -> bool:
        """Say whether the connection stands and holds no unsent byte."""
        return self._request.is_clear()

    def room(self) -> int:
        """Return how many lines may be written now."""
        return max(0, self._in_flight - len(self._request.awaiting)) if self.is_clear() else 0

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:  # noqa: ARG002 - written in this very step
        """Write lines at once; raises WireFault(maybe_delivered=False) when the connection is closed."""
        self._request.write(lines)

    def listen(self, hear: Hear) -> None:
        """Have answers told in handfuls, and last an End."""
        self._handfuls.listen(hear)

    async def finish(self) -> None:
        """Say that no more lines come."""
        self._request.finish()

    def abort(self) -> None:
        """Cut the connection now."""
        self._request.abort()

    def on_answers(self, request: OpenRequest, answers: Sequence[Answer]) -> None:  # noqa: ARG002 - the one request
        """Take a handful."""
        self._handfuls.put(answers)

    def on_end(self, request: OpenRequest, end: End) -> None:  # noqa: ARG002 - the one request
        """Take the end."""
        self._handfuls.end(end)
