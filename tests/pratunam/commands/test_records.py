"""`pratunam records …`: people's answer where the machine has none."""

import pytest

from domain.states import RecordState
from tests.pratunam.desk import Desk

U, A = RecordState.UNKNOWN, RecordState.ACCEPTED


@pytest.fixture
def job(desk: Desk) -> str:
    """A job of three records: one unknown, two accepted."""
    found = desk.submitted(desk.members(3))
    desk.check(found)
    assert desk.settle(found, A, U, A).records.unknown == 1
    return found


def test_unknown_records_are_listed_by_their_row(desk: Desk, job: str) -> None:
    """The row of the file is told; there is no doubtful one."""
    assert [each["row"] for each in desk.json("records", "unknown", job)] == [3]
    assert desk.json("records", "doubtful", job) == []
    assert "3" in desk.run("records", "unknown", job).out


@pytest.mark.parametrize(
    ("verdict", "state"), [("accepted", "accepted"), ("rejected", "rejected"), ("resend", "pending")]
)
def test_people_resolve_a_record(desk: Desk, job: str, verdict: str, state: str) -> None:
    """Each answer moves the record, and the reason stands in the audit."""
    before = desk.json("job", "show", job)["records"]
    told = desk.json("records", "resolve", job, "3", "--as", verdict, "--reason", "asked by letter 7")
    assert told["records"]["unknown"] == 0
    assert told["records"][state] == before[state] + 1
    [line] = [each for each in desk.json("audit") if each["action"] == "record.resolved"]
    assert line["detail"]["reason"] == "asked by letter 7"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("2", "--as", "accepted", "--reason", "x"), "Row 2"),
        (("x", "--as", "accepted", "--reason", "x"), "SHEET!NUMBER"),
        (("3", "--as", "perhaps", "--reason", "x"), "perhaps"),
        (("3", "--as", "accepted"), "--reason"),
    ],
)
def test_a_wrong_answer_changes_nothing(desk: Desk, job: str, arguments: tuple[str, ...], word: str) -> None:
    """Exit 2 with the place, and the record is still unknown."""
    told = desk.run("records", "resolve", job, *arguments)
    assert told.code == 2
    assert word in told.err
    assert desk.json("job", "show", job)["records"]["unknown"] == 1


def test_people_answer_for_records_of_an_erased_job_too(desk: Desk) -> None:
    """Nobody knows its rows any more: slice and line name the record."""
    job = desk.submitted(desk.members(3))
    desk.check(job)
    desk.settle(job, A, U, A)
    desk.doubt(job, 1)
    desk.json("job", "erase", job)
    [listed] = desk.json("records", "doubtful", job)
    assert listed == {"row": None, "sheet": "", "slice": f"{job}.0", "line": 1}
    assert f"{job}.0" in desk.run("records", "doubtful", job).out
    answer = ("--as", "accepted", "--reason", "asked by letter 7")
    assert desk.run("records", "resolve", job, "3", *answer).code == 2
    assert desk.run("records", "resolve", job, f"{job}.0:2", *answer).code == 2
    told = desk.json("records", "resolve", job, f"{job}.0:1", *answer)
    assert (told["records"]["doubtful"], told["records"]["accepted"]) == (0, 3)
