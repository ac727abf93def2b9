"""A station on stand-ins for the gate and the ledger; nothing of it runs yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from domain.clock import Clock, SystemClock
from domain.events import Event
from domain.policy import RegistryRules
from domain.quota import Quotas
from domain.states import AccountKind, AccountState
from domain.wire import Wire
from ledger.protocols import Ledger
from ledger.values import AccountRow
from tests.workers.fake_gate import FakeGate
from tests.workers.fake_ledger import FakeLedger
from workers.budget import RetryBudget, SignalBook
from workers.endings import Endings
from workers.owed import Owed
from workers.pacer import Pacer
from workers.settling import RIPE_SOON_MS, Settler
from workers.station import Station


@dataclass
class Bench:
    """A station on fakes, with everything at hand that a test looks at."""

    station: Station
    gate: FakeGate
    ledger: FakeLedger
    events: list[Event]


def bench(
    rules: RegistryRules, wire: Wire, *, accounts: Sequence[str] = ("A1",), clock: Clock | None = None
) -> Bench:
    """Make a station of one registry for party P1; pacer and settler are not started."""
    clock = clock or SystemClock()
    gate, ledger, events = FakeGate(), FakeLedger(clock), list[Event]()
    ledger.account_rows = [
        AccountRow(rules.name, "P1", account, AccountKind.BASE, AccountState.ACTIVE) for account in accounts
    ]
    quotas, real = cast("Quotas", gate), cast("Ledger", ledger)
    station = Station(
        rules=rules,
        holder="host:1",
        quotas=quotas,
        ledger=real,
        wire=wire,
        pacer=Pacer(rules.name, "host:1", quotas, clock, events.append),
        owed=Owed(rules.name, quotas, clock, events.append),
        settler=Settler(rules.name, real, clock, events.append, RIPE_SOON_MS),
        budget=RetryBudget(clock),
        signals=SignalBook(),
        clock=clock,
        emit=events.append,
        open_slice=ledger.open_slice,
        closes_at=lambda party, now: None,
        endings=Endings(clock),
    )
    return Bench(station, gate, ledger, events)
