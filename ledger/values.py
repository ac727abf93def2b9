"""Values that only the ledger's verbs give and take: accounts, notices, audit lines, holds, check tickets, index parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.policy import Policy, PolicyVersion
from domain.states import AccountKind, AccountState, JobState


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as it stands: policy gives `kind`, events give `state`; the secret stays sealed."""

    registry: str
    party: str
    account: str
    kind: AccountKind
    state: AccountState
    reason: str = ""
    since_at: int = 0


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """One notice for one party, in both languages; written in the transaction of the change that it tells of."""

    party: str
    kind: str
    title_en: str
    title_th: str
    body_en: str
    body_th: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """How one notice fares on one channel (`folder`, `smtp`, `webhook`); state waiting, delivered, failing."""

    channel: str
    state: str
    attempts: int
    next_at: int | None
    delivered_at: int | None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice and its deliveries."""

    notice: str
    party: str
    kind: str
    created_at: int
    title_en: str
    title_th: str
    body_en: str
    body_th: str
    version: int | None = None
    deliveries: tuple[DeliveryRow, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit chain: `digest` = SHA-256 over the canonical line and the digest before it (hex)."""

    line: int
    at: int
    who: str
    through: str
    action: str
    subject: str
    detail: Mapping[str, object]
    before: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuditProof:
    """What checking the chain found: `broken_at` is the first line that does not follow from the one before."""

    lines: int
    head: str
    broken_at: int | None = None


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One standing hold: on a registry, or on one party there (`party` None = everyone)."""

    registry: str
    party: str | None
    reason: str
    who: str
    since_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The version in force (`PolicyBook.policy`), the holds, and what somebody must be rung for.

    `unchecked_jobs`: files received, or left by a check that crashed, oldest first; `due_notices`: those with a channel that is due.
    """

    policy: PolicyVersion | None
    holds: Sequence[HoldRow]
    unchecked_jobs: Sequence[str]
    due_notices: Sequence[str]


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """Jobs by (registry, state), doubtful records by (registry, party), deliveries not done by (channel, state)."""

    jobs: Mapping[tuple[str, str], int]
    doubtful: Mapping[tuple[str, str], int]
    notices: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Restored:
    """A ledger that was put back from a copy: since when that is seen to (None: not yet) and for how long it is remembered at least (ms).

    `asked`: unsettled records of the copy that the registrar is asked about; `unchecked`: its files that are not checked yet.
    """

    since_at: int | None
    asked: int
    unchecked: int
    kept_until_at: int | None

    def is_over(self, now: int) -> bool:
        """Say whether nothing is left to ask, and the time for submitting lost files again has passed."""
        done = self.asked == 0 and self.unchecked == 0
        return done and self.kept_until_at is not None and now >= self.kept_until_at


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy about to be applied.

    `base` refuses when another version has come between; `removed` names parties and accounts with open jobs that may go;
    `secrets` maps (registry, account) to the new plain secret (sealed on the way in).
    """

    document: str
    policy: Policy
    author: str
    reason: str
    effective_at: int
    base: int | None = None
    removed: frozenset[str] = frozenset()
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    notices: tuple[NoticeDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSlice:
    """One slice as results and the forecast read it."""

    slice_id: str
    job: str
    seq: int
    lines: int
    box: bytes
    states: bytes


@dataclass(frozen=True, slots=True)
class StoredOutcomes:
    """One settled batch: `lines` and `states` in clear (no personal data), details in the sealed `box` (`ledger.boxes.OutcomeBox`)."""

    slice_id: str
    batch: int
    box: bytes
    settled_at: int


@dataclass(frozen=True, slots=True)
class IndexPart:
    """The blind index of one slice that still has unsettled records, with its states (one byte a line)."""

    slice_id: str
    job: str
    seq: int
    index: bytes
    states: bytes


@dataclass(frozen=True, slots=True)
class CheckTicket:
    """Leave to check a file: `attempt` counts from 1; the third crash refuses the job."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a finished check found; `faults` counts by fault code."""

    rows: int
    invalid: int
    records: int
    faults: Mapping[str, int]
    notes_en: tuple[str, ...] = ()
    notes_th: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnsettledRecord:
    """One unknown or doubtful record as people see it: where it stands, not who it is."""

    job: str
    slice_id: str
    line: int
    state: str
    job_state: JobState
