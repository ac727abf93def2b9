"""What a file is, from its first bytes and rows: its kind, its delimiter, and where its header stands."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from domain.errors import BadFile
from intake.faults import FIX_EN, FIX_TH, SAVE_AS_EN, SAVE_AS_TH, bad_file, named, quoted
from intake.misread import is_misread, misread
from profiles.profile import HeaderMatch, Profile

#: the header is sought in so many rows
HEADER_ROWS = 20
#: most columns of a table
MOST_COLUMNS = 500
#: a row is a header when it names at least so many fields
FEWEST_FIELDS = 2
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: where empty files with the headers of each profile lie
TEMPLATES = "docs/templates"
#: the gate's own column that names the job a corrected file comes from
JOB_COLUMN = "_job"

_HTML = re.compile(rb"\s*<(!doctype\s+html|html|table|head|meta|body)\b", re.IGNORECASE)
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file (.xls) or one protected by a password",
        "ไฟล์ Excel รุ่นเก่า (.xls) หรือไฟล์ที่ตั้งรหัสผ่าน",
    ),
    (b"%PDF", "a PDF", "ไฟล์ PDF"),
    (b"\x1f\x8b", "a compressed file (gzip)", "ไฟล์บีบอัด (gzip)"),
    (b"7z\xbc\xaf", "a compressed file (7z)", "ไฟล์บีบอัด (7z)"),
    (b"Rar!", "a compressed file (RAR)", "ไฟล์บีบอัด (RAR)"),
    (b"BZh", "a compressed file (bzip2)", "ไฟล์บีบอัด (bzip2)"),
    (b"\xfd7zXZ", "a compressed file (xz)", "ไฟล์บีบอัด (xz)"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (zstd)", "ไฟล์บีบอัด (zstd)"),
    (b"{\\rtf", "a text document (RTF)", "เอกสารข้อความ (RTF)"),
    (b"\x89PNG", "a picture", "ไฟล์รูปภาพ"),
    (b"\xff\xd8\xff", "a picture", "ไฟล์รูปภาพ"),
    (b"\xff\xfe\x00\x00", "text in UTF-32", "ข้อความแบบ UTF-32"),
    (b"\x00\x00\xfe\xff", "text in UTF-32", "ข้อความแบบ UTF-32"),
    (b"<?xml", "an XML document", "เอกสาร XML"),
    (b"\x7fELF", "a program", "โปรแกรม"),
    (b"MZ", "a program", "โปรแกรม"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """A header row: `row` counts from 1, as a spreadsheet does; `columns` are its cells as they stand."""

    row: int
    columns: tuple[str, ...]
    match: HeaderMatch


def is_workbook(head: bytes) -> bool:
    """Say whether the file is an XLSX (else it is read as CSV); raises BadFile for what can be neither."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return True
    if not head.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise bad_file(
            "The file is empty.",
            "ไฟล์ว่าง",
            "Submit a file with a header and records.",
            "ส่งไฟล์ที่มีหัวตารางและข้อมูล",
        )
    for magic, en, th in _MAGIC:
        if head.startswith(magic):
            raise _not_a_table(en, th)
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise _not_a_table("a web page (HTML), whatever its name says", "หน้าเว็บ (HTML) แม้ชื่อไฟล์จะเป็นอย่างอื่น")
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(0) * 5 > len(head):
        raise _not_a_table(
            "text in UTF-16 without a mark, or no text", "ข้อความ UTF-16 ที่ไม่มีเครื่องหมาย หรือไม่ใช่ข้อความ"
        )
    return False


def _not_a_table(en: str, th: str) -> BadFile:
    return bad_file(
        f"This is {en}, not CSV or XLSX.", f"ไฟล์นี้เป็น{th} ไม่ใช่ CSV หรือ XLSX", SAVE_AS_EN, SAVE_AS_TH
    )


def find_csv_header(data: bytes, profile: Profile) -> tuple[Header, str, int]:
    """Return the header of a CSV in UTF-8, its delimiter, and how many lines to skip to the first record; raises BadFile."""
    best: tuple[Header, str, int] | None = None
    for delimiter in (*DELIMITERS, "|"):
        found = best_header(_records(data, delimiter), profile)
        if found and (best is None or len(found[0].match.matched) > len(best[0].match.matched)):
            best = found[0], delimiter, found[1]
    top = "".join(islice(_lines(data), HEADER_ROWS))
    refuse_misread(best and best[0], top.splitlines()[:HEADER_ROWS])
    if best is None:
        raise headless()
    if best[1] == "|":
        raise bad_file(
            "The columns are separated by “|”.",
            "คอลัมน์คั่นด้วย “|”",
            "Separate them by comma, semicolon or tab. " + SAVE_AS_EN,
            "ใช้จุลภาค อัฒภาค หรือแท็บคั่น " + SAVE_AS_TH,
        )
    return best


