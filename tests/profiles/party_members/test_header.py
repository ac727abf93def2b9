"""Which column is which field."""

import pytest

from profiles.party_members.fields import FIELDS
from profiles.party_members.header import is_forbidden, match_header, missing_columns

THAI = [f.headers[0] for f in FIELDS.values()]


def test_the_template_matches_every_field() -> None:
    """The first Thai header of each field is found, and nothing is left over."""
    match = match_header(THAI)
    assert match.matched == {name: f.headers[0] for name, f in FIELDS.items()}
    assert (match.unknown, match.forbidden, match.duplicate, match.missing) == ((), (), (), ())


def test_no_header_is_claimed_by_two_fields() -> None:
    """Each alias, however it is normalised, belongs to one field alone."""
    for field in FIELDS.values():
        for header in (field.name, *field.headers):
            assert list(match_header([header]).matched) == [field.name]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("National ID", "national_id"),
        ("NATIONAL_ID", "national_id"),
        ("\ufeffเลขประจำตัวประชาชน", "national_id"),
        ("เลข\u200bประจำตัว ประชาชน", "national_id"),
        ("เลขประจ\u0e4d\u0e32ตัวประชาชน", "national_id"),
        ("เลข ๑๓ หลัก", "national_id"),
        ("คำนำหน้า\u00a0ชื่อ", "title"),
        (" ตำบล / แขวง ", "tambon"),
        ("ตรอกซอย", "soi"),
        ("วัน เดือน ปี เกิด", "birth_date"),
        ("Birth Date", "birth_date"),
        ("รหัส ไปรษณีย์.", "postcode"),
    ],
)
def test_headers_are_found_as_people_spell_them(header: str, field: str) -> None:
    """Spaces, dots, slashes, case, underscores and invisible characters do not matter."""
    assert match_header([header]).matched == {field: header}


@pytest.mark.parametrize(
    "header",
    [
        "Laser ID", "laser_id", "LASERID", "เลขหลังบัตร", "เลขหลังบัตรประชาชน", "รหัสเลเซอร์", "ศาสนา", "Religion", "รูปถ่าย", "Photo",
        "ภาพถ่าย", "รูป", "LINE", "Line ID", "line_id", "ไอดีไลน์", "ไลน์", "ID Line", "line ไอดี", "เลขหลัง\u200bบัตร",
        "Line id (ถ้ามี)", "ID Line (ถ้ามี)", "LINE ID ของสมาชิก", "ไอดี LINE (ถ้ามี)", "MyLine ID", "Contact (LINE)",
        "ไอดีไลน", "Image URL", "รูปสมาชิก",
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_named_forbidden(header: str) -> None:
    """Laser ID, religion, photo and LINE are found in every spelling and never matched or called unknown."""
    match = match_header(["ชื่อ", header])
    assert (match.forbidden, match.forbidden_places, match.unknown) == ((header,), (1,), ())


@pytest.mark.parametrize(
    "header",
    [
        "online",
        "ช่องทางออนไลน์",
        "รูปแบบการสมัคร",
        "line no.",
        "Line 2",
        "address line 1",
        "หมายเหตุ",
        "baseline",
        "เลขที่บัตรสมาชิก",
    ],
)
def test_harmless_columns_are_not_forbidden(header: str) -> None:
    """A word that only looks like a forbidden one is an unknown column."""
    assert not is_forbidden(header)
    assert match_header([header]).unknown == (header,)


def test_a_field_that_two_columns_claim_is_a_duplicate() -> None:
    """Two columns of one field, equal or by near aliases, are named with the field."""
    match = match_header(["ชื่อ", "ชื่อตัว", "จังหวัด", "จังหวัด"])
    assert match.duplicate == (("first_name", ("ชื่อ", "ชื่อตัว")), ("province", ("จังหวัด", "จังหวัด")))
    assert match.places["first_name"] == 0


def test_the_gates_own_columns_come_back_unread() -> None:
    """A corrected file of rejected rows may keep the columns that the gate added."""
    ours = ["_row", "_job", "_by", "_code", "_reason_th", "_reason_en", "_receipt"]
    match = match_header([*THAI, *ours])
    assert (match.ours, match.unknown) == (tuple(ours), ())


def test_a_missing_column_is_named_once_for_the_operations_that_need_it() -> None:
    """What is missing depends on the operations in the file; a declared job needs no column for it."""
    few = match_header(["เลขประจำตัวประชาชน", "เลขที่สมาชิก", "วันที่พ้น"])
    assert missing_columns(few, ["RESIGN"], declared=False) == ("end_reason",)
    assert missing_columns(few, [], declared=False) == ("operation",)
    without = match_header([h for h in THAI if h != "รับรองคุณสมบัติ"])
    assert missing_columns(without, ["ADD"], declared=False) == ("qualification_declared",)
    assert missing_columns(without, ["ADD"], declared=True) == ()
    assert missing_columns(without, ["UPDATE"], declared=False) == ()


def test_the_columns_that_everyone_needs_are_missing_at_once() -> None:
    """Without ID and member number no operation can be taken."""
    assert match_header(["ชื่อ"]).missing == ("national_id", "member_no")
