"""A slice's lines as one string of letters: which outcome may move which line, and how many stand where. Pure; no SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.jobs import Outcome
from domain.states import RECORD_MOVES, RecordState

PENDING = RecordState.PENDING.value
UNKNOWN = RecordState.UNKNOWN.value
DOUBTFUL = RecordState.DOUBTFUL.value
UNPROCESSED = RecordState.UNPROCESSED.value

#: the jobs' columns that count each letter
COUNTED = {state.value: state.name.lower() for state in RecordState}
_MOVES = {before.value: frozenset(after.value for after in moves) for before, moves in RECORD_MOVES.items()}


@dataclass(slots=True)
class Lines:
    """The letters of one slice, changed in place.

    `sure`: where the job was cancelled while the slice was claimed, the letters from just before. A line that was pending then is
    unknown only until its session tells whether it was sent.
    """

    letters: list[str]
    sure: list[str] | None = None

    def settle(self, outcomes: Sequence[Outcome], *, stopping: bool) -> list[Outcome]:
        """Move lines as `RECORD_MOVES` allows and return the outcomes that moved one; the others change nothing.

        `stopping`: the job is being cancelled, so a record that the registrar does not have is not sent again but unprocessed.
        """
        moved = []
        for outcome in outcomes:
            target = outcome.state.value
            if stopping and target == PENDING:
                target = UNPROCESSED
            if self.move(outcome.line, target):
                moved.append(outcome)
        return moved

    def move(self, line: int, target: str) -> bool:
        """Move one line if that is a legal move; a line that does not exist never moves."""
        if not 0 <= line < len(self.letters):
            return False
        if self.sure is not None and target == UNKNOWN:
            self.sure[line] = UNKNOWN
        if target not in _MOVES[self.letters[line]]:
            return False
        self.letters[line] = target
        return True

    def give_back(self, unknown: Iterable[int], *, stopping: bool) -> None:
        """End a claim: the lines named are unknown, and so are others that were it for a reason of their own.

        Every other unsettled line is pending, or unprocessed while the job is stopping.
        """
        named = frozenset(unknown)
        for line, letter in enumerate(self.letters):
            if letter not in (PENDING, UNKNOWN):
                continue
            if line in named or (letter == UNKNOWN and (self.sure is None or self.sure[line] == UNKNOWN)):
                self.letters[line] = UNKNOWN
            else:
                self.letters[line] = UNPROCESSED if stopping else PENDING
        self.sure = None

    def unsettled(self) -> list[int]:
        """Return the lines that are pending or unknown."""
        return [line for line, letter in enumerate(self.letters) if letter in (PENDING, UNKNOWN)]