def best_header(rows: Iterable[tuple[Sequence[str], int]], profile: Profile) -> tuple[Header, int] | None:
    """Return the row that names most fields, with the mark that came with it; None when no row names enough."""
    best: tuple[Header, int] | None = None
    for number, (cells, mark) in enumerate(rows, 1):
        match = profile.match_header(cells)
        enough = best is None or len(match.matched) > len(best[0].match.matched)
        if len(match.matched) >= FEWEST_FIELDS and enough:
            best = Header(number, tuple(cells), match), mark
    return best


def refuse_misread(header: Header | None, first_cells: Iterable[str]) -> None:
    """Raise BadFile where the names, or whatever stands in the first rows instead of names, were read in a wrong encoding."""
    if is_misread(first_cells if header is None else header.columns):
        raise misread()


def _lines(data: bytes) -> Iterator[str]:
    """Yield lines as they are asked for: a header stands at the top, and the whole block as text takes several times its size."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        yield data[at:end].decode("utf-8")
        at = end


def _records(data: bytes, delimiter: str) -> Iterable[tuple[list[str], int]]:
    reader = csv.reader(_lines(data), delimiter=delimiter)
    for _ in range(HEADER_ROWS):
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        if len(cells) > MOST_COLUMNS:
            raise too_wide(len(cells))
        yield cells, reader.line_num


def too_wide(columns: int) -> BadFile:
    """Return the error for a table with more columns than any record has."""
    return bad_file(
        f"A row among the first {HEADER_ROWS} has {columns:,} columns; at most {MOST_COLUMNS} are read.",
        f"แถวใน {HEADER_ROWS} แถวแรกมี {columns:,} คอลัมน์ ระบบอ่านได้ไม่เกิน {MOST_COLUMNS} คอลัมน์",
        f"Keep the columns of the template only ({TEMPLATES}).",
        f"เก็บเฉพาะคอลัมน์ตามแม่แบบ ({TEMPLATES})",
    )


def headless() -> BadFile:
    """Return the error for a file in which no header was found."""
    return bad_file(
        f"No header was found in the first {HEADER_ROWS} rows: no row there names the columns.",
        f"ไม่พบหัวตารางใน {HEADER_ROWS} แถวแรก ไม่มีแถวที่บอกชื่อคอลัมน์",
        f"Put the names of the columns above the records, as in the template ({TEMPLATES}).",
        f"ใส่ชื่อคอลัมน์ไว้เหนือแถวข้อมูล ตามแม่แบบ ({TEMPLATES})",
    )


def check_header(header: Header) -> None:
    """Raise BadFile for a header in which a name or a field stands twice."""
    twice = [f"{field}: {named(columns)}" for field, columns in header.match.duplicate]
    seen: dict[str, str] = {}
    for column in header.columns:
        plain = " ".join(column.split()).casefold()
        if plain and plain in seen and not any(quoted(column) in text for text in twice):
            twice.append(named([column]))
        seen[plain] = column
    if twice:
        listed = "; ".join(twice)
        raise bad_file(
            f"In the header (row {header.row}) these columns stand more than once: {listed}.",
            f"หัวตาราง (แถวที่ {header.row}) มีคอลัมน์ซ้ำกัน: {listed}",
            "Keep one column of each. " + FIX_EN,
            "เก็บไว้อย่างละหนึ่งคอลัมน์ " + FIX_TH,
        )


def unknown_columns(header: Header) -> tuple[str, ...]:
    """Return the named columns that the profile does not know."""
    return tuple(column for column in header.match.unknown if column.strip())


def refuse_missing(missing: Sequence[str], profile: Profile) -> BadFile:
    """Return the error for required columns that the file does not have."""
    thai = [
        next(iter(profile.fields[name].headers), name) if name in profile.fields else name for name in missing
    ]
    if tuple(missing) == ("operation",):
        return bad_file(
            "Nothing says what is to be done with the records: there is no column “operation”.",
            "ไม่ได้ระบุว่าจะทำรายการใด ไม่มีคอลัมน์ “รายการ”",
            "Add the column, or say --operation ADD (UPDATE, RENEW, RESIGN, TERMINATE) when submitting.",
            "เพิ่มคอลัมน์นี้ หรือระบุ --operation ADD (UPDATE, RENEW, RESIGN, TERMINATE) เมื่อส่ง",
        )
    both = [f"{th} ({name})" if th != name else name for name, th in zip(missing, thai, strict=True)]
    return bad_file(
        f"Required columns are missing: {named(both, 40)}.",
        f"ขาดคอลัมน์ที่จำเป็น: {named(both, 40)}",
        f"Add them as in the template ({TEMPLATES}), and submit the file again.",
        f"เพิ่มคอลัมน์ตามแม่แบบ ({TEMPLATES}) แล้วส่งไฟล์อีกครั้ง",
    )
