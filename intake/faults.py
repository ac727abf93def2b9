"""What is wrong with a file as a whole, in words that a party's clerk understands (English and Thai, with the remedy).

Texts name rows, columns and sheets, never what stands in a cell.
"""

from domain.errors import BadFile, Refused

SAVE_AS_EN = "Open it in the spreadsheet program and save it as CSV UTF-8, then submit that file."
SAVE_AS_TH = "เปิดไฟล์ในโปรแกรมตาราง บันทึกเป็น CSV UTF-8 แล้วส่งไฟล์นั้น"
FIX_EN = "Correct it and submit the file again."
FIX_TH = "แก้ไขแล้วส่งไฟล์อีกครั้ง"
#: longest piece of a column or sheet name that is quoted
NAME_LIMIT = 60


def bad_file(en: str, th: str, remedy_en: str = FIX_EN, remedy_th: str = FIX_TH) -> BadFile:
    """Return the error for a file that cannot be taken, with a remedy."""
    return BadFile(en, message_th=th, remedy_en=remedy_en, remedy_th=remedy_th)


def quoted(name: str) -> str:
    """Return a column's or sheet's name fit to be quoted: short, on one line, and no long number."""
    text = " ".join(name.split())
    if sum(sign.isdigit() for sign in text) >= 8:
        return "…"
    return text if len(text) <= NAME_LIMIT else text[:NAME_LIMIT] + "…"


