"""Holding a home still: what changes its ledger or its keys as a whole works only while nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import Conflict
from ledger.turnstile import taken_at_once
from pratunam.child import ready_children
from pratunam.running import what_runs
from pratunam.settings import Settings


@contextmanager
def alone(settings: Settings, refusal: Conflict) -> Iterator[None]:
    """Hold the lock of whoever has the home to itself (`up`, or a change of the whole); raises `refusal` while somebody does."""
    settings.run_folder.mkdir(mode=0o700, exist_ok=True)
    with (settings.run_folder / "up.lock").open("w") as lock:
        if not taken_at_once(lock.fileno()):
            raise refusal
        yield


@contextmanager
def held_still(settings: Settings, refusal: Conflict) -> Iterator[None]:
    """Have the home to itself; raises `refusal` while anything runs on it. A home that is not there cannot run: opening it says so."""
    if not settings.home.is_dir():
        yield
        return
    with alone(settings, refusal):
        if what_runs(settings) is not None or ready_children(settings):
            raise refusal
        yield
