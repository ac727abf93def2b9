"""Records as they go on the wire."""

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.party_members.body import SENT
from tests.profiles.party_members.sample import (
    ADD,
    RENEW,
    RESIGN,
    ROWS,
    TERMINATE,
    UPDATE,
    body_of,
    check_rows,
)

EXAMPLE = (
    '{"operation":"ADD","national_id":"0123456789016","member_no":"M001","title":"นาย","first_name":"สมชาย","last_name":"ใจดี",'
    '"birth_date":"1985-02-00","nationality_kind":"BIRTH","house_no":"99/1","moo":"3","tambon":"บางรัก","amphoe":"บางรัก",'
    '"province":"กรุงเทพมหานคร","postcode":"10500","member_kind":"ANNUAL","applied_date":"2025-01-31","approved_date":"2025-02-02",'
    '"fee_amount":20,"fee_date":"2025-01-31","receipt_no":"R1"}'
)


def test_the_designs_example_is_written_byte_for_byte() -> None:
    """The record of the design's page (with a check digit that fits) comes out as it stands there."""
    assert body_of(ADD).decode() == EXAMPLE


def test_each_operation_sends_its_own_fields_and_no_others() -> None:
    """Renewals send the fee, endings their day and reason, corrections no fee; declaration, consent and phone never leave."""
    assert msgspec.json.decode(body_of(UPDATE | {"phone": "021234567", "branch_code": "B1"})) == {
        k: v for k, v in msgspec.json.decode(EXAMPLE).items() if not k.startswith(("fee", "receipt"))
    } | {"operation": "UPDATE"}
    assert body_of(RENEW) == (
        b'{"operation":"RENEW","national_id":"0123456789016","member_no":"M001","member_kind":"ANNUAL",'
        b'"fee_amount":20,"fee_date":"2026-01-31","receipt_no":"R2"}'
    )
    assert body_of(RESIGN | {"first_name": "สมชาย"}) == (
        b'{"operation":"RESIGN","national_id":"0123456789016","member_no":"M001","end_date":"2025-07-01","end_reason":"RESIGN"}'
    )
    assert msgspec.json.decode(body_of(TERMINATE))["end_reason"] == "DEATH"


@pytest.mark.parametrize(
    "field",
    ["phone", "email", "branch_code", "qualification_declared", "consent_ref", "consent_at", "row_no"],
)
def test_what_must_stay_here_is_sent_by_no_operation(field: str) -> None:
    """Nothing but what the design lists goes on the wire."""
    assert all(field not in fields for fields in SENT.values())


def test_a_naturalised_members_day_is_sent_and_a_born_ones_is_not() -> None:
    """The day of naturalisation belongs to NATURALISED alone."""
    changed = ADD | {"naturalised_date": "5/12/2550"}
    sent = msgspec.json.decode(body_of(changed | {"nationality_kind": "แปลงสัญชาติ"}))
    assert (sent["nationality_kind"], sent["naturalised_date"]) == ("NATURALISED", "2007-12-05")
    assert list(sent).index("naturalised_date") == list(sent).index("nationality_kind") + 1
    assert "naturalised_date" not in msgspec.json.decode(body_of(changed))


def test_people_of_one_file_with_and_without_a_field_differ_only_there() -> None:
    """A blank cell leaves its member out of that object alone; it is never null and never empty."""
    bodies = [
        msgspec.json.decode(b)
        for b in check_rows(ADD, ADD | {"moo": ""}, ADD | {"moo": "-", "road": "สีลม"}).good["body"]
    ]
    assert [b.get("moo") for b in bodies] == ["3", None, None]
    assert ["moo" in b for b in bodies] == [True, False, False]
    assert [b.get("road") for b in bodies] == [None, None, "สีลม"]


thai = st.text(alphabet="กขคงจฉชสมาีเแ์่ ", min_size=1, max_size=8).map(lambda t: " ".join(f"ก{t}ข".split()))
free = st.text(alphabet='กข๙ab/"\\ #{}:,', min_size=1, max_size=8).map(lambda t: " ".join(f"x{t}x".split()))
maybe = st.none() | free
rows = st.fixed_dictionaries(
    {
        "first_name": thai, "middle_name": st.none() | thai, "last_name": thai, "house_no": free, "village": maybe, "soi": maybe,
        "road": maybe, "receipt_no": free, "member_no": free, "moo": st.none() | st.integers(1, 99).map(str),
    }
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(rows, min_size=1, max_size=4))
def test_bodies_are_those_of_a_slow_builder(changes: list[dict[str, str | None]]) -> None:
    """For any texts, quotes and backslashes among them, the bytes are what a JSON library writes for the same object."""
    made = check_rows(*(ADD | change for change in changes)).good
    assert made["body"].to_list() == [slowly(change) for change in changes]


def slowly(change: dict[str, str | None]) -> bytes:
    """One record, built field by field in the order of the design."""
    digits = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
    known = msgspec.json.decode(EXAMPLE)
    known.update({k: v.translate(digits).strip() for k, v in change.items() if v is not None and k != "moo"})
    known["moo"] = change["moo"]
    order = ("operation", "national_id", "member_no", *SENT["ADD"])
    return msgspec.json.encode({name: known[name] for name in order if known.get(name) is not None})


def test_good_rows_carry_person_number_and_place_in_the_file() -> None:
    """Beside the body stand what intake needs: position, operation, the person's ID and the member's number."""
    good = check_rows(*ROWS.values()).good
    assert good.schema == {
        "_position": pl.UInt32,
        "operation": pl.String,
        "person": pl.String,
        "member_no": pl.String,
        "body": pl.Binary,
    }
    assert good["operation"].to_list() == list(ROWS)
    assert set(good["person"]) == {"0123456789016"}
    assert good["_position"].to_list() == [0, 1, 2, 3, 4]


def test_quotes_and_backslashes_are_escaped() -> None:
    """A cell with a quote or a backslash stays one JSON string, also beside rows that have none."""
    bodies = check_rows(ADD, ADD | {"receipt_no": 'a"b\\', "road": "c\\d"}).good["body"].to_list()
    assert bodies[0].decode() == EXAMPLE
    assert b'"receipt_no":"a\\"b\\\\"' in bodies[1]
    assert msgspec.json.decode(bodies[1])["road"] == "c\\d"
