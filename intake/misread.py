"""Text that a program read in a wrong encoding and saved again: the names of columns are the first to tell."""

import re
from collections.abc import Iterable

from domain.errors import BadFile
from intake.faults import bad_file

#: what the bytes of UTF-8 look like when they are read as Windows-1252, and as Windows-874: the mark at the beginning, then Thai letters
_MISREAD = re.compile(r"^(?:ï»¿|๏ปฟ)|(?:à[¸¹].){2}|(?:เ[ธน].){3}", re.DOTALL)


def is_misread(cells: Iterable[str]) -> bool:
    """Say whether names of columns, or what stands where they should, were read in a wrong encoding."""
    return any(_MISREAD.search(cell) for cell in cells)


def misread() -> BadFile:
    """Return the error for such a file."""
    return bad_file(
        "The file's Thai letters are broken: a program opened it in a wrong encoding (Windows-1252 or 874) and saved it so.",
        "ตัวอักษรไทยในไฟล์เสีย เพราะโปรแกรมเปิดไฟล์ด้วยรหัสอักขระที่ไม่ถูกต้อง (Windows-1252 หรือ 874) แล้วบันทึกทับ",
        "Open the original again, as text in UTF-8 with every column as text, or take the XLSX instead; correct it there.",
        "เปิดไฟล์ต้นฉบับใหม่โดยเลือก UTF-8 และกำหนดทุกคอลัมน์เป็นข้อความ หรือใช้ไฟล์ XLSX แทน แล้วแก้ไขในนั้น",
    )
