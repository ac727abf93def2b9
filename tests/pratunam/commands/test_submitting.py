"""`pratunam check` and `submit`: what a party's clerk sees, and what is kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.states import RecordState
from tests.pratunam.desk import Desk


def test_a_dry_run_shows_everything_and_keeps_nothing(desk: Desk) -> None:
    """Party, encoding, columns, first rows and faults by kind; exit 3 for invalid rows; no job, no data."""
    told = desk.run("check", desk.members(6, spoil=2), "--party", "P001", "--json")
    assert told.code == 3
    report = told.json
    assert (report["name"], report["encoding"], report["rows"], report["invalid"]) == (
        "พรรคตัวอย่าง",
        "UTF-8",
        6,
        2,
    )
    assert report["columns"]["matched"]["national_id"] == "เลขประจำตัวประชาชน"
    assert report["columns"]["unmatched"] == []
    assert len(report["first_rows"]) == 3
    [fault] = report["faults"]
    assert (fault["count"], fault["rows"]) == (2, [2, 3])
    assert fault["message_en"] != fault["message_th"]
    assert desk.json("jobs") == []
    assert desk.files() == set()


def test_a_file_goes_through_processes_of_its_own(bare: Desk) -> None:
    """The dry run, the taking in and the check, with the limited process of the command's own choice."""
    bare.apply()
    file = bare.members(6, spoil=2)
    assert bare.run("check", file, "--party", "P001").code == 3
    job = bare.submitted(file, "--max-invalid", "100")
    done = bare.check(job)
    assert (done.state.value, done.invalid) == ("queued", 2)


def test_a_clean_file_passes_the_dry_run(desk: Desk) -> None:
    """Exit 0, and the text names the party in its own language."""
    told = desk.run("check", desk.members(), "--party", "P001")
    assert told.code == 0
    assert "พรรคตัวอย่าง" in told.out
    assert "6 would be sent, 0 invalid" in told.out


def test_a_submission_prints_its_job_and_receipt(desk: Desk) -> None:
    """`--json` has job, receipt and state; that nothing runs is said on standard error."""
    told = desk.run("submit", desk.members(), "--party", "P001", "--json")
    assert told.code == 0
    assert set(told.json) == {"job", "receipt", "state"}
    assert told.json["state"] == "received"
    assert "Nothing is running" in told.err
    assert "handed in before" not in told.err
    assert "ระบบยังไม่ทำงาน" in told.err


def test_the_same_file_is_the_same_job(desk: Desk) -> None:
    """A second submission, and one after the end, name the first job; another party's is another."""
    file = desk.members(3, spoil=3)
    job = desk.submitted(file, "--max-invalid", "100")
    again = desk.run("submit", file, "--party", "P001")
    assert (again.code, job in again.out, f"it is job {job}" in again.err) == (0, True, True)
    assert desk.check(job).state.value == "finished"
    assert desk.submitted(file) == job
    assert desk.submitted(file, party="P002") != job


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.csv", b"", "empty"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), ""),
        ("headless.csv", b"1,2,3\n4,5,6\n", ""),
        ("gone.csv", None, "no file"),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing(
    desk: Desk, name: str, content: bytes | None, word: str
) -> None:
    """Exit 2 with a message in two languages; no job and no data."""
    path = desk.folder / name
    if content is not None:
        path.write_bytes(content)
    told = desk.run("submit", str(path), "--party", "P001", "--json")
    assert told.code == 2
    assert word in told.json["message_en"]
    assert told.json["remedy_en"]
    assert told.json["message_th"] != told.json["message_en"]
    assert desk.json("jobs") == []
    assert desk.files() == set()


def test_unknown_columns_need_a_word(desk: Desk) -> None:
    """Without `--ignore NAME` the column is named and nothing is kept; with it the job is taken."""
    file = Path(desk.members())
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([f"{lines[0]},shoe size", *(f"{line},43" for line in lines[1:])]), "utf-8")
    refused = desk.run("submit", str(file), "--party", "P001")
    assert refused.code == 2
    assert "shoe size" in refused.err
    assert "--ignore" in refused.err
    assert desk.json("jobs") == []
    assert desk.json("check", str(file), "--party", "P001")["columns"]["unmatched"] == ["shoe size"]
    desk.submitted(str(file), "--ignore", "Shoe size")


def test_several_columns_may_follow_one_word(desk: Desk) -> None:
    """`FILE --ignore A B` leaves both out; before the file the option takes one word."""
    file = Path(desk.members())
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([f"{lines[0]},hat,shoe", *(f"{line},1,2" for line in lines[1:])]), "utf-8")
    job = desk.submitted(str(file), "--ignore", "hat", "shoe")
    assert desk.submitted("--ignore=hat", "--ignore", "shoe", str(file)) == job


