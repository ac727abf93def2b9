"""What people are told."""

import re

from profiles.party_members import messages, rules
from profiles.party_members.fields import OPERATIONS
from profiles.party_members.made_up import made_up_members
from profiles.party_members.made_up_faults import KINDS, every_kind
from tests.profiles.party_members.sample import MEMBERS, check_rows

THAI = re.compile("[ก-๎]")


def test_every_message_says_what_is_wrong_and_what_to_do_in_both_languages() -> None:
    """No part of any message is blank; Thai is Thai and English has no Thai in it."""
    for code, told in messages.ALL.items():
        for text in (told.en, told.remedy_en):
            assert (code, bool(text), THAI.search(text.replace("ใช่", ""))) == (code, True, None)
        for text in (told.th, told.remedy_th):
            assert (code, bool(THAI.search(text))) == (code, True)
        assert code == code.lower()
        assert bool(told.detail_en) == bool(told.detail_th)


def test_every_code_that_a_rule_can_give_has_its_message() -> None:
    """No rule of any operation names a code that nobody wrote a message for."""
    codes = {
        r.code
        for op in OPERATIONS
        for r in rules.rules_of(op, 20260101, declared=False)
        if isinstance(r, rules.Rule)
    }
    codes |= {r.code for r in rules.identity() if isinstance(r, rules.Rule)} | {
        code for k in KINDS.values() for code, _ in k.faults
    }
    codes |= {
        "bad-date",
        "two-digit-year",
        "unknown-date",
        "area-mismatch",
        "area-abolished",
        "bad-postcode",
        "postcode-mismatch",
    }
    codes |= {
        "postcode-of-district",
        "bidi-control",
        "control-character",
        "no-operation",
        "unknown-operation",
    }
    codes |= {"id-spreadsheet", "id-format", "id-first-digit", "id-check-digit"}
    assert codes - set(MEMBERS.messages) == set()


def test_the_designs_own_sentences_are_used() -> None:
    """The Thai messages of the domain's page stand in the messages."""
    for code, th in {
        "unknown-operation": "รายการไม่ถูกต้อง",
        "id-format": "เลขประจำตัวประชาชนไม่ถูกต้อง (ต้องมี 13 หลักและผ่านการตรวจสอบ)",
        "id-spreadsheet": "โปรแกรมตารางแปลงเลขบัตรเป็นตัวเลข",
        "under-age": "อายุไม่ถึง 18 ปีบริบูรณ์ในวันสมัคร",
        "area-mismatch": "ตำบล อำเภอ จังหวัดไม่สัมพันธ์กัน",
        "postcode-mismatch": "รหัสไปรษณีย์ไม่ตรงกับอำเภอ",
        "fee-below-minimum": "ค่าบำรุงต่ำกว่าที่กฎหมายกำหนด",
        "not-declared": "ยังไม่รับรองคุณสมบัติตามมาตรา 24",
        "no-consent": "ไม่มีหลักฐานความยินยอม",
        "no-end-reason": "โปรดระบุเหตุที่พ้นสมาชิกภาพ",
        "forbidden-column": "ระบบไม่รับและไม่เก็บข้อมูลนี้",
    }.items():
        assert th in MEMBERS.messages[code][1]


def test_a_detail_is_put_into_the_message_that_has_room_for_it() -> None:
    """Row numbers and successors' names stand in the text; where there is no detail, no empty sentence stands."""
    en, th = MEMBERS.message("duplicate-person", "12, 57")
    assert "Rows: 12, 57." in en
    assert "แถวที่ 12, 57" in th
    assert MEMBERS.message("duplicate-person") == MEMBERS.messages["duplicate-person"]
    assert MEMBERS.message("bad-date", "x") == MEMBERS.messages["bad-date"]
    assert "{" not in "".join(a + b for a, b in MEMBERS.messages.values())


def test_no_message_of_a_bad_row_holds_what_stands_in_its_cells() -> None:
    """Names, numbers and dates of a file never come back in a message."""
    frame = made_up_members(3000, 7, faults=every_kind(0.5))
    match = MEMBERS.match_header(frame.columns)
    rows = frame.rename({column: name for name, column in match.matched.items()})
    personal = {
        "national_id",
        "first_name",
        "last_name",
        "birth_date",
        "house_no",
        "phone",
        "member_no",
        "receipt_no",
    }
    faults = check_rows(*rows.iter_rows(named=True)).faults
    texts = {
        " ".join(MEMBERS.message(code, detail))
        for code, detail in faults.select("code", "detail").unique().iter_rows()
    }
    values = {value for name in personal for value in rows[name].unique() if value and len(value) > 3}
    assert faults.height > 1000
    assert [v for v in values if any(v in text for text in texts)] == []
