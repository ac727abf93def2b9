"""Small stand-ins for the gate and the ledger: they keep the books that a test reads, and obey what it sets."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from domain.clock import Clock, SystemClock
from domain.errors import GateLost
from domain.events import Event
from domain.jobs import By, ClaimedSlice, Job, Outcome, Settled, Settlement
from domain.policy import RegistryRules
from domain.quota import AccountQuota, BoundBy, Debt, Lease, LeaseRefused, Permit, Quotas, Signals, TickLine
from domain.states import AccountKind, AccountState, JobState
from domain.wire import Scope, Wire
from ledger.boxes import SliceBox
from ledger.lines import Lines
from ledger.protocols import Ledger
from ledger.values import AccountRow, NoticeDraft
from workers.budget import RetryBudget, SignalBook
from workers.endings import Endings
from workers.owed import Owed
from workers.pacer import Pacer
from workers.settling import RIPE_SOON_MS, Settler
from workers.station import Station


@dataclass
class FakeGate:
    """A gate that grants whatever is wanted, up to `per_tick` and `total`, until told otherwise."""

    per_tick: int = 50
    total: int = 1_000_000
    valid_ms: int = 1_000
    lease_ms: int = 6_000
    is_lost: bool = False
    is_alive: bool = True
    is_ending: bool = False
    bound_by: BoundBy = BoundBy.ACCOUNT
    renews: bool = True
    taken: set[str] = field(default_factory=set)
    given: int = 0
    ticks: list[tuple[int, tuple[TickLine, ...]]] = field(default_factory=list)
    fenced_leases: list[Lease] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    limited: list[AccountQuota] = field(default_factory=list)
    pushes: list[tuple[Scope, str, int]] = field(default_factory=list)
    released: list[tuple[TickLine, bool]] = field(default_factory=list)
    reports: list[Signals] = field(default_factory=list)
    debts: list[Sequence[Debt]] = field(default_factory=list)
    #: tokens of leases of which nothing can arrive any more
    over: set[int] = field(default_factory=set)
    _token: int = 0

    async def lease(self, registry: str, party: str, account: str, holder: str) -> Lease | LeaseRefused:
        """Give every account once."""
        self.asked_for.append(account)
        if account in self.taken:
            return LeaseRefused(BoundBy.SESSIONS, 1000)
        self.taken.add(account)
        self._token += 1
        return Lease(registry, party, account, holder, self._token, 1)

    async def renew(self, lease: Lease) -> bool:
        """Renew as told."""
        return self.renews

    async def fenced(self, lease: Lease) -> None:
        """Note it."""
        self.fenced_leases.append(lease)

    async def limit_account(self, lease: Lease, quota: AccountQuota) -> None:
        """Note it."""
        self.limited.append(quota)

    async def tick(
        self, registry: str, holder: str, tick_no: int, lines: Sequence[TickLine]
    ) -> Sequence[Permit]:
        """Grant as told."""
        if self.is_lost:
            raise GateLost
        self.ticks.append((tick_no, tuple(lines)))
        return [self._permit(line) for line in lines]

    def _permit(self, line: TickLine) -> Permit:
        granted = 0
        if self.is_alive and not self.is_ending:
            granted = min(line.want, self.per_tick, self.total - self.given)
        self.given += granted
        bound = BoundBy.NOTHING if granted == line.want else self.bound_by
        left = self.lease_ms if self.is_alive else 0
        return Permit(self.is_alive, granted, self.valid_ms, left, bound, 5, self.is_ending)

    async def release(self, line: TickLine, *, logged_out: bool) -> None:
        """Take a lease back."""
        self.taken.discard(line.lease.account)
        self.released.append((line, logged_out))

    async def owe(self, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        """Note it."""
        if self.is_lost:
            raise GateLost
        self.debts.append(tuple(debts))
        return [debt.sent > debt.settled and debt.lease.token not in self.over for debt in debts]

    async def push_back(self, registry: str, scope: Scope, who: str, retry_after_ms: int) -> None:
        """Note it."""
        self.pushes.append((scope, who, retry_after_ms))

    async def report(self, registry: str, holder: str, signals: Signals) -> None:
        """Note it."""
        self.reports.append(signals)


@dataclass
class FakeSlice:
    """One slice in the fake ledger."""

    claimed: ClaimedSlice
    box: SliceBox
    states: list[str]
    is_claimed: bool = False
    not_before: int | None = None

    def settle(self, outcomes: Sequence[Outcome], *, stopping: bool) -> list[Outcome]:
        """Move lines by the real ledger's rules; returns the outcomes that moved one."""
        lines = Lines(self.states)
        moved = lines.settle(outcomes, stopping=stopping)
        self.states = lines.letters
        return moved


