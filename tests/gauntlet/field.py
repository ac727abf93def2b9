"""The field on which a gauntlet is run: two hosts, their stores and the registrar, every link of theirs through the proxy."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain.jobs import By
from pratunam.parts import Parts, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import Settings, read_settings
from tests.gauntlet.disks import SmallDisk
from tests.gauntlet.plan import HOSTS, Plan, policy_file, registrar_file
from tests.gauntlet.processes import Kept, pratunam, run
from tests.gauntlet.proxy import Door, Link
from tests.gauntlet.registrar import Registrar
from tests.gauntlet.stores import Postgres, Valkey
from tests.gauntlet.wishes import Wishes, built_library

BY = By("gauntlet", "test")
DATABASE = "gate"
_DATABASE_MIB, _HOME_MIB = 1024, 64
#: gives a process the loopback address of its host
OWN_ADDRESS = Path(__file__).parent / "own_address"


@dataclass(slots=True)
class Host:
    """One machine of the gate: its home, its links to redis, ledger and registrar, its processes."""

    name: str
    home: Path
    links: dict[str, Link]
    environment: dict[str, str]
    wishes: Wishes
    disk: SmallDisk
    processes: dict[str, Kept] = field(default_factory=dict)

    @property
    def worker(self) -> Kept:
        """Return its worker."""
        return self.processes["worker"]

    @property
    def scheduler(self) -> Kept:
        """Return its scheduler."""
        return self.processes["scheduler"]


@dataclass(slots=True)
class Field:
    """Everything that runs, and where it can be hurt."""

    plan: Plan
    folder: Path
    valkey: Valkey
    postgres: Postgres
    registrar: Registrar
    endpoint: str
    #: clock of Redis, disk of PostgreSQL
    wishes: dict[str, Wishes]
    database_disk: SmallDisk
    hosts: dict[str, Host]
    desk: Settings
    parts: Parts

    @property
    def processes(self) -> list[Kept]:
        """Return every process of every host."""
        return [kept for host in self.hosts.values() for kept in host.processes.values()]

    async def ready(self) -> None:
        """Wait until every process is ready; raises TimeoutError with the name of one."""
        await asyncio.gather(*(kept.ready() for kept in self.processes))

    @property
    def links(self) -> list[Link]:
        """Return every link of every host."""
        return [link for host in self.hosts.values() for link in host.links.values()]

    def heal_links(self) -> None:
        """Nothing is wrong with any link any more."""
        for link in self.links:
            link.heal()

    async def apply(self, text: str, reason: str, removed: frozenset[str] = frozenset()) -> None:
        """Have another policy in force, as `pratunam policy apply` does, and wake the scheduler."""
        await apply_policy(
            self.parts.ledger,
            ApplyRequest(text, reason, "gauntlet", removed=removed),
            BY,
            self.parts.clock.now(),
        )
        await self.wake()

    async def wake(self) -> None:
        """Ring for the scheduler."""
        from pratunam.doorbells import wake_scheduler

        await wake_scheduler(self.desk)

    async def command(self, *words: str, home: Path | None = None) -> tuple[int, str, str]:
        """Run one command of the gate at the desk."""
        environment = _environment(self, self.desk.home if home is None else home, "desk")
        return await run(pratunam(*words), environment)

    def sent(self) -> Counter[str]:
        """Return how many records have arrived, by account."""
        return self.registrar.sent(self.plan.account_names())

    def arrivals(self) -> int:
        """Return how many records have arrived."""
        return self.sent().total()


def _environment(ground: Field, home: Path, _name: str) -> dict[str, str]:
    return ground.hosts["north"].environment | {
        "PRATUNAM_HOME": str(home),
        "PRATUNAM_LEDGER_URL": ground.desk.ledger_url,
        "PRATUNAM_REDIS_URL": ground.desk.redis_url,
    }


@asynccontextmanager
async def ready_field(plan: Plan, folder: Path) -> AsyncIterator[Field]:
    """Build everything, start it, and yield once every process is ready; ends all of it."""
    async with AsyncExitStack() as stack:
        library = await asyncio.to_thread(built_library, folder) if plan.may_preload else None
        wishes = {name: Wishes(library, folder / f"{name}.wishes") for name in ("redis", "postgres", *HOSTS)}
        valkey = Valkey(folder / "redis", os.environ | wishes["redis"].environment)
        disk = await asyncio.to_thread(_database_disk, folder, plan)
        stack.callback(disk.close)
        postgres = await asyncio.to_thread(Postgres, disk.folder, wishes["postgres"].environment)
        registrar = Registrar(folder)
        stack.push_async_callback(registrar.stop)
        stack.push_async_callback(valkey.kill)
        stack.push_async_callback(asyncio.to_thread, postgres.stop, signal.SIGQUIT)
        await asyncio.gather(
            registrar.start(registrar_file(plan, str(registrar.log))),
            valkey.start(),
            asyncio.to_thread(_start_database, postgres),
        )
        hosts, endpoint = await _hosts(stack, plan, folder, wishes, (valkey, postgres, registrar))
        desk = _desk(folder, valkey, postgres)
        parts = await stack.enter_async_context(open_parts(desk))
        ground = Field(plan, folder, valkey, postgres, registrar, endpoint, wishes, disk, hosts, desk, parts)
        request = ApplyRequest(policy_file(plan, endpoint), "the first", "gauntlet")
        await apply_policy(parts.ledger, request, BY, parts.clock.now())
        stack.push_async_callback(_close, ground.processes)
        for kept in ground.processes:
            kept.start()
        await ground.ready()
        yield ground


async def _close(processes: Sequence[Kept]) -> None:
    await asyncio.gather(*(kept.close() for kept in processes))


def _database_disk(folder: Path, plan: Plan) -> SmallDisk:
    folder.chmod(0o755)  # PostgreSQL runs as somebody else where this is root
    (folder / "pg").mkdir(mode=0o755)
    return SmallDisk(folder / "pg", _DATABASE_MIB, is_wanted=plan.small_disks)


def _start_database(postgres: Postgres) -> None:
    postgres.start()
    postgres.sql("postgres", f"CREATE DATABASE {DATABASE} TEMPLATE template0")


def _desk(folder: Path, valkey: Valkey, postgres: Postgres) -> Settings:
    (folder / "db.password").write_text(postgres.password)
    return read_settings(
        folder / "desk",
        {
            "PRATUNAM_MASTER_KEY_FILE": str(folder / "master.key"),
            "PRATUNAM_LEDGER_URL": postgres.loopback_url(DATABASE),
            "PRATUNAM_LEDGER_PASSWORD_FILE": str(folder / "db.password"),
            "PRATUNAM_REDIS_URL": valkey.url,
        },
    )


async def _hosts(
    stack: AsyncExitStack,
    plan: Plan,
    folder: Path,
    wishes: Mapping[str, Wishes],
    servers: tuple[Valkey, Postgres, Registrar],
) -> tuple[dict[str, Host], str]:
    """Make hosts with links of their own; returns them and the registrar's address as all of them know it."""
    made: dict[str, Host] = {}
    valkey, postgres, registrar = servers
    for name, address in HOSTS.items():
        targets = {
            "redis": ("127.0.0.1", valkey.port),
            "ledger": ("127.0.0.1", postgres.port),
            "registrar": registrar.address,
        }
        links = {what: Link(f"{name} to {what}", target) for what, target in targets.items()}
        ports = {}
        for what in ("redis", "ledger"):
            door = Door({}, links[what])
            ports[what] = (await door.open(address))[1]
            stack.push_async_callback(door.close)
        home = folder / name
        home.mkdir(mode=0o700)
        disk = SmallDisk(home, _HOME_MIB, is_wanted=plan.small_disks)
        stack.callback(disk.close)
        environment = (
            _without_ours()
            | dict(wishes[name].environment)
            | {
                "PRATUNAM_HOME": str(home),
                "PRATUNAM_HOST": address,
                "PRATUNAM_MASTER_KEY_FILE": str(folder / "master.key"),
                "PRATUNAM_LEDGER_URL": f"postgresql://pratunam@{address}:{ports['ledger']}/{DATABASE}",
                "PRATUNAM_LEDGER_PASSWORD_FILE": str(folder / "db.password"),
                "PRATUNAM_REDIS_URL": f"redis://{address}:{ports['redis']}/0",
                "PRATUNAM_LOG_LEVEL": "info",
                "GAUNTLET_ADDRESS": address,
                "GAUNTLET_WITHOUT": plan.without,
                "PYTHONPATH": os.pathsep.join([str(OWN_ADDRESS), str(Path.cwd())]),
            }
        )
        made[name] = Host(name, home, links, environment, wishes[name], disk)
        for kind in ("scheduler", "worker"):
            words = pratunam(kind, "--name", kind)
            log, note = folder / f"{name}-{kind}.log", home / "run" / f"{kind}.ready.json"
            made[name].processes[kind] = Kept(f"{kind} of {name}", words, environment, log, note)
    by_caller = {HOSTS[name]: host.links["registrar"] for name, host in made.items()}
    door = Door(by_caller, Link("others to registrar", registrar.address))
    host, port = await door.open()
    stack.push_async_callback(door.close)
    return made, f"http://{host}:{port}"


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PRATUNAM_")}
