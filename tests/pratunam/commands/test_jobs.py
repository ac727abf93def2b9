"""`pratunam jobs` and `job …`."""

import csv
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.states import RecordState
from tests.pratunam.desk import Desk

SHAPE = {
    "job", "party", "registry", "file", "state", "rows", "invalid", "records", "submitted_at", "finished_at",
    "finish_forecast_at",
}  # fmt: skip
COUNTS = {"pending", "accepted", "rejected", "unknown", "doubtful", "unprocessed"}


def adds_up(told: dict[str, object]) -> bool:
    """Whether rows are the invalid ones and the sum of records."""
    records, invalid = told["records"], told["invalid"]
    assert isinstance(records, dict)
    assert isinstance(invalid, int)
    return bool(told["rows"] == invalid + sum(records.values()))


def test_a_job_has_the_shape_that_scripts_rely_on(desk: Desk) -> None:
    """Every key of policy.md stands there through the job's life, and the counts add up."""
    job = desk.submitted(desk.members(6, spoil=1), "--max-invalid", "50")
    first = desk.json("job", "show", job)
    assert set(first) >= SHAPE
    assert set(first["records"]) == COUNTS
    assert (first["state"], first["rows"], first["finished_at"]) == ("received", 0, None)
    assert first["submitted_at"].endswith("+07:00")
    desk.check(job)
    queued = desk.json("job", "show", job)
    assert (queued["state"], queued["rows"], queued["invalid"], queued["records"]["pending"]) == (
        "queued",
        6,
        1,
        5,
    )
    assert queued["finish_forecast_at"] is None  # nothing runs
    desk.settle(job, *[RecordState.ACCEPTED] * 5)
    ended = desk.json("job", "show", job)
    assert (ended["state"], ended["records"]["accepted"]) == ("finished", 5)
    assert ended["finished_at"] is not None
    assert all(adds_up(each) for each in (queued, ended))


@pytest.mark.usefixtures("server")
def test_a_job_that_is_sent_has_a_forecast(desk: Desk) -> None:
    """Where a Redis is set, a queued job says when it will be done, in text too; a held one does not."""
    job = desk.submitted(desk.members(40))
    desk.check(job)
    assert desk.json("job", "show", job)["finish_forecast_at"].endswith("+07:00")
    assert "done in about" in desk.run("job", "show", job).out
    desk.json("hold", "--party", "P001", "--reason", "stop")
    assert desk.json("job", "show", job)["finish_forecast_at"] is None
    assert "stop" in desk.run("job", "show", job).out


@pytest.mark.usefixtures("server")
def test_the_list_says_when_each_job_will_be_done(desk: Desk) -> None:
    """An instant and words in both languages; behind a closed window what people wait for; a newest few when asked for."""
    first = desk.submitted(desk.members(40))
    desk.check(first)
    waiting = desk.submitted(desk.members(3, seed=9, name="b.csv"), party="P002")
    told = {each["job"]: each for each in desk.json("jobs")}
    assert told[first]["finish_forecast_at"].endswith("+07:00")
    assert told[first]["finish_forecast_en"].startswith("done in about")
    assert told[first]["finish_forecast_th"].startswith("เสร็จในประมาณ")
    assert (told[waiting]["finish_forecast_at"], told[waiting]["finish_forecast_en"]) == (None, None)
    opens = dt.datetime.now(ZoneInfo("Asia/Bangkok")) + dt.timedelta(days=99)
    desk.apply(('days = "daily"\nfrom = "00:00"', f'dates = "{opens.date()}"\nfrom = "08:30"'))
    shown = desk.run("jobs").out
    assert f"closed until {opens:%a} {opens.day} {opens:%b %Y} 08:30, then about 5 s" in shown
    assert f"{opens.year + 543} เวลา 08:30 น. จากนั้นใช้เวลาประมาณ 5 วินาที" in shown
    newest = desk.run("jobs", "--limit", "1")
    assert waiting in newest.out
    assert first not in newest.out
    assert "--limit" in newest.err


def test_jobs_are_listed_newest_first_and_by_party(desk: Desk) -> None:
    """`jobs` has the same shape a job, `--party` picks, an unknown party is refused."""
    first = desk.submitted(desk.members())
    second = desk.submitted(desk.members(3, seed=9, name="b.csv"), party="P002")
    told = desk.json("jobs")
    assert [each["job"] for each in told] == [second, first]
    assert all(set(each) >= SHAPE for each in told)
    assert [each["job"] for each in desk.json("jobs", "--party", "P001")] == [first]
    assert first in desk.run("jobs").out
    desk.check(first)
    assert "Nothing is running" in desk.run("jobs").out
    assert desk.run("jobs", "--party", "P009").code == 2


