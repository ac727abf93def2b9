"""What became of each row of a job: read from slices, outcomes and invalid rows, a stretch of rows at a time."""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.jobs import Job, Outcome
from domain.states import RecordState
from intake.parts import IntakeParts
from ledger.boxes import Fault, open_faults, open_outcomes, open_slice
from ledger.sealing import Sealer

ACCEPTED, REJECTED, UNKNOWN, UNPROCESSED = "accepted", "rejected", "unknown", "unprocessed"
KINDS = (ACCEPTED, REJECTED, UNKNOWN, UNPROCESSED)
_KIND = {
    RecordState.ACCEPTED: ACCEPTED,
    RecordState.REJECTED: REJECTED,
    RecordState.UNKNOWN: UNKNOWN,
    RecordState.DOUBTFUL: UNKNOWN,
    RecordState.PENDING: UNPROCESSED,
    RecordState.UNPROCESSED: UNPROCESSED,
}
_WORDS = {
    RecordState.UNKNOWN: ("Sent, and no answer is known yet.", "ส่งแล้ว ยังไม่ทราบผล"),
    RecordState.DOUBTFUL: (
        "Sent, and no machine can find out what became of it.",
        "ส่งแล้ว ระบบหาผลไม่ได้ ต้องให้เจ้าหน้าที่ตรวจสอบ",
    ),
    RecordState.PENDING: ("Not sent yet.", "ยังไม่ได้ส่ง"),
    RecordState.UNPROCESSED: ("Not sent: the job was cancelled.", "ไม่ได้ส่ง เพราะยกเลิกงาน"),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """One row's end so far: which file it goes to, who said so, and in which words."""

    kind: str
    by: str = ""
    code: str = ""
    reason_th: str = ""
    reason_en: str = ""
    receipt: str = ""


@dataclass(slots=True)
class Fates:
    """The rows of one job. What is kept for every row is a few bytes; words are fetched for a stretch at a time."""

    job: Job
    parts: IntakeParts
    sealer: Sealer
    _positions: dict[str, "array[int]"] = field(default_factory=dict)
    _states: dict[str, bytes] = field(default_factory=dict)

    async def load(self) -> None:
        """Read where every record stands and in which state."""
        async for stored in self.parts.ledger.slices(self.job.job):
            box = await asyncio.to_thread(
                open_slice, stored.box, self.sealer, self.job.party, self.job.job, stored.seq
            )
            self._positions[stored.slice_id] = array("I", box.positions)
            self._states[stored.slice_id] = stored.states

    async def of(self, first: int, end: int) -> list[Fate]:
        """Return the fates of the rows from position `first` to before `end`."""
        fates: dict[int, Fate] = {}
        outcomes = await self._outcomes(first, end)
        for slice_id, positions in self._positions.items():
            states = self._states[slice_id]
            for line, at in _lines(positions, first, end):
                state = RecordState(chr(states[line]))
                fates[at] = _fate(state, outcomes.get((slice_id, line)))
        await self._invalid(first, end, fates)
        missing = Fate(UNPROCESSED, "gate", "not-checked", "ยังไม่ได้ตรวจ", "Not checked yet.")
        return [fates.get(at, missing) for at in range(first, end)]

    async def _outcomes(self, first: int, end: int) -> dict[tuple[str, int], Outcome]:
        found: dict[tuple[str, int], Outcome] = {}
        within = {
            one for one, positions in self._positions.items() if next(_lines(positions, first, end), None)
        }
        async for stored in self.parts.ledger.outcomes(self.job.job):
            if stored.slice_id not in within:
                continue
            box = await asyncio.to_thread(
                open_outcomes,
                stored.box,
                self.sealer,
                self.job.party,
                self.job.job,
                stored.slice_id,
                stored.batch,
            )
            states = self._states[stored.slice_id]
            for one in box.outcomes:
                # a line may have been unknown first: what counts says the same as its present state
                if chr(states[one.line]) == one.state.value:
                    found[stored.slice_id, one.line] = one
        return found

    async def _invalid(self, first: int, end: int, fates: dict[int, Fate]) -> None:
        told: dict[int, list[Fault]] = {}
        async for draft in self.parts.ledger.invalid(self.job.job):
            box = await asyncio.to_thread(
                open_faults, draft.box, self.sealer, self.job.party, self.job.job, draft.seq
            )
            for row in box.rows:
                if first <= row.position < end:
                    told.setdefault(row.position, []).extend(row.faults)
        for at, faults in told.items():
            fates[at] = Fate(
                REJECTED,
                "gate",
                ";".join(dict.fromkeys(fault.code for fault in faults)),
                " | ".join(fault.message_th for fault in faults),
                " | ".join(fault.message_en for fault in faults),
            )


def _lines(positions: Sequence[int], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (line, position) of a slice's lines within a stretch; a tail's lines need not be in order."""
    if min(positions) < end and max(positions) >= first:
        for line, at in enumerate(positions):
            if first <= at < end:
                yield line, at


def _fate(state: RecordState, outcome: Outcome | None) -> Fate:
    kind = _KIND[state]
    if outcome is not None and outcome.state is state:
        en, th = _WORDS.get(state, ("", ""))
        return Fate(
            kind,
            outcome.by,
            outcome.code,
            outcome.message_th or th,
            outcome.message_en or en,
            outcome.receipt,
        )
    en, th = _WORDS.get(state, ("", ""))
    return Fate(kind, "gate" if kind == UNPROCESSED else "", state.name.lower() if en else "", th, en)
