"""Builds without a guard of the upload's way, for showing that the sweep sees what the guard prevents."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ledger import work
from ledger.changes import SliceRow
from ledger.lines import Lines
from tests.sweep.points import How
from workers.settling import Settler
from workers.stock import Hand
from workers.supply import Supply


@contextmanager
def lines_not_marked() -> Iterator[None]:
    """Lines are written before the ledger has it that they may be."""

    async def mark_nothing(supply: Supply) -> None:
        for hand in supply._stock.hands:
            hand.marked = len(hand.lines)

    with mock.patch.object(Supply, "mark_ahead", mark_nothing):
        yield


@contextmanager
def settling_not_idempotent() -> Iterator[None]:
    """An outcome that is settled again counts again."""

    def move(lines: Lines, line: int, target: str) -> bool:
        lines.letters[line] = target
        return True

    with mock.patch.object(Lines, "move", move):
        yield


@contextmanager
def slices_given_back_before_their_answers() -> Iterator[None]:
    """A slice is given back while outcomes of it still wait to be settled."""
    real = Settler.flush

    async def flush(settler: Settler, slice_ids: Sequence[str] | None = None) -> None:
        if asyncio.current_task() is settler._loop._task:
            await real(settler, slice_ids)

    with mock.patch.object(Settler, "flush", flush):
        yield


@contextmanager
def lines_of_the_dead_taken_for_unsent() -> Iterator[None]:
    """Rescue believes that a dead session had sent nothing."""

    def nothing(row: SliceRow, *, idempotent: bool) -> Sequence[int]:
        return ()

    with mock.patch.object(work, "_perhaps_sent", nothing):
        yield


@contextmanager
def unknown_lines_sent_again() -> Iterator[None]:
    """Nobody asks about what may have been recorded."""
    with mock.patch.object(Hand, "_let_go", lambda hand, n: hand.ready.append(n)):
        yield


@contextmanager
def slices_left_behind() -> Iterator[None]:
    """Nobody fetches back what a dead session held."""
    with mock.patch.object(work, "_is_lost", return_value=False):
        yield


@dataclass(frozen=True, slots=True)
class Build:
    """A build: on which way and by which fault it is found out, and a word of what the judges must say."""

    without: Callable[[], Any]
    way: str
    how: How
    word: str


BUILDS: dict[str, Build] = {
    "lines not marked before they are written": Build(
        lines_not_marked, "asked about", How.KILLED_SENT, "took effect 2 times"
    ),
    "settling not idempotent": Build(
        settling_not_idempotent, "one effect a key", How.WRITE_UNHEARD, "2 outcomes of it"
    ),
    "slices given back before their answers": Build(
        slices_given_back_before_their_answers, "overloaded", How.WRITE_FAILED, "took effect 2 times"
    ),
    "lines of the dead taken for unsent": Build(
        lines_of_the_dead_taken_for_unsent, "asked about", How.KILLED_SENT, "took effect 2 times"
    ),
    "unknown lines sent again": Build(
        unknown_lines_sent_again, "asked about", How.KILLED_SENT, "took effect 2 times"
    ),
    "slices left behind": Build(
        slices_left_behind, "one effect a key", How.KILLED_LOST, "is running at the end"
    ),
}