def named(names: list[str] | tuple[str, ...], most: int = 10) -> str:
    """Return names quoted side by side, and how many more there are."""
    shown = ", ".join(f"“{quoted(name)}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown} (+{len(names) - most})"


def place(row: int, sheet: str = "") -> tuple[str, str]:
    """Return a row's place in English and Thai."""
    if sheet:
        return f"Sheet “{quoted(sheet)}”, row {row}", f"แผ่นงาน “{quoted(sheet)}” แถวที่ {row}"
    return f"Row {row}", f"แถวที่ {row}"


def of_sheet(fault: BadFile, sheet: str) -> BadFile:
    """Return an error with its sheet's name in front, where there are several sheets."""
    if not sheet:
        return fault
    en, th = f"Sheet “{quoted(sheet)}”: {fault.message_en}", f"แผ่นงาน “{quoted(sheet)}”: {fault.message_th}"
    return bad_file(en, th, fault.remedy_en, fault.remedy_th)


def place_label(place: tuple[int, str]) -> str:
    """Return a row's place as result files name it: its number, behind its sheet's name where there are several."""
    row, sheet = place
    return f"{quoted(sheet)}!{row}" if sheet else str(row)


def counted(count: int, noun: str) -> str:
    """Return a number of things in English."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def broken_row(row: int, found: int, wanted: int, *, last: bool) -> BadFile:
    """Return the error for a row with more or fewer cells than the header."""
    if last and found < wanted:
        return bad_file(
            f"The file ends in the middle of row {row}: it seems to have been cut off.",
            f"ไฟล์จบกลางแถวที่ {row} ไฟล์อาจถูกตัดขาด",
            "Export or copy the file again, whole, and submit it.",
            "ส่งออกหรือคัดลอกไฟล์ใหม่ให้ครบ แล้วส่งอีกครั้ง",
        )
    return bad_file(
        f"Row {row} has {counted(found, 'cell')}, but the header has {counted(wanted, 'column')}.",
        f"แถวที่ {row} มี {found} ช่อง แต่หัวตารางมี {wanted} คอลัมน์",
        "A comma or a line break inside a cell must stand in quotation marks. " + SAVE_AS_EN,
        "เครื่องหมายจุลภาคหรือการขึ้นบรรทัดในช่องต้องอยู่ในเครื่องหมายคำพูด " + SAVE_AS_TH,
    )


def open_quote(row: int) -> BadFile:
    """Return the error for a quotation mark that is never closed."""
    return bad_file(
        f'A quotation mark (") that is opened in row {row} is never closed.',
        f'เครื่องหมายคำพูด (") ที่เปิดในแถวที่ {row} ไม่มีตัวปิด',
        "Close it, or write it twice when it belongs to the text.",
        "ปิดเครื่องหมายคำพูด หรือพิมพ์ซ้ำสองตัวถ้าเป็นส่วนของข้อความ",
    )


def stray_quote(row: int) -> BadFile:
    """Return the error for text that goes on after a closing quotation mark."""
    return bad_file(
        f'In row {row} a quotation mark (") stands in the middle of a cell.',
        f'แถวที่ {row} มีเครื่องหมายคำพูด (") อยู่กลางช่อง',
        "Write it twice when it belongs to the text. " + SAVE_AS_EN,
        "พิมพ์ซ้ำสองตัวถ้าเป็นส่วนของข้อความ " + SAVE_AS_TH,
    )


def long_row(row: int, limit: int) -> BadFile:
    """Return the error for a row beyond the byte cap."""
    return bad_file(
        f"Row {row} is longer than {limit // 1024} KiB: this is not a table of records, or line breaks are missing.",
        f"แถวที่ {row} ยาวเกิน {limit // 1024} KiB ไฟล์นี้ไม่ใช่ตารางรายการ หรือไม่มีการขึ้นบรรทัด",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def long_cell(row: int, column: str, limit: int, sheet: str = "") -> BadFile:
    """Return the error for a cell beyond the byte cap."""
    en, th = place(row, sheet)
    return bad_file(
        f"{en}, column “{quoted(column)}”: the cell is longer than {limit:,} bytes.",
        f"{th} คอลัมน์ “{quoted(column)}” ช่องมีข้อความยาวเกิน {limit:,} ไบต์",
        "Shorten it and submit the file again.",
        "ย่อข้อความแล้วส่งไฟล์อีกครั้ง",
    )


def unnamed_column(letters: str, row: int, sheet: str = "") -> BadFile:
    """Return the error for a column that holds something and has no name."""
    en, th = place(row, sheet)
    return bad_file(
        f"Column {letters} has no name in the header, but something stands in it ({en}).",
        f"คอลัมน์ {letters} ไม่มีชื่อในหัวตาราง แต่มีข้อมูล ({th})",
        "Name the column or empty it, and submit the file again.",
        "ตั้งชื่อคอลัมน์หรือลบข้อมูลออก แล้วส่งไฟล์อีกครั้ง",
    )


def mixed_encodings(line: int) -> BadFile:
    """Return the error for a file in two encodings."""
    return bad_file(
        f"The file mixes two encodings (UTF-8 and Windows-874): line {line} differs from those before.",
        f"ไฟล์ใช้รหัสอักขระปนกันสองแบบ (UTF-8 และ Windows-874) บรรทัดที่ {line} ต่างจากบรรทัดก่อนหน้า",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def cut_text(line: int) -> BadFile:
    """Return the error for a file that ends within a character."""
    return bad_file(
        f"The file ends in the middle of a letter in line {line}: it seems to have been cut off.",
        f"ไฟล์จบกลางตัวอักษรในบรรทัดที่ {line} ไฟล์อาจถูกตัดขาด",
        "Export or copy the file again, whole, and submit it.",
        "ส่งออกหรือคัดลอกไฟล์ใหม่ให้ครบ แล้วส่งอีกครั้ง",
    )


def unknown_encoding(line: int) -> BadFile:
    """Return the error for bytes that no accepted encoding knows."""
    return bad_file(
        f"Line {line} holds characters that are neither UTF-8 nor Windows-874 (TIS-620).",
        f"บรรทัดที่ {line} มีอักขระที่ไม่ใช่ UTF-8 หรือ Windows-874 (TIS-620)",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def no_rows() -> BadFile:
    """Return the error for a file without records."""
    return bad_file(
        "The file is empty: there is no row below the header.",
        "ไฟล์ว่าง ไม่มีแถวข้อมูลใต้หัวตาราง",
        "Submit a file with a header and at least one record.",
        "ส่งไฟล์ที่มีหัวตารางและอย่างน้อยหนึ่งรายการ",
    )


def no_sheets() -> BadFile:
    """Return the error for a sheet that was named in a file that has none."""
    return bad_file(
        "This is a CSV file: it has no sheets.",
        "ไฟล์นี้เป็น CSV ไม่มีแผ่นงาน",
        "Leave --sheet out, or submit the workbook itself.",
        "ไม่ต้องระบุ --sheet หรือส่งไฟล์ Excel โดยตรง",
    )


def too_many_rows(limit: int) -> BadFile:
    """Return the error for a file beyond the registry's row limit."""
    return bad_file(
        f"The file has more than {limit:,} rows.",
        f"ไฟล์มีเกิน {limit:,} แถว",
        "Split it into several files and submit each.",
        "แบ่งเป็นหลายไฟล์แล้วส่งทีละไฟล์",
    )


def beyond_limits(reason: str) -> BadFile:
    """Return the error for a file that the limited reader could not get through; `reason` is for those who keep the gate."""
    return bad_file(
        f"This file could not be read within the limits of memory and time, or it is damaged ({reason}).",
        f"อ่านไฟล์นี้ไม่ได้ภายในขีดจำกัดหน่วยความจำและเวลา หรือไฟล์เสียหาย ({reason})",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def no_room() -> Refused:
    """Return the error for a disk that has no room for the file."""
    return Refused(
        "There is not enough free disk space to take this file in.",
        message_th="เนื้อที่ดิสก์ไม่พอสำหรับรับไฟล์นี้",
        remedy_en="Free some space (erase old results), then submit again.",
        remedy_th="เพิ่มเนื้อที่ว่าง (ลบผลเก่า) แล้วส่งใหม่",
    )


def refuse_unknown(unknown: list[str] | tuple[str, ...]) -> BadFile:
    """Return the error for columns that are neither known nor said to be ignored."""
    return bad_file(
        f"The registry does not know these columns, and they would not be sent: {named(unknown)}.",
        f"ระบบทะเบียนไม่รู้จักคอลัมน์เหล่านี้ และจะไม่ถูกส่ง: {named(unknown)}",
        "Remove them, or say --ignore NAME for each.",
        "ลบคอลัมน์เหล่านี้ หรือระบุ --ignore ชื่อคอลัมน์ ทีละคอลัมน์",
    )


def cut_note(cut: tuple[str, ...]) -> tuple[str, str]:
    """Return the warning that names the columns that were cut unread."""
    return (
        f"These columns are not accepted and were not kept: {named(cut)}.",
        f"ระบบไม่รับและไม่เก็บคอลัมน์เหล่านี้: {named(cut)}",
    )
