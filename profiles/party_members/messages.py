"""Every message of this profile, in English and Thai: what is wrong, then what to do. None ever holds a cell's value.

A message may have a detail, put in by `message`: row numbers, or the names of places that took over from an abolished one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What is wrong and what to do about it; `detail_*` is the sentence for a detail, with `{detail}` in it."""

    en: str
    th: str
    remedy_en: str
    remedy_th: str
    detail_en: str = ""
    detail_th: str = ""


_M = Message
_DATE_EN = "Write it as day/month/year with four digits for the year, such as 15/02/2528."
_DATE_TH = "โปรดกรอกเป็น วัน/เดือน/ปี พ.ศ. สี่หลัก เช่น 15/02/2528"
_NAME_EN = "Use Thai letters, spaces, dots and dashes only, at most 100 characters."
_NAME_TH = "โปรดใช้เฉพาะอักษรไทย เว้นวรรค จุด และขีด ไม่เกิน 100 ตัวอักษร"
_ID_EN, _ID_TH = "Copy the 13 digits from the ID card again.", "โปรดกรอกเลข 13 หลักตามบัตรประชาชนใหม่อีกครั้ง"

CELL: dict[str, Message] = {
    "required": _M("This field is blank", "ช่องนี้ว่าง", "Fill it in.", "โปรดกรอกข้อมูล"),
    "bidi-control": _M("The cell holds hidden characters that turn the reading direction round",
        "มีอักขระซ่อนที่กลับทิศทางการอ่านข้อความ", "Type the text anew.", "โปรดพิมพ์ข้อความใหม่"),
    "control-character": _M("The cell holds a control character or a letter that was lost", "มีอักขระควบคุมหรืออักษรที่เสียหาย",
        "Type the text anew, in one line.", "โปรดพิมพ์ข้อความใหม่ในบรรทัดเดียว"),
    "too-long": _M("The text is too long", "ข้อความยาวเกินไป", "Shorten it.", "โปรดย่อข้อความ"),
    "no-operation": _M("The row does not say what is to be done", "ไม่ได้ระบุประเภทรายการ",
        "Write ADD, UPDATE, RENEW, RESIGN or TERMINATE, or name the operation when you submit.",
        "โปรดระบุ เพิ่ม แก้ไข ต่ออายุ ลาออก หรือ พ้นสมาชิกภาพ หรือระบุตอนส่งไฟล์"),
    "unknown-operation": _M("Unknown operation", "รายการไม่ถูกต้อง", "Write ADD, UPDATE, RENEW, RESIGN or TERMINATE.",
        "โปรดใช้ เพิ่ม แก้ไข ต่ออายุ ลาออก หรือ พ้นสมาชิกภาพ"),
}  # fmt: skip
IDENTITY: dict[str, Message] = {
    "id-spreadsheet": _M("Spreadsheet changed the ID to a number", "โปรแกรมตารางแปลงเลขบัตรเป็นตัวเลข",
        "Format the column as text and enter the 13 digits again.", "โปรดกำหนดคอลัมน์เป็นข้อความแล้วกรอกเลข 13 หลักใหม่"),
    "id-format": _M("Invalid national ID: it is not 13 digits", "เลขประจำตัวประชาชนไม่ถูกต้อง (ต้องมี 13 หลักและผ่านการตรวจสอบ)",
        _ID_EN, _ID_TH),
    "id-first-digit": _M("Invalid national ID: its first digit must be 1 to 8", "เลขประจำตัวประชาชนไม่ถูกต้อง (หลักแรกต้องเป็น 1 ถึง 8)",
        _ID_EN, _ID_TH),
    "id-check-digit": _M("Invalid national ID: the check digit does not fit", "เลขประจำตัวประชาชนไม่ถูกต้อง (เลขตรวจสอบหลักสุดท้ายไม่ตรง)",
        _ID_EN, _ID_TH),
    "bad-member-no": _M("Duplicate or bad member number: it is over 20 characters", "เลขที่สมาชิกซ้ำหรือไม่ถูกต้อง (เกิน 20 ตัวอักษร)",
        "Enter the member's number in the party.", "โปรดกรอกเลขที่สมาชิกของพรรค"),
    "bad-title": _M("Bad title", "คำนำหน้าไม่ถูกต้อง", "Use a title or rank in Thai, at most 30 characters.",
        "โปรดใช้คำนำหน้าหรือยศเป็นภาษาไทย ไม่เกิน 30 ตัวอักษร"),
    "bad-first-name": _M("First name has characters not allowed", "ชื่อมีอักขระที่ไม่อนุญาต", _NAME_EN, _NAME_TH),
    "title-in-name": _M("The first name begins with a title", "ชื่อมีคำนำหน้าปนอยู่", "Move the title to the title column.",
        "โปรดย้ายคำนำหน้าไปไว้ในช่องคำนำหน้า"),
    "bad-middle-name": _M("Bad middle name", "ชื่อกลางไม่ถูกต้อง", _NAME_EN, _NAME_TH),
    "bad-last-name": _M("Surname has characters not allowed", "นามสกุลมีอักขระที่ไม่อนุญาต", _NAME_EN, _NAME_TH),
    "nationality-missing": _M("State how nationality was obtained", "โปรดระบุการได้สัญชาติ", "Write BIRTH or NATURALISED.",
        "โปรดระบุ โดยการเกิด หรือ แปลงสัญชาติ"),
    "bad-nationality": _M("Unknown way of obtaining nationality", "การได้สัญชาติไม่ถูกต้อง", "Write BIRTH or NATURALISED.",
        "โปรดระบุ โดยการเกิด หรือ แปลงสัญชาติ"),
    "naturalised-date-missing": _M("The date of naturalisation is missing", "ไม่ได้ระบุวันที่ได้สัญชาติ",
        "Fill it in for members who were naturalised.", "โปรดกรอกวันที่ได้สัญชาติของผู้แปลงสัญชาติ"),
    "naturalised-under-five-years": _M("Thai nationality held under five years", "ได้สัญชาติไทยไม่ถึงห้าปี",
        "Check both dates; otherwise the person cannot be a member yet.", "โปรดตรวจวันที่ หากถูกต้องบุคคลนี้ยังสมัครเป็นสมาชิกไม่ได้"),
}  # fmt: skip
DATES: dict[str, Message] = {
    "bad-date": _M("This is not a date", "วันที่ไม่ถูกต้อง", _DATE_EN, _DATE_TH),
    "two-digit-year": _M("The year has only two digits", "ปีมีเพียงสองหลัก", _DATE_EN, _DATE_TH),
    "unknown-date": _M("Day or month is 00, which only a birth date may have", "วันหรือเดือนเป็น 00 ซึ่งใช้ได้เฉพาะวันเกิด",
        "Enter the whole date.", "โปรดกรอกวันที่ให้ครบ"),
    "future-date": _M("The date is in the future", "วันที่อยู่ในอนาคต", "Check day, month and year (BE or CE).",
        "โปรดตรวจวัน เดือน ปี (พ.ศ. หรือ ค.ศ.)"),
    "under-age": _M("Under 18 on application day", "อายุไม่ถึง 18 ปีบริบูรณ์ในวันสมัคร",
        "Check the birth date and the day of application; otherwise the person cannot be a member yet.",
        "โปรดตรวจวันเกิดและวันสมัคร หากถูกต้องบุคคลนี้ยังสมัครเป็นสมาชิกไม่ได้"),
    "approved-before-applied": _M("Approved before applied", "วันที่อนุมัติก่อนวันที่สมัคร", "Check both dates.", "โปรดตรวจวันที่ทั้งสอง"),
    "fee-after-approval": _M("The fee was paid after the approval", "วันที่ชำระค่าบำรุงหลังวันที่อนุมัติ", "Check both dates.",
        "โปรดตรวจวันที่ทั้งสอง"),
}  # fmt: skip
ADDRESS: dict[str, Message] = {
    "no-house-no": _M("House number missing", "ที่อยู่ไม่ครบ (บ้านเลขที่)", "Fill in the house number.", "โปรดกรอกบ้านเลขที่"),
    "house-no-date": _M("Spreadsheet changed the house number to a date", "โปรแกรมตารางแปลงบ้านเลขที่เป็นวันที่",
        "Format the column as text and enter the house number again.", "โปรดกำหนดคอลัมน์เป็นข้อความแล้วกรอกบ้านเลขที่ใหม่"),
    "bad-moo": _M("The village number (moo) is not a number", "หมู่ที่ไม่ใช่ตัวเลข", "Write digits only, such as 3.",
        "โปรดกรอกเป็นตัวเลข เช่น 3"),
    "area-mismatch": _M("Sub-district, district, province do not match", "ตำบล อำเภอ จังหวัดไม่สัมพันธ์กัน",
        "Check the three names against the house registration.", "โปรดตรวจชื่อทั้งสามกับทะเบียนบ้าน"),
    "area-abolished": _M("This sub-district is no longer in use under that name", "ตำบลหรือแขวงนี้ถูกยกเลิกหรือเปลี่ยนไปแล้ว",
        "Write the place that took over from it.", "โปรดใช้ชื่อพื้นที่ปัจจุบัน", "It is now: {detail}.", "ปัจจุบันคือ {detail}"),
    "bad-postcode": _M("The postcode is not five digits", "รหัสไปรษณีย์ไม่ใช่ตัวเลขห้าหลัก", "Write five digits.", "โปรดกรอกตัวเลขห้าหลัก"),
    "postcode-mismatch": _M("Postcode does not fit the district", "รหัสไปรษณีย์ไม่ตรงกับอำเภอ", "Check postcode and district.",
        "โปรดตรวจรหัสไปรษณีย์และอำเภอ"),
    "postcode-of-district": _M("The postcode is of another sub-district of the same district",
        "รหัสไปรษณีย์เป็นของตำบลอื่นในอำเภอเดียวกัน", "The row is taken as it is; check the postcode.",
        "รับรายการนี้แล้ว โปรดตรวจรหัสไปรษณีย์"),
    "bad-phone": _M("Bad phone", "หมายเลขโทรศัพท์ไม่ถูกต้อง", "Write 9 or 10 digits that begin with 0, or leave it blank.",
        "โปรดกรอก 9 หรือ 10 หลักที่ขึ้นต้นด้วย 0 หรือเว้นว่าง"),
    "bad-email": _M("Bad e-mail address", "อีเมลไม่ถูกต้อง", "Correct it, or leave it blank.", "โปรดแก้ไข หรือเว้นว่าง"),
}  # fmt: skip
MEMBERSHIP: dict[str, Message] = {
    "bad-member-kind": _M("Bad member kind", "ประเภทสมาชิกไม่ถูกต้อง", "Write ANNUAL or LIFETIME.", "โปรดระบุ รายปี หรือ ตลอดชีพ"),
    "bad-amount": _M("The amount is not a number of baht", "จำนวนเงินไม่ถูกต้อง", "Write digits only, such as 20 or 2,000.",
        "โปรดกรอกเป็นตัวเลข เช่น 20 หรือ 2,000"),
    "fee-below-minimum": _M("Fee below the legal minimum", "ค่าบำรุงต่ำกว่าที่กฎหมายกำหนด",
        "Check amount, member kind and day of payment.", "โปรดตรวจจำนวนเงิน ประเภทสมาชิก และวันที่ชำระ"),
    "not-declared": _M("Section 24 not certified", "ยังไม่รับรองคุณสมบัติตามมาตรา 24",
        "Write ใช่ (yes) in the column, or submit with --declare for the whole file.",
        "โปรดกรอก ใช่ ในคอลัมน์ หรือรับรองทั้งไฟล์ด้วย --declare ตอนส่ง"),
    "no-consent": _M("No consent evidence", "ไม่มีหลักฐานความยินยอม", "Fill in the reference and the day of the consent.",
        "โปรดกรอกเลขอ้างอิงและวันที่ให้ความยินยอม"),
    "no-end-reason": _M("State the reason", "โปรดระบุเหตุที่พ้นสมาชิกภาพ",
        "Write one of DEATH, RESIGN, EXPIRED, UNQUALIFIED, OTHER_PARTY, EXPELLED, NOT_APPLIED.",
        "โปรดใช้คำใดคำหนึ่ง: ตาย ลาออก ไม่ชำระค่าบำรุง ขาดคุณสมบัติ เป็นสมาชิกพรรคอื่น ถูกขับออก ไม่ได้สมัคร"),
    "bad-end-reason": _M("Unknown reason for the end of membership", "เหตุที่พ้นสมาชิกภาพไม่ถูกต้อง",
        "Write one of DEATH, RESIGN, EXPIRED, UNQUALIFIED, OTHER_PARTY, EXPELLED, NOT_APPLIED.",
        "โปรดใช้คำใดคำหนึ่ง: ตาย ลาออก ไม่ชำระค่าบำรุง ขาดคุณสมบัติ เป็นสมาชิกพรรคอื่น ถูกขับออก ไม่ได้สมัคร"),
}  # fmt: skip
ACROSS_ROWS: dict[str, Message] = {
    "duplicate-person": _M("The same person stands twice in this file with the same operation", "บุคคลเดียวกันซ้ำในไฟล์ด้วยรายการเดียวกัน",
        "Keep one of the rows.", "โปรดคงไว้เพียงแถวเดียว", "Rows: {detail}.", "แถวที่ {detail}"),
    "duplicate-member-no": _M("Duplicate or bad member number: different persons have it in this file",
        "เลขที่สมาชิกซ้ำหรือไม่ถูกต้อง (ใช้กับหลายบุคคลในไฟล์นี้)", "Give each person a number of their own.",
        "โปรดกำหนดเลขที่สมาชิกให้ไม่ซ้ำกัน", "Rows: {detail}.", "แถวที่ {detail}"),
    "joined-record": _M("The same record is already on its way from an earlier file; this row has joined it",
        "รายการเดียวกันกำลังส่งอยู่จากไฟล์ก่อนหน้า จึงใช้ผลร่วมกัน", "Nothing is to be done.", "ไม่ต้องดำเนินการใด"),
    "waits-for-record": _M("An earlier record of the same person is not settled yet; this one is sent after it",
        "รายการก่อนหน้าของบุคคลเดียวกันยังไม่เสร็จ จะส่งรายการนี้ต่อจากนั้น", "Nothing is to be done.", "ไม่ต้องดำเนินการใด"),
}  # fmt: skip
COLUMNS: dict[str, Message] = {
    "forbidden-column": _M("This data is not accepted and not kept", "ระบบไม่รับและไม่เก็บข้อมูลนี้",
        "The column was cut before anything was stored; leave it out next time.", "ตัดคอลัมน์นี้ออกก่อนจัดเก็บแล้ว ครั้งต่อไปโปรดอย่าใส่มา",
        "Columns: {detail}.", "คอลัมน์: {detail}"),
    "missing-column": _M("A column that is needed is missing", "ไม่มีคอลัมน์ที่จำเป็น", "Add the column and submit the file again.",
        "โปรดเพิ่มคอลัมน์แล้วส่งไฟล์ใหม่", "Missing: {detail}.", "คอลัมน์ที่ขาด: {detail}"),
    "duplicate-column": _M("Two columns are the same field", "มีคอลัมน์ซ้ำกัน", "Keep one of them.", "โปรดคงไว้เพียงคอลัมน์เดียว",
        "Columns: {detail}.", "คอลัมน์: {detail}"),
    "unknown-column": _M("The gate does not know this column; it is never sent", "ระบบไม่รู้จักคอลัมน์นี้และจะไม่ส่งข้อมูลนี้",
        "Say so with --ignore and its name, or correct the header.", "โปรดยืนยันด้วย --ignore ตามด้วยชื่อคอลัมน์ หรือแก้หัวคอลัมน์",
        "Columns: {detail}.", "คอลัมน์: {detail}"),
}  # fmt: skip

ALL: dict[str, Message] = CELL | IDENTITY | DATES | ADDRESS | MEMBERSHIP | ACROSS_ROWS | COLUMNS
#: Message and remedy in one text, as (English, Thai).
MESSAGES: dict[str, tuple[str, str]] = {
    c: (f"{m.en}. {m.remedy_en}", f"{m.th} {m.remedy_th}") for c, m in ALL.items()
}


def message(code: str, detail: str | None = None) -> tuple[str, str]:
    """Return a code's text in English and in Thai, remedy last; a code of nobody's is shown as it is."""
    told = ALL.get(code)
    if told is None:
        return (code, code)
    if not detail or not told.detail_en:
        return MESSAGES[code]
    en, th = told.detail_en.format(detail=detail), told.detail_th.format(detail=detail)
    return (f"{told.en}. {en} {told.remedy_en}", f"{told.th} {th} {told.remedy_th}")
