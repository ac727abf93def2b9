"""The reading end that all shapes share: handfuls of answers as they come, and one End after which nothing comes."""

from collections.abc import Callable, Sequence

from domain.wire import Answer, End

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

    def end(self, end: End) -> None:
        """End, unless that has happened."""
        if not self.ended:
            self.ended = True
            self._hear(end)
