"""A registrar and a gate as processes of their own, and parties with made-up members: what every measurement begins with."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.gate import Gate
from domain.jobs import By, Job
from domain.states import ENDED_JOB_STATES, JobState
from intake.receive import receive
from pratunam.demo.gate import program
from pratunam.doorbells import ring_check, wake_scheduler
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import Parts, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import read_settings
from profiles.party_members.made_up import made_up_members

REGISTRY = "party-members"
BY = By("benchmark", "bench")
#: the policy's window that never closes
ALWAYS = f'[[registry.{REGISTRY}.window]]\ndays = "daily"\nfrom = "00:00"\nto = "24:00"'


@dataclass(frozen=True, slots=True)
class TownPlan:
    """What to build: accounts and rows of each party, and the limits that both sides keep (records/s, records)."""

    accounts: Sequence[int]
    rows: Sequence[int]
    rate: float
    burst: int
    account_rate: float
    account_burst: int
    service_ms: float = 10
    shape: str = "stream"
    sessions: int = 1000
    judged: bool = True
    #: more lines of the policy: for its registry, for single parties (by number), and at its top; and of the registrar
    extra_policy: str = ""
    party_policy: Mapping[int, str] = field(default_factory=dict)
    top_policy: str = ""
    windows: str = ALWAYS
    extra_registrar: str = ""
    top_registrar: str = ""
    #: the registrar writes every arrival down (see `Town.arrived`)
    keeps_arrivals: bool = False
    log_level: str = "warning"
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record that reached the registrar: when by its clock (ms), from which account of which party, and what became of it."""

    at: int
    party: int
    account: int
    key: str
    decision: str


