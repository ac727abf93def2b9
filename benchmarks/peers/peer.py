"""Runs a peer as a process of its own against a registrar of its own, and reads what it cost. It must not judge: the registrar does."""

import asyncio
import importlib.util
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.peers.bare_loop import Share, Work
from benchmarks.town import REGISTRY, TownPlan, party, registrar_alone
from profiles.party_members.check import check
from profiles.party_members.fields import FIELDS
from profiles.party_members.made_up import made_up_members
from profiles.profile import CheckContext

#: what each peer needs that the environment does not have by itself
NEEDS = {"bare_loop": "limits"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that is ready and waits: the registrar's address, and its process."""

    endpoint: str
    process: asyncio.subprocess.Process

    async def release(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    def cpu_s(self) -> float:
        """Return its processor time so far, all threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    async def until_done(self) -> dict[str, object]:
        """Wait until it has sent all; returns what it says became of the records."""
        assert self.process.stdout is not None
        return dict(json.loads(await self.process.stdout.readline()))


def missing(name: str) -> str:
    """Say what is to be done when a peer cannot run here; empty when it can."""
    if importlib.util.find_spec(NEEDS[name]) is not None:
        return ""
    return (
        f"{name} is left out: it needs the package `{NEEDS[name]}` (requirements/peers.lock). "
        "Remedy: `python3 run.py bench pace` installs it where packages can be reached."
    )


@asynccontextmanager
async def peer(name: str, plan: TownPlan) -> AsyncIterator[Peer]:
    """Start a registrar and a peer with all of the plan's records in memory, and wait until it is ready; ends both with the block."""
    folder = Path(tempfile.mkdtemp(prefix="pratunam-bench-"))
    async with registrar_alone(plan, folder) as endpoint:
        (folder / "work.json").write_text(json.dumps(asdict(work_of(plan, endpoint, folder))), "utf-8")
        with (folder / "peer.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"benchmarks.peers.{name}", str(folder / "work.json")),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            assert process.stdout is not None
            if await process.stdout.readline() != b"ready\n":
                raise RuntimeError(
                    f"{name} did not start: {(folder / 'peer.log').read_text('utf-8')[-2000:]}"
                )
            yield Peer(endpoint, process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def work_of(plan: TownPlan, endpoint: str, folder: Path) -> Work:
    """Write the records of each party as they will be sent (ours have theirs sealed before as well), and return the work."""
    shares = []
    for number, rows in enumerate(plan.rows):
        file = folder / f"{party(number)}.ndjson"
        file.write_bytes(b"\n".join(bodies(rows, number)))
        accounts = [f"{party(number)}-{each:02d}" for each in range(plan.accounts[number])]
        shares.append(Share(party(number), accounts, str(file)))
    return Work(
        endpoint=endpoint,
        registry=REGISTRY,
        secret="s",
        rate=plan.rate,
        burst=plan.burst,
        account_rate=plan.account_rate,
        account_burst=plan.account_burst,
        shares=shares,
    )


def bodies(rows: int, seed: int) -> list[bytes]:
    """Return made-up members as bodies of requests, byte for byte as ours go out."""
    names = {kind.headers[0]: name for name, kind in FIELDS.items()}
    members = made_up_members(rows, seed).rename(names, strict=False).with_row_index("_position")
    checked = check(members, CheckContext(datetime.now(UTC).date(), test_ids=True))
    assert checked.good.height == rows, checked.faults
    return list(checked.good["body"])
