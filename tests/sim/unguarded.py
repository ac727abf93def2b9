"""Builds without a guard, for showing that the judges would see what the guard prevents."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from ledger.values import HoldRow
from ledger.verbs import SqlLedger
from scheduler.openings import FOR_EVER_MS, Openings
from scheduler.rescue import Rescuer
from tests.quotas.model_parts import UNIT, Bucket
from tests.sim.gate_model import GatedModel
from workers.sending import Sending
from workers.stock import Hand


@contextmanager
def silence_taken_for_failure() -> Iterator[None]:
    """A record whose answer never came is taken for not recorded."""
    with mock.patch.object(Hand, "lose", lambda hand, line: hand.out.discard(line)):
        yield


@contextmanager
def rescue_of_the_living() -> Iterator[None]:
    """Slices are fetched back whoever holds them."""
    with mock.patch.object(Rescuer, "live_tokens", return_value=frozenset[int]()):
        yield


@contextmanager
def nothing_reserved() -> Iterator[None]:
    """Buckets forget what was sent and not answered yet."""

    def room(bucket: Bucket, at: int) -> int:
        return max(0, bucket.to(at).level // UNIT)

    with mock.patch.object(Bucket, "room", room):
        yield


@contextmanager
def windows_without_an_end() -> Iterator[None]:
    """What is open stays open until somebody looks again."""
    before = Openings.open_ms

    def open_ms(openings: Openings, *asked: Any) -> int:
        return FOR_EVER_MS if before(openings, *asked) else 0

    with (
        mock.patch.object(Openings, "open_ms", open_ms),
        mock.patch.object(Sending, "is_closed", return_value=False),
    ):
        yield


@contextmanager
def holds_unheard() -> Iterator[None]:
    """A hold stands in the ledger alone: the scheduler does not hear of it."""

    async def nothing(_: SqlLedger) -> Sequence[HoldRow]:
        return ()

    with mock.patch.object(SqlLedger, "holds", nothing):
        yield


@contextmanager
def sessions_not_counted() -> Iterator[None]:
    """The gate gives out leases without counting them."""
    with mock.patch.object(GatedModel, "sessions", return_value=0):
        yield


@contextmanager
def order_not_kept() -> Iterator[None]:
    """A person's records need not wait for each other."""
    before = Hand.__init__

    def begin(hand: Hand, claimed: Any, box: Any, *, idempotent: bool) -> None:
        box.after.clear()
        before(hand, claimed, box, idempotent=idempotent)

    with mock.patch.object(Hand, "__init__", begin):
        yield


#: each with a word of what the judges must say
BUILDS: dict[str, tuple[Callable[[], Any], str]] = {
    "silence taken for failure": (silence_taken_for_failure, "took effect 2 times"),
    "rescue of the living": (rescue_of_the_living, "took effect 2 times"),
    "nothing reserved": (nothing_reserved, "passed over"),
    "windows without an end": (windows_without_an_end, "outside its window"),
    "holds unheard": (holds_unheard, "after the hold"),
    "sessions not counted": (sessions_not_counted, "sessions at once"),
    "order not kept": (order_not_kept, "in the order"),
}
