"""An installation on PostgreSQL as an operator keeps it: dumped and restored by the words of docs/operations.md, its master key changed."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from domain.jobs import By
from domain.states import RecordState
from pratunam.parts import Parts
from tests.pages import blocks, page, sections
from tests.postgres import PostgresServer
from tests.pratunam.desk import Desk

TOLD_ADDRESS = "postgresql://pratunam@db.example/pratunam"
SHELL = [
    line
    for block in blocks(sections(page("operations.md"), 2)["PostgreSQL"], "sh")
    for line in block.splitlines()
    if line.startswith("pg_")
]


@pytest.fixture
def on_postgres(bare: Desk, address: str, password: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An installation with a policy, whose ledger, spool and keys lie in the database."""
    monkeypatch.setenv("PRATUNAM_LEDGER_URL", address)
    monkeypatch.setenv("PRATUNAM_LEDGER_PASSWORD_FILE", password)
    bare.apply()
    return bare


@pytest.fixture
def as_told(address: str, postgres_server: PostgresServer, tmp_path: Path) -> "AsTold":
    """What runs the page's commands."""
    return AsTold(postgres_server, address, tmp_path)


class AsTold:
    """The commands of the page, on this test's database and in a folder of its own."""

    def __init__(self, server: PostgresServer, address: str, folder: Path) -> None:
        """Keep where they run."""
        self._server = server
        self._address = address
        self._folder = folder

    def run(self, program: str, dump: str) -> None:
        """Run the one command of the page that has this program and this dump in it."""
        (line,) = [line for line in SHELL if line.startswith(program) and dump in line]
        words = shlex.split(line.replace(TOLD_ADDRESS, self._address))
        environment = os.environ | {"PGPASSWORD": self._server.password}
        command = [str(self._server.program(words[0])), *words[1:]]
        subprocess.run(command, cwd=self._folder, env=environment, check=True)


def test_a_dump_that_is_put_back_is_known_for_a_copy_and_asks_first(
    on_postgres: Desk, as_told: AsTold
) -> None:
    """What was sent since is asked about; what came since is gone; nothing is sent before somebody has seen to it."""
    job = on_postgres.submitted(on_postgres.members())
    on_postgres.check(job)
    as_told.run("pg_dump", "ledger.dump")
    on_postgres.settle(job, RecordState.ACCEPTED, RecordState.ACCEPTED, RecordState.UNKNOWN)
    later = on_postgres.submitted(on_postgres.members(seed=8, name="later.csv"))
    as_told.run("pg_restore", "ledger.dump")
    assert on_postgres.json("hold", "--reason", "restored from a copy")
    assert [one["job"] for one in on_postgres.json("jobs")] == [job]
    assert "restored" in on_postgres.json("status")

    async def see_to_it(parts: Parts) -> None:
        await parts.ledger.ask_about_restored(By("scheduler", "test"), parts.clock.now())

    on_postgres.within(see_to_it)
    records = on_postgres.json("job", "show", job)["records"]
    assert (records["unknown"], records["pending"], records["accepted"]) == (6, 0, 0)
    assert on_postgres.json("status")["restored"]["asked_about"] == 6
    assert on_postgres.json("audit", "verify")["broken_at"] is None
    again = on_postgres.submitted(on_postgres.members(seed=8, name="later.csv"))
    assert again != later
    assert on_postgres.check(again).rows == 6


def test_ledger_and_keys_come_back_into_an_empty_database(
    on_postgres: Desk, as_told: AsTold, postgres_server: PostgresServer, address: str
) -> None:
    """The server is lost with all that it held: both dumps make it whole, and the files that had been taken in are read."""
    job = on_postgres.submitted(on_postgres.members())
    for dump in ("ledger.dump", "keys.dump"):
        as_told.run("pg_dump", dump)
    name = address.rpartition("/")[2]
    postgres_server.drop(name)
    postgres_server.sql("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
    for dump in ("ledger.dump", "keys.dump"):
        as_told.run("pg_restore", dump)
    assert on_postgres.check(job).rows == 6
    assert on_postgres.json("audit", "verify")["broken_at"] is None


def test_a_dump_of_the_ledger_alone_opens_nothing(on_postgres: Desk, as_told: AsTold, tmp_path: Path) -> None:
    """No key is in it, and nothing of a person stands in clear in either dump."""
    on_postgres.submitted(on_postgres.members())
    for dump in ("ledger.dump", "keys.dump"):
        as_told.run("pg_dump", dump)
    ledger, keys = ((tmp_path / dump).read_bytes() for dump in ("ledger.dump", "keys.dump"))
    assert b"pratunam_keys" not in ledger
    assert b"pratunam_keys" in keys
    rows = Path(on_postgres.folder / "members.csv").read_text("utf-8").splitlines()[1:]
    assert not [row for row in rows if row.split(",")[0].encode() in ledger + keys]


def test_the_master_key_is_changed_where_the_keys_lie_in_the_database(
    on_postgres: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dry first, then done; the old key opens nothing, the new one all; with the same words again it says that it was done."""
    job = on_postgres.submitted(on_postgres.members())
    new = on_postgres.folder / "new.key"
    told = on_postgres.json("keys", "rewrap", "--to", str(new), "--dry-run")
    assert (told["jobs"], new.exists()) == (1, False)
    assert on_postgres.json("keys", "rewrap", "--to", str(new))["made"]
    refused = on_postgres.run("jobs")
    assert (refused.code, "PRATUNAM_MASTER_KEY_FILE" in refused.err) == (2, True)
    assert on_postgres.json("keys", "rewrap", "--to", str(new))["already"]
    monkeypatch.setenv("PRATUNAM_MASTER_KEY_FILE", str(new))
    assert on_postgres.check(job).rows == 6
    assert "keys.rewrapped" in [line["action"] for line in on_postgres.json("audit")]
