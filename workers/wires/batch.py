"""Shape `batch`: requests of up to N lines. The next request is connected ahead, so that writing a batch is one synchronous step.

It takes the connection that an earlier one gave back, where one stands. A request that was connected ahead and then dropped by the
other side before a line was written has delivered nothing: another takes its place. A 413 halves the batch for this endpoint; one
single line that is too large is refused for good.
"""

from collections.abc import Sequence

from domain.errors import WireFault
from domain.wire import Answer, End, Line, OpenSession, Verdict
from workers.wires.exchange import OpenRequest
from workers.wires.handfuls import Handfuls, Hear, covers, outweighs
from workers.wires.http import HttpWire
from workers.wires.stream import IN_FLIGHT

#: requests of one exchange that may be under way at once, the one that is being filled apart
OVERLAP = 2
#: connections made ahead that may be lost in a row before the exchange gives up
LOST_AHEAD = 3


class BatchUpload:
    """`domain.wire.Upload` as a row of requests."""

    def __init__(self, wire: HttpWire, session: OpenSession) -> None:
        """Connect the first request."""
        self._wire = wire
        self._session = session
        self._in_flight = session.limits.max_in_flight or IN_FLIGHT
        self._handfuls = Handfuls()
        self._under_way: list[OpenRequest] = []
        self._lost_ahead = 0
        self._ending: End | None = None
        self._next: OpenRequest | None = None
        self._connect()

    def is_clear(self) -> bool:
        """Say whether a request stands ready."""
        return self._next is not None and self._next.is_clear()

    def room(self) -> int:
        """Return how many lines may go into the next request now."""
        if not self.is_clear() or len(self._under_way) >= OVERLAP:
            return 0
        return max(0, min(self._wire.batch, self._in_flight - self._unanswered()))

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:  # noqa: ARG002 - written in this very step
        """Send one request with these lines; raises WireFault(maybe_delivered=False) when none stands ready."""
        request = self._next
        if request is None:
            raise WireFault("No request stands ready.", maybe_delivered=False)
        request.write(lines, last=True)
        self._lost_ahead = 0
        self._under_way.append(request)
        self._connect()

    def listen(self, hear: Hear) -> None:
        """Have answers told in handfuls, and last an End."""
        self._handfuls.listen(hear)

    async def finish(self) -> None:
        """Say that no more lines come."""
        self._stop(End("finished"))

    def abort(self) -> None:
        """Cut all connections now."""
        self._ending = end = End("aborted", clean=not self._unanswered())
        for request in [*self._under_way, *([self._next] if self._next else [])]:
            request.abort()
        self._handfuls.end(end)

    def on_answers(self, request: OpenRequest, answers: Sequence[Answer]) -> None:  # noqa: ARG002 - all go into one queue
        """Take a handful."""
        self._handfuls.put(answers)

    def on_end(self, request: OpenRequest, end: End) -> None:
        """Go on after a request that was answered in full; anything else ends the exchange."""
        if request is self._next:
            self._next = None
            self._replace(end)
            return
        if request not in self._under_way:  # one that was connected ahead and is not needed any more
            return
        self._under_way.remove(request)
        if end.code == "too-large" and self._shrink(request):
            return
        if not (end.code == "finished" and end.clean):
            self._stop(end)
        elif self._ending is not None:
            self._stop(self._ending)

    def _unanswered(self) -> int:
        return sum(len(request.awaiting) for request in self._under_way)

    def _connect(self) -> None:
        self._next = OpenRequest(self._wire, self._session, self, eager_headers=False)

    def _replace(self, end: End) -> None:
        """A request that was connected ahead is gone; nothing of it was delivered."""
        self._lost_ahead += 1
        if self._ending is not None or self._lost_ahead > LOST_AHEAD or end.code == "unreachable":
            self._stop(self._ending or end)
        else:
            self._connect()

    def _shrink(self, request: OpenRequest) -> bool:
        """Answer for a request that was too large: its lines go again in smaller ones, a single line is refused."""
        lines = list(request.awaiting)
        if not lines:
            return False
        if len(lines) == 1:
            self._handfuls.put([Answer(lines[0], Verdict.REJECTED, code="too-large")])
        else:
            self._wire.batch = max(1, len(lines) // 2)
            self._handfuls.put(
                [Answer(key, Verdict.RETRY, code="not-recorded", retry_after_ms=0) for key in lines]
            )
        request.awaiting.clear()
        return True

    def _stop(self, end: End) -> None:
        """Begin no other request, and end with the last that is under way; what is unclean once stays unclean."""
        self._ending = end if self._ending is None or outweighs(end, self._ending) else self._ending
        if self._under_way or not covers(self._ending, end):
            self._handfuls.warn(end)
        if self._next is not None and not self._next.ended:
            ahead, self._next = self._next, None
            ahead.abort()
        if not self._under_way and self._ending is not None:
            self._handfuls.end(self._ending)
