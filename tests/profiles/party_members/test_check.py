"""The check of a whole frame."""

import polars as pl
import pytest

from profiles.party_members.check import FAULT, GOOD, NAMED
from profiles.profile import CheckContext
from tests.profiles.party_members.sample import (
    ADD,
    MEMBERS,
    RENEW,
    RESIGN,
    ROWS,
    TODAY,
    check_rows,
    faults_of,
)


def test_faults_stand_in_the_order_of_the_rows_with_their_positions() -> None:
    """Positions are those of the frame, rising, whatever the operations and kinds of faults."""
    frame = pl.DataFrame(
        [
            {"_position": 700, **ADD, "title": "1"},
            {"_position": 701, **ADD},
            {"_position": 705, **ADD, "operation": "?", "member_no": ""},
        ],
    )
    done = MEMBERS.check(frame, CheckContext(TODAY, test_ids=True))
    assert done.good["_position"].to_list() == [701]
    assert done.faults.select("_position", "code").rows() == [
        (700, "bad-title"),
        (705, "unknown-operation"),
        (705, "required"),
    ]
    assert (done.good.schema, done.faults.schema, done.warnings.schema) == (
        pl.Schema(GOOD),
        pl.Schema(FAULT),
        pl.Schema(FAULT),
    )


def test_operations_may_be_mixed_and_each_row_follows_its_own() -> None:
    """One file holds all five; each row is checked and written by its own operation, in the file's order."""
    done = check_rows(*reversed(ROWS.values()))
    assert done.faults.height == 0
    assert done.good["operation"].to_list() == list(reversed(ROWS))


@pytest.mark.parametrize("cell", [None, "", "-"])
def test_the_jobs_operation_stands_for_blank_cells_only(cell: str | None) -> None:
    """`--operation` fills what the column does not say; without either the row has a fault, for there is no default."""
    renewed = CheckContext(TODAY, operation="RENEW", test_ids=True)
    assert check_rows(RENEW | {"operation": cell}, RESIGN, context=renewed).good["operation"].to_list() == [
        "RENEW",
        "RESIGN",
    ]
    assert faults_of(RENEW | {"operation": cell}) == {("no-operation", "operation")}


def test_a_file_without_the_column_follows_the_jobs_operation() -> None:
    """No column and an operation of the job is as good as a column; neither is a fault of each row."""
    row = {k: v for k, v in RENEW.items() if k != "operation"}
    assert check_rows(row, context=CheckContext(TODAY, operation="RENEW", test_ids=True)).good.height == 1
    assert faults_of(row) == {("no-operation", "operation")}


def test_the_operations_of_a_file_are_known_before_it_is_checked() -> None:
    """The rows' operations are read as the check reads them, so that missing columns are named once."""
    frame = pl.DataFrame({"operation": [" เพิ่ม", "ADD", "ลา\u200bออก", "", "?"]})
    assert MEMBERS.operations_of(frame, "RENEW") == {"ADD", "RESIGN", "RENEW"}
    assert MEMBERS.operations_of(frame, None) == {"ADD", "RESIGN"}
    assert MEMBERS.operations_of(pl.DataFrame({"title": ["x"]}), None) == frozenset()
    assert MEMBERS.operations_of(pl.DataFrame({"title": ["x"]}), "ADD") == {"ADD"}


def test_a_row_with_a_fault_still_says_who_it_is() -> None:
    """Its person, operation and number are known, unless the ID itself is what is wrong, or the operation."""
    spoilt: tuple[dict[str, str | None], ...] = (
        {"postcode": "1"},
        {"national_id": "1"},
        {"operation": "?"},
        {"member_no": "", "moo": "x"},
        {},
    )
    done = check_rows(*(ADD | one for one in spoilt))
    person = ADD["national_id"]
    assert done.named.rows() == [(0, "ADD", person, ADD["member_no"]), (3, "ADD", person, None)]
    assert done.named.schema == pl.Schema(NAMED)
    assert done.good["_position"].to_list() == [4]


def test_a_frame_of_no_rows_is_checked_to_nothing() -> None:
    """An empty batch is no error."""
    done = MEMBERS.check(
        pl.DataFrame(schema={"_position": pl.UInt32, **dict.fromkeys(ADD, pl.String)}), CheckContext(TODAY)
    )
    assert (done.good.height, done.faults.height, done.good.schema) == (0, 0, pl.Schema(GOOD))


def test_unknown_columns_are_left_alone() -> None:
    """A column that is no field changes nothing and is not sent."""
    done = check_rows(ADD | {"หมายเหตุ": "\x00", "_sheet": "1", "_row": "2"})
    assert done.good["body"].to_list() == check_rows(ADD).good["body"].to_list()


def test_rows_of_one_frame_do_not_touch_each_other() -> None:
    """A batch of good and bad rows gives each row what it gets alone."""
    rows = [
        *ROWS.values(),
        ADD | {"birth_date": "x"},
        ADD | {"tambon": "x"},
        RENEW | {"fee_amount": "1"},
        ADD | {"receipt_no": 'a"b'},
    ] * 40
    together = check_rows(*rows)
    alone = {i: check_rows(row) for i, row in enumerate(rows[:9])}
    for i, row in enumerate(rows):
        one = alone[i % 9]
        found = together.faults.filter(pl.col("_position") == i).select("code", "field").rows()
        assert found == one.faults.select("code", "field").rows(), row
    bodies = [body for one in alone.values() for body in one.good["body"]] * 40
    assert together.good["body"].to_list() == bodies


def test_a_person_written_in_two_ways_is_one_person() -> None:
    """Spaces, dashes and Thai digits leave one natural key."""
    texts = ["0-1234-56789-01-6", "๐๑๒๓๔๕๖๗๘๙๐๑๖", " 0123456789016 ", "'0123456789016"]
    assert set(check_rows(*(ADD | {"national_id": t} for t in texts)).good["person"]) == {"0123456789016"}
