"""Jobs, slices, records and outcomes as values: what intake hands to the ledger, and the ledger to everyone else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.states import JobState, RecordState


@dataclass(frozen=True, slots=True)
class By:
    """Who did it, and through what: `By("ops:somchai", "cli")`."""

    who: str
    through: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """One file as taken in: already in the spool under `blob`, forbidden columns cut; `digest` is SHA-256 (hex) of the file as given."""

    job: str
    party: str
    registry: str
    profile: str
    profile_version: int
    file: str
    digest: str
    blob: str
    operation: str | None = None
    declared: bool = False
    ignored: tuple[str, ...] = ()
    sheet: str | None = None
    deadline_at: int | None = None
    priority: int = 0
    max_invalid_pct: float = 5.0
    parent: str | None = None
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How many records of a job stand where."""

    pending: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    doubtful: int = 0
    unprocessed: int = 0

    @property
    def total(self) -> int:
        """Return the number of records in all."""
        return self.pending + self.accepted + self.rejected + self.unknown + self.doubtful + self.unprocessed


@dataclass(frozen=True, slots=True)
class Job:
    """One submitted file and what has become of it. `rows` = `invalid` + `records.total` once it has been checked."""

    job: str
    party: str
    registry: str
    profile: str
    profile_version: int
    file: str
    digest: str
    blob: str
    state: JobState
    receipt: str
    submitted_at: int
    operation: str | None = None
    declared: bool = False
    ignored: tuple[str, ...] = ()
    sheet: str | None = None
    deadline_at: int | None = None
    priority: int = 0
    max_invalid_pct: float = 5.0
    parent: str | None = None
    cut: tuple[str, ...] = ()
    rows: int = 0
    invalid: int = 0
    records: RecordCounts = RecordCounts()
    check_attempts: int = 0
    #: in words of whoever paused it; the gate's own are English here, see `paused_reason_th`
    paused_reason: str = ""
    fault_en: str = ""
    fault_th: str = ""
    finished_at: int | None = None
    erased_at: int | None = None
    faults: Mapping[str, int] = field(default_factory=dict)
    notes_en: tuple[str, ...] = ()
    notes_th: tuple[str, ...] = ()

    @property
    def paused_reason_th(self) -> str:
        """Return the reason in Thai where the gate paused the job itself; people's own words stay as they are."""
        english, thai = too_many_invalid(self.invalid, self.rows, self.max_invalid_pct)
        return thai if self.paused_reason == english else self.paused_reason


def too_many_invalid(invalid: int, rows: int, allowed_pct: float) -> tuple[str, str]:
    """Return why the gate paused a job after its check, in English and in Thai."""
    return (
        f"{invalid} of {rows} rows are invalid, more than {allowed_pct:g} %",
        f"มีแถวที่ไม่ผ่านการตรวจ {invalid} จาก {rows} แถว เกินร้อยละ {allowed_pct:g}",
    )


@dataclass(frozen=True, slots=True)
class SliceDraft:
    """One sealed slice on its way into the ledger.

    `box` is `ledger.boxes.SliceBox` sealed with the job's key (associated data: party, job, `seq`); `lines` its records.
    `index` is the blind index of its lines in line order: 16 bytes person ‖ 8 bytes content each (`ledger.boxes` packs it).
    `waits_for` names slices of other jobs that must be settled first. `seq` counts from 0 within the job. `joined` names lines
    with the key of another job's record, where a key may have two effects: they begin as unknown and are asked about first.
    """

    seq: int
    lines: int
    box: bytes
    index: bytes
    waits_for: tuple[str, ...] = ()
    joined: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InvalidDraft:
    """A batch of invalid rows: `box` is `ledger.boxes.FaultBox` sealed with the job's key; `rows` how many rows it holds."""

    seq: int
    rows: int
    box: bytes


@dataclass(frozen=True, slots=True)
class ClaimedSlice:
    """A slice that a lease has claimed: committed before its first record is sent.

    `states` has one byte a line (`RecordState` values); only `p` lines may be sent as new; `u` lines are resent with the
    same key where the registry is idempotent, and asked about first where it is not. `ask_only`: the job is being cancelled, so
    nothing of it is sent any more, also not with the same key; its `u` lines are asked about. `ask_first`: the ledger was put back from
    a copy, so its `u` lines are asked about wherever the registrar can be asked, before they are sent again.
    """

    slice_id: str
    job: str
    party: str
    registry: str
    profile: str
    profile_version: int
    seq: int
    lines: int
    box: bytes
    states: bytes
    watermark: int
    token: int
    ask_only: bool = False
    ask_first: bool = False


class Outcome(NamedTuple):
    """What became of one line; `code`, `field`, messages and receipt are the registrar's own and are sealed on settling."""

    line: int
    state: RecordState
    receipt: str = ""
    code: str = ""
    field: str = ""
    message_th: str = ""
    message_en: str = ""
    by: str = "registrar"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A small batch of outcomes of one slice. Idempotent and monotone: repeating it, or settling late, changes nothing twice."""

    slice_id: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement did: lines that really moved, whether the slice is done with, and where the job stands now."""

    moved: int
    slice_done: bool
    job_state: JobState


@dataclass(frozen=True, slots=True)
class JobBacklog:
    """One open job's part in its party's backlog: what `order_jobs` and the forecast look at."""

    job: str
    party: str
    priority: int
    submitted_at: int
    deadline_at: int | None
    pending: int
    unknown: int
    ready_lines: int
    next_due_at: int | None = None


@dataclass(frozen=True, slots=True)
class PartyBacklog:
    """What one party has waiting at one registry: `ready` lines could be sent now, `in_hand` lie in claimed slices."""

    party: str
    pending: int
    unknown: int
    ready: int
    in_hand: int
    jobs: tuple[JobBacklog, ...] = ()
    next_due_at: int | None = None