@dataclass(frozen=True, slots=True)
class Town:
    """A town that runs: folder, parts of the home, the registrar's address, and the process that supervises the gate."""

    plan: TownPlan
    folder: Path
    parts: Parts
    endpoint: str
    gate: Gate

    async def submit(self, files: Mapping[str, Path]) -> list[Job]:
        """Hand in files by party, and wait until all are checked and queued."""
        taken = []
        for party, file in files.items():
            intake = await intake_parts(self.parts, REGISTRY)
            request = submit_request(party, intake.rules, file.name, max_invalid_pct=100)
            taken.append(await receive(file, request, intake, BY, self.parts.clock.now()))
            await ring_check(self.parts.settings, taken[-1].job)
        return await self.until(taken, lambda job: job.state not in {JobState.RECEIVED, JobState.CHECKING})

    async def until_done(self, jobs: Sequence[Job], within_s: float = 600) -> list[Job]:
        """Wait until all jobs have ended."""
        return await self.until(jobs, lambda job: job.state in ENDED_JOB_STATES, within_s)

    async def now(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs as they stand now."""
        return [await self.parts.ledger.job(job.job) for job in jobs]

    async def until(self, jobs: Sequence[Job], is_so: Any, within_s: float = 600) -> list[Job]:
        """Wait until `is_so(job)` holds for all jobs; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                found = await self.now(jobs)
                if all(is_so(job) for job in found):
                    return found
                await asyncio.sleep(0.1)

    async def hold(self, *, on: bool) -> None:
        """Press or release the registrar's stop button."""
        verb = self.parts.ledger.hold if on else self.parts.ledger.release
        await verb(REGISTRY, None, "benchmark", (), BY, self.parts.clock.now())
        await wake_scheduler(self.parts.settings)

    async def report(self, bins: int = 0) -> dict[str, Any]:
        """Fetch the registrar's report of this registry."""
        return await report_of(self.endpoint, bins)

    async def control(self, **wish: object) -> None:
        """Turn the registrar's knobs."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.endpoint}/control", json=wish),
        ):
            pass

    def policy_file(self, plan: TownPlan) -> Path:
        """Write the policy file of another plan and return its path."""
        file = self.folder / "next-policy.toml"
        file.write_text(policy_of(plan, self.endpoint), "utf-8")
        return file

    async def apply(self, plan: TownPlan) -> None:
        """Apply the policy of another plan at once, without the time that a command line needs to start."""
        request = ApplyRequest(policy_of(plan, self.endpoint), "a measurement", "bench")
        await apply_policy(self.parts.ledger, request, BY, self.parts.clock.now())
        await wake_scheduler(self.parts.settings)

    async def hurry(self) -> None:
        """Raise all limits tenfold, first at the registrar: what is left has no more to show and need not take long."""
        was = self.plan
        plan = replace(was, rate=was.rate * 10, account_rate=was.account_rate * 10)
        limits: list[dict[str, object]] = [
            {"account": f"{party(k)}-{n:02d}", "rate": plan.account_rate, "burst": plan.account_burst}
            for k, count in enumerate(plan.accounts)
            for n in range(count)
        ]
        await self.control(limits=[{"rate": plan.rate, "burst": plan.burst}, *limits])
        await self.apply(plan)

    def arrived(self) -> list[Arrival]:
        """Return every arrival that the registrar wrote down, in order."""
        accounts = [
            (number, each) for number, count in enumerate(self.plan.accounts) for each in range(count)
        ]
        found = []
        for line in (self.folder / "arrivals.jsonl").read_bytes().splitlines():
            row = json.loads(line)
            number, account = accounts[row["account"]]
            found.append(Arrival(row["wall_us"] // 1000, number, account, row["key"], row["decision"]))
        return found

    async def until_arrived(self, count: int, within_s: float = 60) -> None:
        """Wait until so many records have arrived; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while await self.arrivals() < count:
                await asyncio.sleep(0.05)

    async def arrivals(self) -> int:
        """Return how many records have arrived."""
        return int((await self.report())["arrivals"])

    def cpu_s(self) -> float:
        """Return the processor time of everything that the gate runs (supervisor, Redis, scheduler, workers), so far."""
        total = 0.0
        for process in self.gate.family():
            times = process.cpu_times()
            total += times.user + times.system
        return total


@asynccontextmanager
async def town(plan: TownPlan, folder: Path | None = None) -> AsyncIterator[Town]:
    """Build a town and run it until the block ends; `folder` None: a new one that stays."""
    folder = folder or Path(tempfile.mkdtemp(prefix="pratunam-bench-"))
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(registrar_alone(plan, folder))
        (folder / "policy.toml").write_text(policy_of(plan, endpoint), "utf-8")
        settings = read_settings(folder / "home", dict(plan.environment))
        more = {
            "PRATUNAM_MASTER_KEY_FILE": str(settings.master_key_path),
            "PRATUNAM_LOG_LEVEL": plan.log_level,
        }
        gate = Gate(settings.home, folder / "policy.toml", folder / "gate.log", more | dict(plan.environment))
        stack.push_async_callback(_end, gate)
        await gate.start()
        parts = await stack.enter_async_context(open_parts(settings))
        yield Town(plan, folder, parts, endpoint, gate)


async def report_of(endpoint: str, bins: int = 0) -> dict[str, Any]:
    """Fetch a registrar's report of this registry."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{endpoint}/report?bins={bins}") as answer,
    ):
        return dict((await answer.json())["registries"][REGISTRY])


@asynccontextmanager
async def registrar_alone(plan: TownPlan, folder: Path) -> AsyncIterator[str]:
    """Run the registrar of a plan without a gate until the block ends; yields its address."""
    (folder / "registrar.toml").write_text(registrar_of(plan, folder), "utf-8")
    arguments = ["registrar", "--port", "0", "--config", str(folder / "registrar.toml")]
    async with program(arguments, folder / "registrar.log") as endpoint:
        yield endpoint


async def _end(gate: Gate) -> None:
    if gate.runs:
        await gate.stop()


def party(number: int) -> str:
    """Return a party's id."""
    return f"P{number:03d}"


def write_members(folder: Path, name: str, rows: int, seed: int) -> Path:
    """Write a full CSV of made-up members without faults."""
    path = folder / f"{name}.csv"
    made_up_members(rows, seed).write_csv(path)
    return path


def registrar_of(plan: TownPlan, folder: Path) -> str:
    """Return the rules of the registrar of a plan."""
    lines = [
        f'mode = "{"enforce" if plan.judged else "watch"}"',
        f'log_file = "{folder / "arrivals.jsonl"}"' if plan.keeps_arrivals else "",
        plan.top_registrar,
        f"[registries.{REGISTRY}]",
        f"service_ms = {plan.service_ms}",
        f"sessions = {plan.sessions}",
        "max_in_flight = 100000",
    ]
    if plan.judged:
        lines += [
            f"rate = {plan.rate}",
            f"burst = {plan.burst}",
            f"account_rate = {plan.account_rate}",
            f"account_burst = {plan.account_burst}",
        ]
    lines.append(plan.extra_registrar)
    for number, count in enumerate(plan.accounts):
        accounts = ", ".join(
            f'{{ id = "{party(number)}-{each:02d}", secret = "s" }}' for each in range(count)
        )
        lines += [f"[registries.{REGISTRY}.parties.{party(number)}]", f"accounts = [{accounts}]"]
    return "\n".join(lines) + "\n"


def policy_of(plan: TownPlan, endpoint: str) -> str:
    """Return the policy file of a plan."""
    lines = [
        "format = 1",
        plan.top_policy,
        f"[registry.{REGISTRY}]",
        f'profile = "party-members"\nendpoint = "{endpoint}"\nshape = "{plan.shape}"\ntest_ids = true',
        f"rate = {plan.rate}\nburst = {plan.burst}\nsessions = {plan.sessions}",
        f"account_rate = {plan.account_rate}\naccount_burst = {plan.account_burst}",
        plan.extra_policy,
        plan.windows,
    ]
    for number, count in enumerate(plan.accounts):
        lines += [f"[party.{party(number)}]", plan.party_policy.get(number, "")]
        for each in range(count):
            account = f'id = "{party(number)}-{each:02d}"\nkind = "base"\nsecret = "plain:s"'
            lines.append(f"[[party.{party(number)}.account]]\n{account}")
    return "\n".join(lines) + "\n"