@dataclass
class FakeLedger:
    """A ledger of slices in memory, with the verbs that a session uses."""

    clock: Clock
    account_rows: list[AccountRow] = field(default_factory=list)
    slices: dict[str, FakeSlice] = field(default_factory=dict)
    job_state: JobState = JobState.RUNNING
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    claims: list[str] = field(default_factory=list)
    marks: list[tuple[str, int]] = field(default_factory=list)
    given_back: list[tuple[str, tuple[int, ...], int | None]] = field(default_factory=list)
    states_then: list[str] = field(default_factory=list)
    aside: list[tuple[str, str, bool]] = field(default_factory=list)
    notices: list[NoticeDraft] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def add_slice(
        self,
        count: int,
        states: str = "",
        after: Mapping[int, int] | None = None,
        job: str = "J1",
        watermark: int = 0,
    ) -> FakeSlice:
        """Put a slice of `count` lines in; keys are `<slice>-<line>`."""
        seq = len(self.slices)
        slice_id = f"{job}.{seq}"
        states = states or "p" * count
        box = SliceBox(
            tuple(f"{job}_{seq}-{n}" for n in range(count)), tuple(b'{"n":%d}' % n for n in range(count)),
            tuple(range(count)), dict(after or {}),
        )  # fmt: skip
        claimed = ClaimedSlice(
            slice_id, job, "P1", "reg", "party-members", 1, seq, count, b"", states.encode(), watermark, 0
        )
        self.slices[slice_id] = FakeSlice(claimed, box, list(states))
        return self.slices[slice_id]

    def open_slice(self, claimed: ClaimedSlice) -> SliceBox:
        """Open a slice as the key store would."""
        return self.slices[claimed.slice_id].box

    def is_stopping(self) -> bool:
        """Whether the job is being cancelled."""
        return self.job_state is JobState.CANCELLING

    def states(self) -> str:
        """All lines' states, slice after slice."""
        return "".join("".join(held.states) for held in self.slices.values())

    async def accounts(self, registry: str | None = None, party: str | None = None) -> Sequence[AccountRow]:
        """Return the party's accounts."""
        return [row for row in self.account_rows if row.party == party]

    async def secret(self, registry: str, account: str) -> str:
        """Return a secret."""
        return "secret"

    async def set_aside(
        self,
        registry: str,
        account: str,
        reason: str,
        notices: Sequence[NoticeDraft],
        by: By,
        now: int,
        *,
        suspended: bool = False,
    ) -> bool:
        """Set an account aside, once."""
        state = AccountState.SUSPENDED if suspended else AccountState.SET_ASIDE
        before = [
            row for row in self.account_rows if row.account == account and row.state is AccountState.ACTIVE
        ]
        self.account_rows = [
            replace(row, state=state) if row.account == account else row for row in self.account_rows
        ]
        if before:
            self.aside.append((account, reason, suspended))
            self.notices.extend(notices)
        return bool(before)

    async def job(self, job: str) -> Job:
        """Tell a job's state."""
        return Job(job, "P1", "reg", "party-members", 1, "f.csv", "d", "b", self.job_state, "r", 0)

    async def claim(self, lease: Lease, now: int) -> ClaimedSlice | None:
        """Claim the first slice that is free, due and not done."""
        for slice_id, held in self.slices.items():
            due = held.not_before is None or held.not_before <= now
            if (
                not held.is_claimed
                and due
                and set(held.states) & {"p", "u"}
                and self.job_state in (JobState.RUNNING, JobState.CANCELLING)
            ):
                held.is_claimed = True
                self.claims.append(slice_id)
                states = "".join(held.states).encode()
                ask_only = self.job_state is JobState.CANCELLING
                return replace(held.claimed, states=states, token=lease.token, ask_only=ask_only)
        return None

    async def mark_sent(self, slice_id: str, token: int, upto: int, now: int) -> bool:
        """Note the watermark."""
        self.marks.append((slice_id, upto))
        return True

    async def settle(self, settlements: Sequence[Settlement], now: int) -> Sequence[Settled]:
        """Settle as the real one does, unless a failure stands in the way."""
        if self.failures:
            raise self.failures.pop(0)
        results = []
        for settlement in settlements:
            held = self.slices[settlement.slice_id]
            moved = held.settle(settlement.outcomes, stopping=self.is_stopping())
            assert len(moved) == len(settlement.outcomes), "a line is settled once, by a move that is allowed"
            for outcome in moved:
                self.outcomes[settlement.slice_id, outcome.line] = outcome
            done = not set(held.states) & {"p", "u"}
            results.append(Settled(len(moved), done, self.job_state))
        self.settled.set()
        return results

    async def give_back(
        self, slice_id: str, token: int, unknown: Sequence[int], now: int, *, not_before: int | None = None
    ) -> None:
        """Take a slice back as the real one does."""
        held = self.slices[slice_id]
        assert held.is_claimed
        held.is_claimed = False
        held.not_before = not_before
        lines = Lines(held.states)
        lines.give_back(unknown, stopping=self.is_stopping())
        held.states = lines.letters
        self.given_back.append((slice_id, tuple(unknown), not_before))
        self.states_then.append("".join(held.states))


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
