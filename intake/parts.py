"""What intake works with, and what a submitter asks of it: plain values."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from domain.clock import Clock, SystemClock
from domain.events import Emit, Event
from domain.policy import RegistryRules
from domain.ports import Spool
from intake.frames import Limits
from intake.keeper import StartChild, keep_child
from ledger.job_protocols import Jobs, Work
from ledger.keystore import KeyStore
from ledger.rule_protocols import Accounts, Audit


def _nobody(event: Event) -> None:
    """Tell nobody."""


class IntakeLedger(Jobs, Work, Accounts, Audit, Protocol):
    """The verbs of the ledger that intake uses."""


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One file as a party hands it in; `max_invalid_pct` of invalid rows pause the job (percent)."""

    party: str
    registry: str
    profile: str
    file_name: str = ""
    operation: str | None = None
    declared: bool = False
    ignored: tuple[str, ...] = ()
    sheet: str | None = None
    deadline_at: int | None = None
    priority: int = 0
    max_invalid_pct: float = 5.0
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """What intake works with.

    `scratch` is a folder for blind hashes while a file is checked; `limits` bind the child; `least_free` bytes must stay free
    on the disk of `scratch`; the right to check is kept alive every `check_every_s`; `emit` hears of checks that died. A machine takes
    in so many files at once (`places`), others wait `wait_s` for it; a party may have `most_open` open jobs.
    """

    ledger: IntakeLedger
    spool: Spool
    keys: KeyStore
    rules: RegistryRules
    scratch: Path
    clock: Clock = field(default_factory=SystemClock)
    limits: Limits = field(default_factory=Limits)
    least_free: int = 256 << 20
    check_every_s: float = 10.0
    index_wait_s: float = 0.2
    places: int = 4
    wait_s: float = 60.0
    most_open: int | None = None
    emit: Emit = _nobody
    start_child: StartChild = keep_child
