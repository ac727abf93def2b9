"""The fields of a member's record: what they are called in files, and which operation needs them. No check stands here."""

from profiles.profile import Field, Need

ADD, UPDATE, RENEW, RESIGN, TERMINATE = OPERATIONS = ("ADD", "UPDATE", "RENEW", "RESIGN", "TERMINATE")

#: One letter an operation, in their order: R required, O optional, - ignored.
_TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("operation", "OOOOO", ("รายการ", "ประเภทรายการ")),
    ("national_id", "RRRRR", ("เลขประจำตัวประชาชน", "เลขบัตรประชาชน", "เลข 13 หลัก", "เลขบัตรประจำตัวประชาชน")),
    ("member_no", "RRRRR", ("เลขที่สมาชิก", "หมายเลขสมาชิก", "เลขสมาชิก")),
    ("title", "RR-OO", ("คำนำหน้า", "คำนำหน้าชื่อ", "คำนำหน้านาม")),
    ("first_name", "RR-OO", ("ชื่อ", "ชื่อตัว")),
    ("middle_name", "OO-OO", ("ชื่อกลาง",)),
    ("last_name", "RR-OO", ("นามสกุล", "ชื่อสกุล")),
    ("birth_date", "RO---", ("วันเดือนปีเกิด", "วันเกิด", "วัน/เดือน/ปีเกิด", "วันที่เกิด")),
    ("nationality_kind", "RO---", ("สัญชาติ", "การได้สัญชาติ")),
    ("naturalised_date", "OO---", ("วันที่ได้สัญชาติ",)),
    ("house_no", "RR---", ("บ้านเลขที่",)),
    ("moo", "OO---", ("หมู่ที่", "หมู่")),
    ("village", "OO---", ("หมู่บ้าน", "อาคาร", "หมู่บ้าน/อาคาร")),
    ("soi", "OO---", ("ตรอก/ซอย", "ซอย", "ตรอก")),
    ("road", "OO---", ("ถนน",)),
    ("tambon", "RR---", ("ตำบล/แขวง", "ตำบล", "แขวง")),
    ("amphoe", "RR---", ("อำเภอ/เขต", "อำเภอ", "เขต")),
    ("province", "RR---", ("จังหวัด",)),
    ("postcode", "RR---", ("รหัสไปรษณีย์",)),
    ("phone", "OO---", ("โทรศัพท์", "เบอร์โทร", "เบอร์โทรศัพท์", "หมายเลขโทรศัพท์")),
    ("email", "OO---", ("อีเมล", "อีเมล์")),
    ("member_kind", "ROR--", ("ประเภทสมาชิก",)),
    ("applied_date", "RO---", ("วันที่สมัคร",)),
    ("approved_date", "RO---", ("วันที่อนุมัติ",)),
    ("fee_amount", "R-R--", ("ค่าบำรุง", "จำนวนเงิน", "ค่าบำรุงพรรค")),
    ("fee_date", "R-R--", ("วันที่ชำระ", "วันที่ชำระค่าบำรุง")),
    ("receipt_no", "R-R--", ("เลขที่ใบเสร็จ", "เลขที่ใบเสร็จรับเงิน")),
    ("branch_code", "OO---", ("สาขาพรรค", "ตัวแทนพรรคประจำจังหวัด", "สาขา")),
    ("qualification_declared", "R----", ("รับรองคุณสมบัติ",)),
    ("consent_ref", "R----", ("เลขอ้างอิงความยินยอม",)),
    ("consent_at", "R----", ("วันที่ให้ความยินยอม",)),
    ("end_date", "---RR", ("วันที่พ้น", "วันที่พ้นสมาชิกภาพ")),
    ("end_reason", "---RR", ("เหตุที่พ้น", "เหตุที่พ้นสมาชิกภาพ")),
    ("row_no", "-----", ("ลำดับ", "ลำดับที่")),
)
_NEEDS = {"R": Need.REQUIRED, "O": Need.OPTIONAL}

FIELDS: dict[str, Field] = {
    name: Field(
        name,
        headers,
        {op: _NEEDS[n] for op, n in zip(OPERATIONS, needs, strict=True) if n in _NEEDS},
        is_date=name.endswith(("_date", "_at")),
    )
    for name, needs, headers in _TABLE
}
#: Other English headers that people write.
ENGLISH: dict[str, str] = {
    "id": "national_id", "citizen id": "national_id", "member number": "member_no", "surname": "last_name", "prefix": "title",
    "naturalized date": "naturalised_date", "zip code": "postcode", "postal code": "postcode", "branch": "branch_code",
    "subdistrict": "tambon", "sub-district": "tambon", "district": "amphoe", "receipt number": "receipt_no", "no": "row_no",
    "telephone": "phone", "e-mail": "email",
}  # fmt: skip


def required(operation: str) -> tuple[str, ...]:
    """Return the fields without which a record of this operation cannot be taken."""
    return tuple(f.name for f in FIELDS.values() if f.needs.get(operation) is Need.REQUIRED)


def heeded(operation: str) -> tuple[str, ...]:
    """Return the fields that this operation reads at all."""
    return tuple(f.name for f in FIELDS.values() if operation in f.needs)
