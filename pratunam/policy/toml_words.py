"""What makes a text no TOML, in English and in Thai: what the reader of the standard library says, in words for people.

The reader's own words are not passed on: they are English alone, and may quote what stands in the file.
"""

import re
import tomllib

from domain.errors import BadPolicy

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$")

#: how the reader's words begin; what that means; what to do
_KNOWN: tuple[tuple[tuple[str, ...], tuple[str, str], tuple[str, str]], ...] = (
    (
        ("Unterminated string", "Illegal character", "Expected '\"", "Expected \"'"),
        ("a text has no closing quote", "ข้อความไม่มีเครื่องหมายคำพูดปิด"),
        ("Put a \" at the text's end, on the same line.", 'ใส่เครื่องหมาย " ปิดท้ายข้อความในบรรทัดเดียวกัน'),
    ),
    (
        ("Unescaped", "Invalid hex", "Escaped character"),
        (
            "a backslash in a text is not followed by a sign that it may stand before",
            "เครื่องหมาย \\ ในข้อความใช้ไม่ถูกต้อง",
        ),
        (
            "Write \\\\ for one backslash, or put the text into single quotes.",
            "เขียน \\\\ แทน \\ หรือใช้เครื่องหมายคำพูดเดี่ยว",
        ),
    ),
    (
        ("Expected '=' after",),
        ("a name has no = after it", "หลังชื่อไม่มีเครื่องหมาย ="),
        ("Write: name = value. A remark begins with #.", "เขียนในรูป ชื่อ = ค่า ส่วนหมายเหตุขึ้นต้นด้วย #"),
    ),
    (
        ("Expected ']", "Invalid statement", "Invalid initial character"),
        ("this is neither name = value nor [table]", "บรรทัดนี้ไม่ใช่ทั้ง ชื่อ = ค่า และ [ตาราง]"),
        (
            "Write name = value, [table] or [[table]]; a name of other signs than letters, digits, - and _ stands in quotes.",
            "เขียน ชื่อ = ค่า, [ตาราง] หรือ [[ตาราง]] ชื่อที่มีอักษรอื่นนอกจาก a-z ตัวเลข - และ _ ต้องอยู่ในเครื่องหมายคำพูด",
        ),
    ),
    (
        ("Expected newline",),
        ("something stands behind the value", "มีข้อความเกินมาหลังค่า"),
        (
            'One name = value a line; a text or a time stands whole in double quotes ("08:30").',
            'เขียนบรรทัดละหนึ่งค่า ข้อความและเวลาต้องอยู่ในเครื่องหมายคำพูดทั้งหมด ("08:30")',
        ),
    ),
    (
        ("Invalid value", "Invalid date"),
        ("the value cannot be read", "อ่านค่านี้ไม่ได้"),
        (
            'Texts and times stand in double quotes ("08:30"); numbers, true and false do not, and have no unit.',
            'ข้อความและเวลาต้องอยู่ในเครื่องหมายคำพูดคู่ ("08:30") ส่วนตัวเลข true และ false ไม่ต้องใส่ และไม่มีหน่วย',
        ),
    ),
    (
        ("Unclosed",),
        ("a list or an inline table is not closed", "รายการหรือตารางในบรรทัดไม่มีวงเล็บปิด"),
        ("Close it with ] or }.", "ปิดด้วย ] หรือ }"),
    ),
    (
        ("Cannot declare", "Cannot overwrite", "Cannot mutate", "Cannot redefine", "Duplicate"),
        ("this name stands here twice", "ชื่อนี้ถูกกำหนดซ้ำ"),
        (
            "Take one out; tables that may come again stand in double brackets: [[…]].",
            "ลบออกหนึ่งแห่ง ตารางที่มีได้หลายครั้งเขียนในวงเล็บเหลี่ยมสองชั้น [[…]]",
        ),
    ),
    (
        ("Found invalid character",),
        ("a sign that cannot be seen stands here", "มีอักขระที่มองไม่เห็นอยู่ตรงนี้"),
        ("Delete the line and type it again.", "ลบบรรทัดนี้แล้วพิมพ์ใหม่"),
    ),
)
_OTHER = (
    ("this cannot be read", "อ่านส่วนนี้ไม่ได้"),
    ("docs/policy-file.md shows how it is written.", "ดูวิธีเขียนใน docs/policy-file.md"),
)


def not_toml(error: tomllib.TOMLDecodeError, text: str) -> BadPolicy:
    """Return the error that names the place, what is wrong there, and what to do."""
    said = str(error)
    what, remedy = next(
        ((what, remedy) for beginnings, what, remedy in _KNOWN if said.startswith(beginnings)), _OTHER
    )
    place = _PLACE.search(said)
    if place:
        line, column = place.groups()
        where_en, where_th = f"line {line}, column {column}", f"บรรทัด {line} ตำแหน่งที่ {column}"
    else:
        last = len(text.splitlines()) or 1
        where_en, where_th = f"line {last}, at the end of the file", f"บรรทัด {last} ท้ายไฟล์"
    return BadPolicy(
        f"The policy file is not TOML: {where_en}: {what[0]}.",
        message_th=f"ไฟล์นโยบายไม่ใช่รูปแบบ TOML: {where_th}: {what[1]}",
        remedy_en=remedy[0],
        remedy_th=remedy[1],
    )