@pytest.mark.usefixtures("on_a_terminal")
def test_a_person_is_shown_the_report_and_asked(desk: Desk) -> None:
    """On a terminal the report comes first; no means nothing is kept, yes takes it, `--yes` does not ask."""
    file = Path(desk.members())
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([f"{lines[0]},shoe size", *(f"{line},43" for line in lines[1:])]), "utf-8")
    told = desk.run("submit", str(file), "--party", "P001", say="y\nn\n")
    assert told.code == 130
    assert "Nothing was submitted." in told.err
    assert "พรรคตัวอย่าง" in told.out
    assert "shoe size" in told.out
    assert desk.files() == set()
    assert desk.run("submit", str(file), "--party", "P001", say="y\ny\n").code == 0
    assert desk.run("submit", desk.members(4, seed=9, name="b.csv"), "--party", "P001", "--yes").code == 0
    assert len(desk.json("jobs")) == 2


def test_an_unknown_party_hears_how_to_get_an_account(desk: Desk) -> None:
    """Exit 2, the parties that there are, and where a new one asks, in two languages."""
    for command in ("check", "submit"):
        told = desk.run(command, desk.members(), "--party", "P009")
        assert told.code == 2
        assert "P001, P002" in told.err
        assert "asks the registrar" in told.err
        assert "ขอรับรหัสผู้ใช้งาน" in told.err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--operation", "AD"), "did you mean ADD?"),
        (("--registry", "births"), "party-members"),
        (("--deadline", "tomorrow"), "RFC 3339"),
        (("--max-invalid", "101"), "0<=x<=100"),
        (("--max-invalid", "nan"), "nan is no number"),
        (("--priority", "high"), "whole number"),
        (("--sheet", "x", "--colour", "red"), "--colour"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_kept(desk: Desk, options: tuple[str, ...], word: str) -> None:
    """Exit 2, what was expected, no job."""
    told = desk.run("submit", desk.members(), "--party", "P001", *options)
    assert told.code == 2
    assert word in told.err
    assert desk.files() == set()


def test_what_a_submission_asks_for_is_kept(desk: Desk) -> None:
    """Operation, priority and deadline stand in the job, the deadline with the registry's offset."""
    job = desk.submitted(
        desk.members(), "--operation", "add", "--priority", "7", "--deadline", "2031-01-01T00:00:00Z"
    )
    told = desk.json("job", "show", job)
    assert (told["operation"], told["priority"]) == ("ADD", 7)
    assert told["deadline_at"] == "2031-01-01T07:00:00+07:00"


def test_waiting_needs_something_that_runs(desk: Desk) -> None:
    """`--wait` where nothing runs takes the job, says so and ends with 4."""
    told = desk.run("submit", desk.members(), "--party", "P001", "--wait", "--json")
    assert told.code == 4
    assert [each["job"] for each in desk.json("jobs")] == [told.json["job"]]


def test_waiting_for_a_finished_job_tells_its_end(desk: Desk) -> None:
    """The same as `job show` at the end; 0 when every row was accepted, 3 when one was rejected or invalid, 1 when paused."""
    good, bad, mixed = desk.members(2), desk.members(2, seed=8, spoil=1, name="b.csv"), ""
    job = desk.submitted(good)
    desk.check(job)
    desk.settle(job, RecordState.ACCEPTED, RecordState.ACCEPTED)
    told = desk.run("submit", good, "--party", "P001", "--wait", "--json")
    assert told.code == 0
    assert told.json == desk.json("job", "show", job)
    paused = desk.submitted(bad)
    assert desk.check(paused).state.value == "paused"
    told = desk.run("submit", bad, "--party", "P001", "--wait")
    assert told.code == 1
    assert "job resume" in told.out
    mixed = desk.members(2, seed=11, name="c.csv")
    third = desk.submitted(mixed)
    desk.check(third)
    desk.settle(third, RecordState.ACCEPTED, RecordState.REJECTED)
    assert desk.run("submit", mixed, "--party", "P001", "--wait").code == 3


def test_a_home_without_a_policy_says_how_to_apply_one(bare: Desk) -> None:
    """No home, then a home without a policy: exit 2 and the command that helps."""
    file = bare.members()
    assert "policy apply" in bare.run("submit", file, "--party", "P001").err
    assert not bare.home.exists()
    bare.json("migrate")
    told = bare.run("submit", file, "--party", "P001")
    assert told.code == 2
    assert "policy apply FILE --reason TEXT" in told.err


def test_standard_output_carries_json_alone(desk: Desk) -> None:
    """As a process of its own: one line of JSON, words on standard error, the exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "pratunam.cli", "submit", desk.members(), "--party", "P001", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert '"receipt"' in done.stdout
