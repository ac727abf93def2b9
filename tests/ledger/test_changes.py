"""Whatever happens in whatever order, counters are what a recount gives and nothing that may have been sent is forgotten."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings, stateful
from hypothesis import strategies as st
from sqlalchemy import Row, select

from domain.errors import Conflict
from domain.jobs import Outcome, Settlement, SliceDraft
from domain.states import JobState, RecordState, SliceState
from ledger import checks, jobs, settle, work
from ledger.drafts import accept
from ledger.keystore import KeyStore
from ledger.meta import CommitMirror
from ledger.sqlite import SqliteEngine
from ledger.tables import jobs as job_rows
from ledger.tables import slice_index, slice_waits, slices
from ledger.values import CheckResult
from tests.ledger.scene import BY, NOW, REGISTRY, lease, new_job

LINES = 3
SLICES = ("J1.0", "J1.1", "J2.0", "J2.1")
#: J2's second slice waits for J1's first
WAITS = {("J2", 1): ("J1.0",)}

some_slice = st.sampled_from(SLICES)
some_lines = st.sets(st.integers(0, LINES - 1), max_size=LINES)
some_outcomes = st.dictionaries(st.integers(0, LINES - 1), st.sampled_from(RecordState), min_size=1)
some_job = st.sampled_from(("J1", "J2"))


class AnyOrder(stateful.RuleBasedStateMachine):
    """Verbs in any order on two jobs of one party, checked against a recount after each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ptn-"))
        self.keys = KeyStore(self.folder / "keys.db", b"m" * 32)
        self.engine = SqliteEngine(self.folder / "ledger.db", CommitMirror(self.folder / "commits"))
        self.token = 0
        self.suspects: set[tuple[str, int]] = set()
        self.ended: dict[tuple[str, int], str] = {}

    def teardown(self) -> None:
        self.engine.dispose()
        self.keys.close()
        shutil.rmtree(self.folder)

    @stateful.initialize()
    def two_jobs(self) -> None:
        write = self.engine.write_now
        for job in ("J1", "J2"):
            self.keys.create(job)
            write(jobs.receive, new_job(job), BY, NOW)
            ticket = write(checks.begin_check, job, NOW, attempts=3, lock_ms=1000)
            assert ticket is not None
            drafts = [
                SliceDraft(seq, LINES, b"box", b"i" * 24 * LINES, WAITS.get((job, seq), ())) for seq in (0, 1)
            ]
            write(accept, job, drafts, [])
            write(checks.finish_check, ticket, CheckResult(2 * LINES, 0, 2 * LINES, {}), BY, NOW)

    @stateful.rule()
    def claim(self) -> None:
        self.token += 1
        claimed = self.engine.write_now(work.claim, lease(self.token), NOW)
        if claimed is not None:
            assert claimed.states.decode() == self.letters()[claimed.slice_id]
            if self.state_of(claimed.job) is JobState.CANCELLING:
                assert "p" not in claimed.states.decode()

    @stateful.rule(slice_id=some_slice, outcomes=some_outcomes)
    def settle(self, slice_id: str, outcomes: dict[int, RecordState]) -> None:
        letters = self.letters()[slice_id]
        for line, state in outcomes.items():
            if state is RecordState.UNKNOWN and letters[line] in "pu":
                self.suspects.add((slice_id, line))
            if state in (RecordState.PENDING, RecordState.UNPROCESSED) and letters[line] in "ud":
                self.suspects.discard(
                    (slice_id, line)
                )  # a session that has asked knows that it was not recorded
        made = tuple(Outcome(line, state) for line, state in outcomes.items())
        self.engine.write_now(settle.settle, [Settlement(slice_id, made)], self.keys, NOW)

    @stateful.rule(slice_id=some_slice, unknown=some_lines, later=st.booleans())
    def give_back(self, slice_id: str, unknown: set[int], later: bool) -> None:
        row = self.row(slice_id)
        if row.state == SliceState.CLAIMED:
            self.suspects |= {(slice_id, line) for line in unknown if row.states[line] in "pu"}
        not_before = NOW - 1 if later else None
        self.engine.write_now(
            work.give_back, slice_id, row.token, sorted(unknown), NOW, not_before=not_before
        )

    @stateful.rule(slice_id=some_slice, upto=st.integers(0, LINES))
    def mark_sent(self, slice_id: str, upto: int) -> None:
        self.engine.write_now(work.mark_sent, slice_id, self.row(slice_id).token, upto)

    @stateful.rule(idempotent=st.booleans())
    def rescue(self, idempotent: bool) -> None:
        for slice_id in SLICES:
            row = self.row(slice_id)
            if row.state == SliceState.CLAIMED:
                upto = LINES if idempotent else row.watermark
                self.suspects |= {(slice_id, line) for line in range(upto) if row.states[line] in "pu"}
        self.engine.write_now(work.rescue, REGISTRY, frozenset(), NOW, idempotent=idempotent)

    @stateful.rule(job=some_job, verb=st.sampled_from(("pause", "resume", "cancel")))
    def people_act(self, job: str, verb: str) -> None:
        try:
            if verb == "pause":
                self.engine.write_now(jobs.pause, job, "", BY, NOW)
            else:
                self.engine.write_now(getattr(jobs, verb), job, BY, NOW)
        except Conflict:
            assert self.state_of(job) not in (JobState.QUEUED, JobState.RUNNING)

    @stateful.rule(
        slice_id=some_slice, line=st.integers(0, LINES - 1), answer=st.sampled_from((None, "a", "r"))
    )
    def people_answer(self, slice_id: str, line: int, answer: str | None) -> None:
        outcome = None if answer is None else Outcome(line, RecordState(answer))
        job = slice_id.partition(".")[0]
        try:
            self.engine.write_now(settle.resolve, job, slice_id, line, outcome, "", self.keys, BY, NOW)
        except Conflict:
            return
        self.suspects.discard((slice_id, line))

    @stateful.invariant()
    def everything_agrees(self) -> None:
        with self.engine.reading() as connection:
            rows = {row.slice_id: row for row in connection.execute(select(slices))}
            found = {row.job: row for row in connection.execute(select(job_rows))}
            indexed = set(connection.execute(select(slice_index.c.slice_id)).scalars())
            waiting = set(connection.execute(select(slice_waits.c.slice_id)).scalars())
        for job, row in found.items():
            mine = [one for slice_id, one in rows.items() if slice_id.startswith(job)]
            self.counters_are_a_recount(row, mine)
            self.a_job_has_ended_when_nothing_is_pending_or_unknown(row)
        for slice_id, row in rows.items():
            self.what_follows_a_slice_follows_it(row, slice_id in indexed, slice_id in waiting)
        self.what_was_sent_or_settled_is_never_forgotten(
            {slice_id: row.states for slice_id, row in rows.items()}
        )

    def counters_are_a_recount(self, job: Row[Any], rows: list[Row[Any]]) -> None:
        letters = Counter("".join(row.states for row in rows))
        for state in RecordState:
            assert job._mapping[state.name.lower()] == letters[state.value]
        for column, place in (("ready", SliceState.READY), ("in_hand", SliceState.CLAIMED)):
            assert job._mapping[column] == sum(
                row.pending + row.unknown for row in rows if row.state == place
            )
        for row in rows:
            counts = Counter(row.states)
            assert (row.pending, row.unknown, row.doubtful) == (counts["p"], counts["u"], counts["d"])

    def a_job_has_ended_when_nothing_is_pending_or_unknown(self, job: Row[Any]) -> None:
        has_ended = job.state in (JobState.FINISHED, JobState.CANCELLED)
        assert has_ended == (job.pending + job.unknown == 0)
        assert has_ended == (job.finished_at is not None)
        if job.state in (JobState.CANCELLING, JobState.CANCELLED):
            assert job.pending == 0

    def what_follows_a_slice_follows_it(self, row: Row[Any], is_indexed: bool, is_waiting: bool) -> None:
        work_left = row.pending + row.unknown
        assert is_indexed == (work_left + row.doubtful > 0)
        assert (row.state == SliceState.SETTLED) == (work_left == 0)
        assert (row.state == SliceState.WAITING) == (is_waiting and work_left > 0)

    def what_was_sent_or_settled_is_never_forgotten(self, letters: dict[str, str]) -> None:
        assert all(letters[slice_id][line] in "uard" for slice_id, line in self.suspects)
        for (slice_id, line), letter in self.ended.items():
            assert letters[slice_id][line] == letter
        for slice_id, states in letters.items():
            self.ended |= {(slice_id, line): letter for line, letter in enumerate(states) if letter in "ar"}

    def letters(self) -> dict[str, str]:
        with self.engine.reading() as connection:
            return {row.slice_id: row.states for row in connection.execute(select(slices))}

    def state_of(self, job: str) -> JobState:
        with self.engine.reading() as connection:
            return JobState(
                connection.execute(select(job_rows.c.state).where(job_rows.c.job == job)).scalar_one()
            )

    def row(self, slice_id: str) -> Row[Any]:
        with self.engine.reading() as connection:
            return connection.execute(select(slices).where(slices.c.slice_id == slice_id)).one()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # a failure is told as it was found: to shrink or to explain one takes minutes, and a test that lasts so long is ended without a word
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
