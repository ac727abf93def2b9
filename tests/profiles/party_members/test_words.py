"""Cells that may hold one of a few words."""

import polars as pl
import pytest

from profiles.party_members.words import END_REASON, MEMBER_KIND, NATIONALITY, OPERATION, YES_NO, read_words

CASES = [
    (OPERATION, "ADD", ("ADD", "add", "เพิ่ม")),
    (OPERATION, "UPDATE", ("Update", "แก้ไข")),
    (OPERATION, "RENEW", ("RENEW", "ต่ออายุ")),
    (OPERATION, "RESIGN", ("RESIGN", "ลาออก")),
    (OPERATION, "TERMINATE", ("TERMINATE", "พ้นสมาชิกภาพ")),
    (NATIONALITY, "BIRTH", ("ไทย", "โดยการเกิด", "BIRTH", "birth")),
    (NATIONALITY, "NATURALISED", ("แปลงสัญชาติ", "NATURALISED")),
    (MEMBER_KIND, "ANNUAL", ("รายปี", "ANNUAL")),
    (MEMBER_KIND, "LIFETIME", ("ตลอดชีพ", "LIFETIME")),
    (END_REASON, "DEATH", ("ตาย", "DEATH")),
    (END_REASON, "RESIGN", ("ลาออก",)),
    (END_REASON, "EXPIRED", ("ไม่ชำระค่าบำรุง",)),
    (END_REASON, "UNQUALIFIED", ("ขาดคุณสมบัติ",)),
    (END_REASON, "OTHER_PARTY", ("OTHER_PARTY", "other party")),
    (END_REASON, "EXPELLED", ("EXPELLED",)),
    (END_REASON, "NOT_APPLIED", ("ไม่ได้สมัคร", "not-applied")),
    (YES_NO, "YES", ("ใช่", "Y", "y", "Yes", "TRUE", "1")),
    (YES_NO, "NO", ("ไม่", "N", "no", "0")),
]


@pytest.mark.parametrize(("words", "code", "texts"), CASES)
def test_thai_and_english_words_mean_the_same_code(
    words: dict[str, str], code: str, texts: tuple[str, ...]
) -> None:
    """Each word, of either language and any case, is read as its code."""
    assert set(read_words(pl.Series("x", texts), words)) == {code}


def test_other_words_and_blanks_have_no_code() -> None:
    """A word of nobody's list is not guessed at."""
    read = read_words(pl.Series("x", ["เพิ่มๆ", None, "ADDING"]), OPERATION)
    assert read.to_list() == [None, None, None]