@pytest.mark.parametrize("verb", ["show", "why", "pause", "resume", "cancel", "erase"])
def test_a_job_that_is_not_there_is_named(desk: Desk, verb: str) -> None:
    """Exit 2 and the id that was asked for."""
    told = desk.run("job", verb, "JNOBODY")
    assert told.code == 2
    assert "JNOBODY" in told.err
    assert desk.run("job", "results", "JNOBODY", "--out", str(desk.folder / "out")).code == 2
    assert not (desk.folder / "out").exists()


def test_a_job_is_paused_resumed_and_cancelled(desk: Desk) -> None:
    """Each verb moves the job, may be repeated, and is refused where the state does not allow it."""
    job = desk.submitted(desk.members())
    desk.check(job)
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert desk.json("job", verb, job)["state"] == state
        if verb != "cancel":
            assert desk.json("job", verb, job)["state"] == state
    assert desk.json("job", "show", job)["records"]["unprocessed"] == 6
    told = desk.run("job", "resume", job)
    assert told.code == 2
    assert job in told.err


def test_why_names_what_binds(desk: Desk) -> None:
    """A waiting check, a pause, a hold, a closed window with its opening, nothing running; in both languages."""
    job = desk.submitted(desk.members())
    assert [each["code"] for each in desk.json("job", "why", job)["reasons"]] == ["received", "not-running"]
    desk.check(job)
    desk.apply(('from = "00:00"\nto   = "24:00"', 'dates = "2031-01-01"\nfrom = "08:30"\nto   = "16:30"'),
               ('days = "daily"\n', ""))  # fmt: skip
    desk.json("hold", "--reason", "inspection")
    reasons = {each["code"]: each for each in desk.json("job", "why", job)["reasons"]}
    assert list(reasons) == ["hold", "window", "not-running"]
    assert "inspection" in reasons["hold"]["text_en"]
    assert reasons["hold"]["text_th"] != reasons["hold"]["text_en"]
    desk.json("job", "pause", job, "--reason", "a second look")
    [paused] = desk.json("job", "why", job)["reasons"]
    assert "a second look" in paused["text_en"]


def test_results_hold_every_row(desk: Desk) -> None:
    """The files' rows and the manifest's counts add up to the rows of the file."""
    job = desk.submitted(desk.members(5, spoil=1), "--max-invalid", "50")
    desk.check(job)
    desk.settle(job, RecordState.ACCEPTED, RecordState.REJECTED, RecordState.ACCEPTED, RecordState.ACCEPTED)
    out = desk.folder / "out"
    told = desk.json("job", "results", job, "--out", str(out))
    assert told["counts"] == {"accepted": 3, "rejected": 2, "unknown": 0, "unprocessed": 0}
    assert {path.name for path in out.iterdir()} >= {
        "accepted.csv",
        "rejected.csv",
        "rejected.xlsx",
        "manifest.json",
    }
    rows = list(csv.DictReader((out / "rejected.csv").read_text("utf-8-sig").splitlines()))
    assert [row["_by"] for row in rows] == ["gate", "registrar"]


def test_results_of_an_unchecked_file_are_refused(desk: Desk) -> None:
    """Exit 2, the state, and no folder."""
    job = desk.submitted(desk.members())
    told = desk.run("job", "results", job, "--out", str(desk.folder / "out"))
    assert told.code == 2
    assert "received" in told.err
    assert not (desk.folder / "out").exists()


def test_a_corrected_file_comes_back_as_a_child(desk: Desk) -> None:
    """The rejected file is checked and submitted as it is: no operation and no column is asked for again."""
    file = Path(desk.members(4, spoil=1))
    text = file.read_text("utf-8").replace("รายการ,", "", 1).replace("เพิ่ม,", "")
    file.write_text(text, "utf-8")
    job = desk.submitted(str(file), "--operation", "ADD", "--max-invalid", "50")
    desk.check(job)
    desk.json("job", "results", job, "--out", str(desk.folder / "out"))
    rejected = desk.folder / "out" / "rejected.csv"
    rejected.write_text(rejected.read_text("utf-8-sig").replace("abc", "10500"), "utf-8-sig")
    report = desk.run("check", str(rejected), "--party", "P001", "--json").json
    assert (report["parent"], report["rows"]) == (job, 1)
    child = desk.json("job", "show", desk.submitted(str(rejected)))
    assert (child["parent"], child["operation"]) == (job, "ADD")


def test_an_erased_job_keeps_its_counts_alone(desk: Desk) -> None:
    """Refused while records are pending; afterwards nothing of it can be read, and its data is gone."""
    job = desk.submitted(desk.members(2))
    desk.check(job)
    refused = desk.run("job", "erase", job)
    assert refused.code == 2
    assert desk.files()
    desk.settle(job, RecordState.ACCEPTED, RecordState.ACCEPTED)
    assert desk.json("job", "erase", job)["erased"] is True
    assert desk.files() == set()
    assert desk.json("job", "show", job)["records"]["accepted"] == 2
    assert "contents were erased" in desk.run("job", "show", job).out
    assert desk.run("job", "results", job, "--out", str(desk.folder / "out")).code == 2
