"""A small stand-in for the ledger: slices in memory, settled by the real one's rules, and the books that a test reads."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.clock import Clock
from domain.jobs import By, ClaimedSlice, Job, Outcome, Settled, Settlement
from domain.quota import Lease
from domain.states import AccountState, JobState
from ledger.boxes import SliceBox
from ledger.lines import Lines
from ledger.values import AccountRow, NoticeDraft


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
