"""One good row of each operation, and what the check says of it once a cell is changed."""

from datetime import date

import polars as pl

from profiles.book import profile
from profiles.profile import CheckContext, Checked

TODAY = date(2026, 11, 21)
MEMBERS = profile("party-members")
ADD: dict[str, str | None] = {
    "operation": "เพิ่ม",
    "national_id": "0123456789016",
    "member_no": "M001",
    "title": "นาย",
    "first_name": "สมชาย",
    "last_name": "ใจดี",
    "birth_date": "00/02/2528",
    "nationality_kind": "ไทย",
    "house_no": "99/1",
    "moo": "3",
    "tambon": "บางรัก",
    "amphoe": "บางรัก",
    "province": "กรุงเทพมหานคร",
    "postcode": "10500",
    "member_kind": "รายปี",
    "applied_date": "31/1/2568",
    "approved_date": "2/2/2568",
    "fee_amount": "20",
    "fee_date": "31/1/2568",
    "receipt_no": "R1",
    "qualification_declared": "ใช่",
    "consent_ref": "C1",
    "consent_at": "31/1/2568",
}
UPDATE = {k: v for k, v in ADD.items() if k not in {"fee_amount", "fee_date", "receipt_no"}} | {
    "operation": "แก้ไข"
}
RENEW: dict[str, str | None] = {
    "operation": "ต่ออายุ",
    "national_id": "0123456789016",
    "member_no": "M001",
    "member_kind": "รายปี",
    "fee_amount": "20",
    "fee_date": "31/1/2569",
    "receipt_no": "R2",
}
RESIGN: dict[str, str | None] = {
    "operation": "ลาออก",
    "national_id": "0123456789016",
    "member_no": "M001",
    "end_date": "1/7/2568",
    "end_reason": "ลาออก",
}
TERMINATE = RESIGN | {"operation": "พ้นสมาชิกภาพ", "end_reason": "ตาย"}
ROWS = {"ADD": ADD, "UPDATE": UPDATE, "RENEW": RENEW, "RESIGN": RESIGN, "TERMINATE": TERMINATE}


def check_rows(*rows: dict[str, str | None], context: CheckContext | None = None) -> Checked:
    """Check rows that may have different columns, as one frame."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    frame = pl.DataFrame(columns).with_row_index("_position")
    return MEMBERS.check(frame, context or CheckContext(TODAY, test_ids=True))


def faults_of(row: dict[str, str | None], context: CheckContext | None = None) -> set[tuple[str, str]]:
    """Return (code, field) of each fault of one row."""
    return set(check_rows(row, context=context).faults.select("code", "field").iter_rows())


def body_of(row: dict[str, str | None], context: CheckContext | None = None) -> bytes:
    """Return the one body of one good row."""
    (body,) = check_rows(row, context=context).good["body"]
    assert isinstance(body, bytes)
    return body
