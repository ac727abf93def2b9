"""A scene for the ledger's tests: a home with keys, jobs with slices in it, leases that claim them. It asserts nothing itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.jobs import By, ClaimedSlice, InvalidDraft, Job, NewJob, Outcome, Settled, Settlement, SliceDraft
from domain.policy import AccountRules, NoticeRules, PartyRules, Policy, RegistryRules
from domain.quota import Lease
from domain.states import AccountKind, RecordState
from ledger.boxes import SliceBox, pack_index, seal_slice
from ledger.keystore import KeyStore
from ledger.protocols import Ledger
from ledger.values import CheckResult, CheckTicket, NoticeDraft, PolicyDraft

NOW = 1_767_225_600_000
MINUTE = 60_000
BY = By("ops:test", "test")
REGISTRY = "party-members"

ACCEPTED, REJECTED, UNKNOWN = RecordState.ACCEPTED, RecordState.REJECTED, RecordState.UNKNOWN
PENDING, DOUBTFUL = RecordState.PENDING, RecordState.DOUBTFUL


def new_job(job: str = "J1", party: str = "P001", **changes: Any) -> NewJob:
    """A file of one party as intake hands it over; its digest follows from its id."""
    values: dict[str, Any] = {
        "registry": REGISTRY, "profile": "party-members", "profile_version": 1, "file": f"{job}.csv",
        "digest": f"{int.from_bytes(job.encode()):064x}", "blob": f"blob-{job}", "operation": "ADD",
    }  # fmt: skip
    return NewJob(job=job, party=party, **(values | changes))


def lease(token: int = 1, party: str = "P001", account: str = "P001-01", generation: int = 0) -> Lease:
    """A lease of one account; only its names and numbers count here."""
    return Lease(REGISTRY, party, account, "worker-1", token, generation)


def policy(*parties: str, **changes: Any) -> Policy:
    """A policy with these parties, each with one base and one added account."""
    return Policy(
        registries={
            REGISTRY: RegistryRules(REGISTRY, "party-members", changes.pop("endpoint", "https://one.example"))
        },
        parties={
            party: PartyRules(
                party,
                contact=f"{party.lower()}@party.example",
                accounts=(
                    AccountRules(f"{party}-01", REGISTRY, AccountKind.BASE),
                    AccountRules(f"{party}-02", REGISTRY, AccountKind.ADDED),
                ),
            )
            for party in parties
        },
        notice=changes.pop("notice", NoticeRules()),
        **changes,
    )


def policy_draft(rules: Policy, **changes: Any) -> PolicyDraft:
    """A draft of `rules` that takes effect at once."""
    values: dict[str, Any] = {
        "document": "format = 1",
        "author": "somchai",
        "reason": "test",
        "effective_at": NOW,
    }
    return PolicyDraft(policy=rules, **(values | changes))


def notice_draft(party: str = "P001") -> NoticeDraft:
    """A notice to one party."""
    return NoticeDraft(party, "window", "Hours change", "เวลาเปลี่ยน", "From Monday", "ตั้งแต่วันจันทร์")


@dataclass
class Scene:
    """One ledger and its keys, with short words for what most tests begin with."""

    ledger: Ledger
    keys: KeyStore

    async def submit(
        self,
        job: str = "J1",
        party: str = "P001",
        lines: Sequence[int] = (3,),
        *,
        at: int = NOW,
        waits: dict[int, tuple[str, ...]] | None = None,
        invalid: int = 0,
        **changes: Any,
    ) -> Job:
        """Take a job in and check it to the end: one slice for each of `lines`, waiting as `waits` says."""
        await self.ledger.receive(new_job(job, party, **changes), BY, at)
        ticket = await self.check(job, at)
        drafts = [
            self.draft(job, seq, count, party, (waits or {}).get(seq, ())) for seq, count in enumerate(lines)
        ]
        batches = [InvalidDraft(0, invalid, b"faults")] if invalid else []
        await self.ledger.accept(job, drafts, batches, at)
        result = CheckResult(
            sum(lines) + invalid, invalid, sum(lines), {"bad-id": invalid} if invalid else {}
        )
        return await self.ledger.finish_check(ticket, result, BY, at)

    async def check(self, job: str, now: int = NOW) -> CheckTicket:
        """Begin a check that must be free to begin, with the job's key made."""
        self.keys.create(job)
        ticket = await self.ledger.begin_check(job, now)
        assert ticket is not None
        return ticket

    def draft(
        self, job: str, seq: int, lines: int, party: str = "P001", waits_for: tuple[str, ...] = ()
    ) -> SliceDraft:
        """A sealed slice of `lines` records."""
        box = SliceBox(
            tuple(f"{job}.{seq}.{line}" for line in range(lines)),
            tuple(b'{"n":%d}' % line for line in range(lines)),
            tuple(range(lines)),
        )
        index = pack_index(
            [b"%016d" % line for line in range(lines)], [b"%08d" % (seq % 1000) for _ in range(lines)]
        )
        return SliceDraft(
            seq, lines, seal_slice(box, self.keys.sealer(job), party, job, seq), index, waits_for
        )

    async def claim(self, token: int = 1, now: int = NOW, **of: Any) -> ClaimedSlice:
        """Claim a slice that must be there."""
        claimed = await self.ledger.claim(lease(token, **of), now)
        assert claimed is not None
        return claimed

    async def settle(self, slice_id: str, outcomes: dict[int, RecordState], now: int = NOW) -> Settled:
        """Settle some lines of one slice."""
        made = tuple(Outcome(line, state, receipt=f"R{line}") for line, state in outcomes.items())
        return (await self.ledger.settle([Settlement(slice_id, made)], now))[0]

    async def states(self, job: str = "J1") -> list[str]:
        """The letters of the job's slices, in order."""
        return [one.states.decode() async for one in self.ledger.slices(job)]

    async def is_counted_right(self, job: str) -> bool:
        """Whether the job's counters are what a recount of its slices gives."""
        found = await self.ledger.job(job)
        letters = Counter("".join(await self.states(job)))
        return all(
            getattr(found.records, state.name.lower()) == letters[state.value] for state in RecordState
        )
