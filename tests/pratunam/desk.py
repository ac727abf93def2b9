"""One installation to drive by its command line: a home of its own, a policy, files, and a way to what lies behind."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from click.testing import CliRunner

from domain.jobs import By, ClaimedSlice, Job, Outcome, Settlement
from domain.quota import Lease
from domain.states import RecordState
from intake.check_job import check_job
from pratunam.cli import pratunam
from pratunam.intake_parts import intake_parts
from pratunam.parts import Parts, open_parts
from pratunam.settings import read_settings
from profiles.party_members.made_up import made_up_members

T = TypeVar("T")
_BY = By("test", "test")
REGISTRY = "party-members"
SECRET = "correct-horse-battery"
POLICY = f"""format = 1

[registry.party-members]
profile  = "party-members"
endpoint = "http://127.0.0.1:9"
rate     = 100
test_ids = true

[[registry.party-members.window]]
days = "daily"
from = "00:00"
to   = "24:00"

[party.P001]
name    = "พรรคตัวอย่าง"
name_en = "Example Party"
[[party.P001.account]]
id     = "P001-01"
kind   = "base"
secret = "plain:{SECRET}"

[party.P002]
[[party.P002.account]]
id     = "P002-01"
kind   = "base"
secret = "env:P002_01"
"""


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """One installation; `folder` holds the home, its master key and files."""

    folder: Path

    @property
    def home(self) -> Path:
        """Where its state lives."""
        return self.folder / "home"

    def run(self, *arguments: str, say: str | None = None) -> Told:
        """Run one command."""
        result = CliRunner().invoke(pratunam, [str(each) for each in arguments], input=say)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Told(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str) -> Any:
        """Run one command that must go well and return its JSON."""
        told = self.run(*arguments, "--json")
        assert told.code == 0, told
        return told.json

    def write(self, name: str, text: str) -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def policy(self, *changes: tuple[str, str], name: str = "policy.toml") -> str:
        """Write the policy with some words replaced."""
        text = POLICY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return self.write(name, text)

    def apply(self, *changes: tuple[str, str]) -> None:
        """Apply the policy with some words replaced."""
        told = self.run("policy", "apply", self.policy(*changes), "--reason", "a test")
        assert told.code == 0, told

    def members(self, rows: int = 6, *, seed: int = 7, spoil: int = 0, name: str = "members.csv") -> str:
        """Write a file of made-up members, the first `spoil` of them with a wrong postcode."""
        lines = made_up_members(rows, seed).write_csv().splitlines()
        at = lines[0].split(",").index("รหัสไปรษณีย์")
        for number in range(1, spoil + 1):
            cells = lines[number].split(",")
            cells[at] = "abc"
            lines[number] = ",".join(cells)
        return self.write(name, "\n".join(lines) + "\n")

    def within(self, work: Callable[[Parts], Awaitable[T]]) -> T:
        """Do something with the installation's parts."""

        async def opened() -> T:
            async with open_parts(read_settings(), make_home=False) as parts:
                return await work(parts)

        return asyncio.run(opened())

    def submitted(self, file: str, *options: str, party: str = "P001") -> str:
        """Submit a file and return its job's id."""
        return str(self.json("submit", file, "--party", party, *options)["job"])

    def check(self, job: str) -> Job:
        """Check a job's file, as a worker does."""

        async def work(parts: Parts) -> Job:
            checked = await check_job(job, await intake_parts(parts, REGISTRY), parts.clock.now())
            assert checked is not None
            return checked

        return self.within(work)

    def settle(self, job: str, *states: RecordState) -> Job:
        """Claim slices of the job and settle its first lines, as sessions do."""

        async def work(parts: Parts) -> Job:
            now = parts.clock.now()
            generation = await parts.ledger.begin_generation(REGISTRY, "test", _BY, now)
            found = await parts.ledger.job(job)
            account = f"{found.party}-01"
            lease = Lease(REGISTRY, found.party, account, "test", generation * 2**32 + 1, generation)
            left, hands = list(states), []
            while left:
                claimed = await parts.ledger.claim(lease, now)
                assert claimed is not None
                assert claimed.job == job
                hands.append((claimed, left[: claimed.lines]))
                left = left[claimed.lines :]
            for claimed, mine in hands:
                await _settle(parts, claimed, mine, now)
            return await parts.ledger.job(job)

        return self.within(work)

    def doubt(self, job: str, line: int) -> None:
        """Have a line of the job's first slice, of which nothing is known, become one for people."""

        async def work(parts: Parts) -> None:
            outcome = Outcome(line, RecordState.DOUBTFUL)
            await parts.ledger.settle([Settlement(f"{job}.0", (outcome,))], parts.clock.now())

        self.within(work)

    def files(self) -> set[str]:
        """Name the job data that lies in the home."""
        return {path.name for path in (self.home / "spool").glob("*")} if self.home.exists() else set()


async def _settle(parts: Parts, claimed: ClaimedSlice, states: Sequence[RecordState], now: int) -> None:
    """Settle a slice's first lines, and give the slice back."""
    await parts.ledger.mark_sent(claimed.slice_id, claimed.token, claimed.lines, now)
    outcomes = tuple(
        Outcome(line, state, code="no", message_en="No.", message_th="ไม่")
        for line, state in enumerate(states)
        if state is not RecordState.UNKNOWN
    )
    lost = [line for line, state in enumerate(states) if state is RecordState.UNKNOWN]
    await parts.ledger.settle([Settlement(claimed.slice_id, outcomes)], now)
    await parts.ledger.give_back(claimed.slice_id, claimed.token, lost, now)
