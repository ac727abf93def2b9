"""Reads dates as people write them in Thailand, into numbers like 19850200 (CE, 00 where unknown). Compares none with another.

Problems are words of `messages`: bad-date, two-digit-year, unknown-date. A year of 2400 or more is Buddhist era.
"""

import polars as pl

from profiles.party_members.uniques import read_once

MONTHS: tuple[tuple[str, ...], ...] = (
    ("มกราคม", "ม.ค."), ("กุมภาพันธ์", "ก.พ."), ("มีนาคม", "มี.ค."), ("เมษายน", "เม.ย."), ("พฤษภาคม", "พ.ค."), ("มิถุนายน", "มิ.ย."),
    ("กรกฎาคม", "ก.ค."), ("สิงหาคม", "ส.ค."), ("กันยายน", "ก.ย."), ("ตุลาคม", "ต.ค."), ("พฤศจิกายน", "พ.ย."), ("ธันวาคม", "ธ.ค."),
)  # fmt: skip
_MONTH_OF = {word.replace(".", ""): n for n, words in enumerate(MONTHS, 1) for word in words}
BUDDHIST_FROM, BUDDHIST_AHEAD, OLDEST_YEAR = 2400, 543, 1900
#: Excel's day 1 is 1900-01-01, and it believes in 29 Feb 1900: from day 61 on, days count from 1899-12-30.
_EXCEL_ZERO = -25569
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
_DMY = rf"^(?:(\d{{1,2}})\s*/\s*(\d{{1,2}})\s*/\s*|(\d{{1,2}})-(\d{{1,2}})-|(\d{{1,2}})\.(\d{{1,2}})\.)(\d{{4}}){_TIME}$"
_YMD = rf"^(\d{{4}})-(\d{{2}})-(\d{{2}}){_TIME}$|^(\d{{4}})(\d{{2}})(\d{{2}})$"
_WORDS = r"^(?:วันที่ ?)?(\d{1,2})[ \-/]*([ก-๎][ก-๎. ]*?)[ \-/]*(?:พ\.? ?ศ\.? ?)?(\d{4})$"
_SERIAL = r"^([1-9]\d{4,5})(?:\.\d+)?$"
_SHORT_YEAR = r"^\d{1,2}[ /.\-]+(?:\d{1,2}|[ก-๎][ก-๎. ]*)[ /.\-]*\d{2}$"


def read_dates(column: pl.Series, unknown_parts: bool = False) -> pl.DataFrame:
    """Return `ymd` (Int32, null where unread), `iso` (as the wire has it: `1985-02-00`) and `problem` (null where there is none).

    The column is in plain form. `unknown_parts`: day or month may be 00, as a birth date's may.
    """
    return read_once(column, lambda texts: _reading(texts, unknown_parts))


def latest(ymd: pl.Expr) -> pl.Expr:
    """Return the latest day that a date with unknown parts can be: 19850200 → 19850228, 19850000 → 19851231."""
    year, month, day = ymd // 10000, ymd // 100 % 100, ymd % 100
    month = pl.when(month == 0).then(12).otherwise(month)
    return year * 10000 + month * 100 + pl.when(day == 0).then(_days_in(year, month)).otherwise(day)


def _written(ymd: pl.Expr) -> pl.Expr:
    """Return a date's text on the wire."""
    text = ymd.cast(pl.String)
    dash = pl.lit("-")
    return pl.concat_str(text.str.slice(0, 4), dash, text.str.slice(4, 2), dash, text.str.slice(6, 2))


def _reading(texts: pl.Series, unknown_parts: bool) -> pl.DataFrame:
    """Return the reading of each text, step by step, so that no pattern is matched twice."""
    text, year, month, day = pl.col("text"), pl.col("year"), pl.col("month"), pl.col("day")
    rows = _with_parts(texts.alias("text").to_frame())
    longest = pl.when(month == 0).then(31).otherwise(_days_in(year, month))
    rows = rows.with_columns(
        real=(year >= OLDEST_YEAR) & month.is_between(0, 12) & day.is_between(0, longest)
    )
    partly = pl.col("real") & ((month == 0) | (day == 0))
    rows = rows.with_columns(partly=partly.fill_null(False))
    rows = rows.with_columns(
        read=(pl.col("real") & (pl.lit(unknown_parts) | ~pl.col("partly"))).fill_null(False)
    )
    rows = rows.with_columns(ymd=pl.when("read").then(year * 10000 + month * 100 + day).cast(pl.Int32))
    return rows.select(
        "ymd",
        _written(pl.col("ymd")).alias("iso"),
        pl.when(text.is_null() | pl.col("read"))
        .then(None)
        .when("partly")
        .then(pl.lit("unknown-date"))
        .when(text.str.contains(_SHORT_YEAR))
        .then(pl.lit("two-digit-year"))
        .otherwise(pl.lit("bad-date"))
        .alias("problem"),
    )


def _with_parts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the texts with year (CE), month and day, null where no form fits."""
    text = pl.col("text")
    rows = rows.select(
        "text",
        text.str.extract_groups(_DMY).struct.rename_fields([f"d{n}" for n in range(1, 8)]).alias("dmy"),
        text.str.extract_groups(_YMD).struct.rename_fields([f"y{n}" for n in range(1, 7)]).alias("ymd"),
        text.str.extract_groups(_WORDS).struct.rename_fields([f"w{n}" for n in range(1, 4)]).alias("words"),
        (text.str.extract(_SERIAL).cast(pl.Int32, strict=False) + _EXCEL_ZERO).cast(pl.Date).alias("serial"),
    ).unnest("dmy", "ymd", "words")
    word = pl.col("w2").str.replace_all("[. ]", "")
    month = word.replace_strict(_MONTH_OF, default=None, return_dtype=pl.Int32)
    serial = pl.col("serial").dt
    rows = rows.select(
        "text",
        year=_first("d7", "y1", "y4", "w3", serial.year()),
        month=_first("d2", "d4", "d6", "y2", "y5", month, serial.month()),
        day=_first("d1", "d3", "d5", "y3", "y6", "w1", serial.day()),
    )
    year = pl.col("year")
    return rows.with_columns(year=pl.when(year >= BUDDHIST_FROM).then(year - BUDDHIST_AHEAD).otherwise(year))


def _first(*parts: str | pl.Expr) -> pl.Expr:
    """Return the first part that is there, as a number."""
    columns = (pl.col(p) if isinstance(p, str) else p for p in parts)
    return pl.coalesce(c.cast(pl.Int32, strict=False) for c in columns)


def _days_in(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """Return the number of days of a month (1–12)."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    short = month.is_in([4, 6, 9, 11])
    return pl.when(month == 2).then(pl.when(leap).then(29).otherwise(28)).when(short).then(30).otherwise(31)
