"""Made-up members' files: rows that pass every check, and the ways to write them as CSV or XLSX."""

import csv
import io
from collections.abc import Iterable, Sequence

import xlsxwriter

HEADER = (
    "operation", "national_id", "member_no", "title", "first_name", "last_name", "birth_date", "nationality_kind",
    "house_no", "moo", "tambon", "amphoe", "province", "postcode", "member_kind", "applied_date", "approved_date",
    "fee_amount", "fee_date", "receipt_no", "qualification_declared", "consent_ref", "consent_at",
)  # fmt: skip
THAI_HEADER = (
    "รายการ", "เลขประจำตัวประชาชน", "เลขที่สมาชิก", "คำนำหน้า", "ชื่อ", "นามสกุล", "วันเดือนปีเกิด", "สัญชาติ",
    "บ้านเลขที่", "หมู่ที่", "ตำบล/แขวง", "อำเภอ/เขต", "จังหวัด", "รหัสไปรษณีย์", "ประเภทสมาชิก", "วันที่สมัคร",
    "วันที่อนุมัติ", "ค่าบำรุง", "วันที่ชำระ", "เลขที่ใบเสร็จ", "รับรองคุณสมบัติ", "เลขอ้างอิงความยินยอม",
    "วันที่ให้ความยินยอม",
)  # fmt: skip


def national_id(number: int) -> str:
    """Return a number that passes the check digit and, beginning with 1, belongs to nobody we know."""
    stem = f"1{number:011d}"
    total = sum(int(digit) * (13 - at) for at, digit in enumerate(stem))
    return f"{stem}{(11 - total % 11) % 10}"


def member(number: int, **changes: str) -> dict[str, str]:
    """Return one member's row; `changes` replace cells by field."""
    row = dict(
        zip(
            HEADER,
            (
                "ADD", national_id(number), f"M{number:06d}", "นาย", "สมชาย", "ใจดี", "12/3/2530", "BIRTH", f"99/{number}",
                "3", "บางรัก", "บางรัก", "กรุงเทพมหานคร", "10500", "ANNUAL", "31/1/2568", "2/2/2568", "20", "31/1/2568",
                f"R{number:06d}", "ใช่", f"C{number:06d}", "31/1/2568",
            ),
            strict=True,
        )
    )  # fmt: skip
    return row | changes


def members(count: int, start: int = 0) -> list[dict[str, str]]:
    """Return so many members."""
    return [member(number) for number in range(start, start + count)]


def grid(
    rows: Iterable[dict[str, str]], header: Sequence[str] = HEADER, more: Sequence[str] = ()
) -> list[list[str]]:
    """Return header and rows as cells; `more` names columns beyond the profile's."""
    return [
        [*header, *more],
        *([*(row[name] for name in HEADER), *(row.get(name, "") for name in more)] for row in rows),
    ]


def as_csv(
    cells: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",", newline: str = "\r\n"
) -> bytes:
    """Return cells as the bytes of a CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=newline).writerows(cells)
    return out.getvalue().encode(encoding)


def as_xlsx(sheets: dict[str, Sequence[Sequence[object]]]) -> bytes:
    """Return sheets of cells as the bytes of a workbook; texts stay texts, numbers numbers."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_numbers": False, "strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return out.getvalue()
