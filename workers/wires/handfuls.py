"""The reading end that all shapes share: handfuls of answers as they come, and one End after which nothing comes."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.wire import Answer, End, Scope

Hear = Callable[[Sequence[Answer] | End], None]


class Handfuls:
    """Tells whoever listens; keeps what comes before anybody does."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: list[Sequence[Answer] | End] = []
        self._hear: Hear = self._kept.append
        self.ended = False

    def listen(self, hear: Hear) -> None:
        """Tell `hear` what was kept, and from now on whatever comes."""
        self._hear = hear
        kept, self._kept = self._kept, []
        for handful in kept:
            hear(handful)

    def put(self, answers: Sequence[Answer]) -> None:
        """Add a handful."""
        if not self.ended:
            self._hear(answers)

    def warn(self, end: End) -> None:
        """Tell a pause at once, where other requests keep the exchange from ending, or another end is the exchange's."""
        if not self.ended and end.retry_after_ms is not None:
            self._hear(replace(end, is_last=False))

    def end(self, end: End) -> None:
        """End, unless that has happened."""
        if not self.ended:
            self.ended = True
            self._hear(end)


def outweighs(end: End, before: End) -> bool:
    """Say which of two ends is the exchange's: what is unclean, what is a refusal, and of two alike the longer pause."""
    if end.clean is not before.clean:
        return before.clean
    if before.code == "finished":
        return True
    return _kind(end) == _kind(before) and _pause(end) > _pause(before)


def covers(end: End, other: End) -> bool:
    """Say whether whoever heeds `end` has heeded `other`, too: another kind of end says nothing of its pause."""
    return _kind(end) == _kind(other) and _pause(end) >= _pause(other)


def _kind(end: End) -> tuple[str, Scope, bool]:
    return end.code, end.scope, end.clean


def _pause(end: End) -> int:
    return end.retry_after_ms or 0
