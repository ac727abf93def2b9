"""Reads the cells that may hold one of a few words, Thai or English, as the codes that go on the wire."""

from collections.abc import Mapping
from functools import cache

import polars as pl

from profiles.party_members.uniques import read_once
from profiles.party_members.wording import plain

OPERATION: Mapping[str, str] = {
    "ADD": "ADD", "เพิ่ม": "ADD", "เพิ่มสมาชิก": "ADD", "UPDATE": "UPDATE", "แก้ไข": "UPDATE", "RESIGN": "RESIGN", "ลาออก": "RESIGN",
    "TERMINATE": "TERMINATE", "พ้นสมาชิกภาพ": "TERMINATE", "RENEW": "RENEW", "ต่ออายุ": "RENEW",
}  # fmt: skip
NATIONALITY: Mapping[str, str] = {
    "BIRTH": "BIRTH", "ไทย": "BIRTH", "โดยการเกิด": "BIRTH", "ไทยโดยการเกิด": "BIRTH",
    "NATURALISED": "NATURALISED", "NATURALIZED": "NATURALISED", "แปลงสัญชาติ": "NATURALISED", "โดยการแปลงสัญชาติ": "NATURALISED",
}  # fmt: skip
MEMBER_KIND: Mapping[str, str] = {
    "ANNUAL": "ANNUAL", "รายปี": "ANNUAL", "LIFETIME": "LIFETIME", "ตลอดชีพ": "LIFETIME",
}  # fmt: skip
END_REASON: Mapping[str, str] = {
    "DEATH": "DEATH", "ตาย": "DEATH", "เสียชีวิต": "DEATH", "ถึงแก่ความตาย": "DEATH", "RESIGN": "RESIGN", "ลาออก": "RESIGN",
    "EXPIRED": "EXPIRED", "ไม่ชำระค่าบำรุง": "EXPIRED", "UNQUALIFIED": "UNQUALIFIED", "ขาดคุณสมบัติ": "UNQUALIFIED",
    "OTHER_PARTY": "OTHER_PARTY", "เป็นสมาชิกพรรคอื่น": "OTHER_PARTY", "EXPELLED": "EXPELLED", "ถูกขับออก": "EXPELLED",
    "ขับออก": "EXPELLED", "ให้ออก": "EXPELLED", "NOT_APPLIED": "NOT_APPLIED", "ไม่ได้สมัคร": "NOT_APPLIED",
}  # fmt: skip
YES_NO: Mapping[str, str] = {
    "ใช่": "YES", "Y": "YES", "YES": "YES", "TRUE": "YES", "1": "YES", "รับรอง": "YES", "รับรองแล้ว": "YES",
    "ไม่": "NO", "ไม่ใช่": "NO", "N": "NO", "NO": "NO", "FALSE": "NO", "0": "NO", "ไม่รับรอง": "NO",
}  # fmt: skip


def read_words(column: pl.Series, words: Mapping[str, str]) -> pl.Series:
    """Return a column's codes, null for any other word and for none; case, spaces and dashes (for `_`) do not matter."""
    keys, codes = _table(tuple(words.items()))

    def reading(texts: pl.Series) -> pl.DataFrame:
        key = texts.str.to_uppercase().str.replace_all(r"[\s_\-]", "")
        return key.replace_strict(keys, codes, default=None, return_dtype=pl.String).alias("code").to_frame()

    return read_once(column, reading)["code"].alias(column.name)


@cache
def _table(words: tuple[tuple[str, str], ...]) -> tuple[pl.Series, pl.Series]:
    """Return the words as they are compared, and their codes."""
    known = {_key(word): code for word, code in words}
    return pl.Series(list(known)), pl.Series(list(known.values()))


def _key(word: str) -> str:
    """Return a word as it is compared."""
    return plain(word).upper().replace(" ", "").replace("_", "").replace("-", "")
