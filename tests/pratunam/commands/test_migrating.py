"""`pratunam migrate`, and the command line on a ledger in PostgreSQL."""

import fcntl
import json
import os
from pathlib import Path

import pytest

from domain.states import JobState, RecordState
from tests.pratunam.desk import Desk


def test_a_home_moves_with_its_jobs_and_works_on(
    desk: Desk, address: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted first, moved, the old home locked; with the address set every command finds the jobs there, and a file is taken in."""
    job = desk.submitted(desk.members())
    desk.check(job)
    desk.settle(job, RecordState.ACCEPTED, RecordState.UNKNOWN)
    to = ("migrate", "--to", address, "--password-file", password)
    seen = desk.json(*to, "--dry-run")
    assert (seen["migrated"], seen["rows"] > 10) == (False, True)
    moved = desk.json(*to)
    assert (moved["migrated"], moved["rows"], moved["again"]) == (True, seen["rows"], False)
    assert desk.json(*to)["again"]
    locked = desk.run("jobs")
    assert (locked.code, "moved into PostgreSQL" in locked.err, "ถูกย้าย" in locked.err) == (2, True, True)
    monkeypatch.setenv("PRATUNAM_LEDGER_URL", address)
    monkeypatch.setenv("PRATUNAM_LEDGER_PASSWORD_FILE", password)
    assert [one["job"] for one in desk.json("jobs")] == [job]
    second = desk.submitted(desk.members(seed=8, name="more.csv"))
    assert desk.check(second).state is JobState.QUEUED
    found = {one["about"]: one for one in desk.json("doctor")["findings"]}
    assert "PostgreSQL 18" in found["ledger"]["text"]
    refused = desk.run("backup", str(desk.folder / "copy"))
    assert (refused.code, "pg_dump" in refused.err) == (2, True)


def test_a_home_that_runs_is_not_moved(desk: Desk, address: str, password: str) -> None:
    """The lock of `pratunam up` is held: refused in both languages, and nothing is locked."""
    run = desk.home / "run"
    run.mkdir(exist_ok=True)
    with (run / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = desk.run("migrate", "--to", address, "--password-file", password)
    assert (told.code, "in use" in told.err, "กำลังทำงาน" in told.err) == (2, True, True)
    assert desk.run("jobs").code == 0


def test_a_home_on_which_one_worker_runs_is_not_moved(desk: Desk, address: str, password: str) -> None:
    """No `pratunam up` is there, but a process that would write on: refused, nothing is locked, and nothing is in the database."""
    run = desk.home / "run"
    run.mkdir(exist_ok=True)
    note = run / "worker.ready.json"
    note.write_text(json.dumps({"pid": os.getpid(), "metrics": "http://127.0.0.1:1/metrics"}), "utf-8")
    to = ("migrate", "--to", address, "--password-file", password)
    assert [desk.run(*to, *more).code for more in ((), ("--dry-run",))] == [2, 2]
    note.unlink()
    assert desk.run("jobs").code == 0
    assert not desk.json(*to)["again"]


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("mysql://x/y", "PostgreSQL"),
        ("postgresql://a:hunter2@h/d", "password"),
        ("postgresql://h/?x=1", "read"),
    ],
)
def test_a_wrong_address_is_refused_and_never_quoted(desk: Desk, address: str, word: str) -> None:
    """Another kind of database, a password in it, an option that nobody knows."""
    told = desk.run("migrate", "--to", address)
    assert (told.code, word in told.err) == (2, True)
    assert "hunter2" not in told.out + told.err


def test_a_folder_without_a_ledger_is_not_moved(bare: Desk, address: str, password: str) -> None:
    """There is nothing to move, and none is made."""
    told = bare.run("migrate", "--to", address, "--password-file", password)
    assert (told.code, "There is no ledger" in told.err) == (2, True)
    assert not Path(bare.home / "ledger.db").exists()


def test_without_an_address_the_schema_is_brought_up(bare: Desk) -> None:
    """As an upgrade's own step, also for a home that is not there yet."""
    assert bare.json("migrate") == {"migrated": True, "policy_versions": 0}
