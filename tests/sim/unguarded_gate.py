"""Builds whose gate lacks a guard: sessions, buckets, its clock, its beginning, pushback. `tests/sim/unguarded.py` has their worlds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from domain.quota import Debt
from tests.quotas.model_parts import UNIT, Account, Bucket
from tests.sim.gate import GateClient
from tests.sim.gate_model import GatedModel


@contextmanager
def nothing_reserved() -> Iterator[None]:
    """Buckets forget what was sent and not answered yet."""

    def room(bucket: Bucket, at: int) -> int:
        return max(0, bucket.level_at(at) // UNIT)

    with mock.patch.object(Bucket, "room", room):
        yield


@contextmanager
def answers_made_older() -> Iterator[None]:
    """An answer is taken to have been read when its record was drawn."""
    before = GatedModel._debit

    def debit(model: GatedModel, account: Account, freed: int, answered: int, since: int) -> None:
        before(model, account, freed, answered, since - 60_000_000)

    with mock.patch.object(GatedModel, "_debit", debit):
        yield


@contextmanager
def sessions_not_counted() -> Iterator[None]:
    """The gate gives out leases without counting them."""
    with mock.patch.object(GatedModel, "sessions", return_value=0):
        yield


@contextmanager
def sessions_of_the_dead_not_counted() -> Iterator[None]:
    """A session that is not known to be closed is taken for closed."""
    with mock.patch.object(Account, "counts", lambda account: account.live is not None):
        yield


@contextmanager
def sessions_of_before_forgotten() -> Iterator[None]:
    """A new generation on a gate that lives on knows nothing of the sessions that may be open."""
    with mock.patch.object(GatedModel, "_hand_on"):
        yield


@contextmanager
def steps_of_the_clock_believed() -> Iterator[None]:
    """The gate's clock follows its machine's, however far that was stepped."""
    before = GatedModel.call

    def call(model: GatedModel, now_us: int) -> None:
        model.at += max(0, now_us - model.seen)
        model.seen = now_us
        before(model, now_us)

    with mock.patch.object(GatedModel, "call", call):
        yield


@contextmanager
def nothing_spent_by_the_dead() -> Iterator[None]:
    """What a session left outstanding is free again as soon as its lease is over."""
    before = GatedModel._bury

    def bury(model: GatedModel, account: Account, left: int, from_at: int, *, is_open: bool) -> None:
        model._debit(account, left, 0, model.at)
        before(model, account, 0, from_at, is_open=is_open)

    with mock.patch.object(GatedModel, "_bury", bury):
        yield


@contextmanager
def gates_that_begin_full() -> Iterator[None]:
    """A gate that was lost begins anew as if nothing had been sent lately: buckets are full, and nothing is waited for."""
    begin, limit = GatedModel.__init__, Bucket.limit

    def begin_at_once(model: GatedModel, quota: Any, now_us: int, generation: int, wait_ms: int) -> None:
        begin(model, quota, now_us, generation, 0)

    def fill(bucket: Bucket, rate: float, burst: int, at: int) -> None:
        is_new = bucket.cap == 0
        limit(bucket, rate, burst, at)
        bucket.level = bucket.cap if is_new else bucket.level

    with mock.patch.object(GatedModel, "__init__", begin_at_once), mock.patch.object(Bucket, "limit", fill):
        yield


@contextmanager
def debts_untold() -> Iterator[None]:
    """What was sent before the gate was lost is forgotten with it."""

    async def nothing(_: GateClient, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        return [False for _ in debts]

    with mock.patch.object(GateClient, "owe", nothing):
        yield


@contextmanager
def pushback_unheard() -> Iterator[None]:
    """Nobody tells the gate that the registrar said slow down."""

    async def nothing(*_: Any) -> None:
        return None

    with mock.patch.object(GateClient, "push_back", nothing):
        yield
