"""Reads dates as people write them in Thailand, into numbers like 19850200 (CE, 00 where unknown). Compares none with another.

Problems are words of `messages`: bad-date, two-digit-year, unknown-date. A year of 2400 or more is Buddhist era.
"""

from collections.abc import Collection, Sequence

import polars as pl

MONTHS: tuple[tuple[str, ...], ...] = (
    ("มกราคม", "ม.ค."), ("กุมภาพันธ์", "ก.พ."), ("มีนาคม", "มี.ค."), ("เมษายน", "เม.ย."), ("พฤษภาคม", "พ.ค."), ("มิถุนายน", "มิ.ย."),
    ("กรกฎาคม", "ก.ค."), ("สิงหาคม", "ส.ค."), ("กันยายน", "ก.ย."), ("ตุลาคม", "ต.ค."), ("พฤศจิกายน", "พ.ย."), ("ธันวาคม", "ธ.ค."),
)  # fmt: skip
_MONTH_OF = {word.replace(".", ""): n for n, words in enumerate(MONTHS, 1) for word in words}
BUDDHIST_FROM, BUDDHIST_AHEAD, OLDEST_YEAR = 2400, 543, 1900
#: texts that are remembered have no more bytes
LONGEST_KEPT = 64
#: Excel's day 1 is 1900-01-01, and it believes in 29 Feb 1900: from day 61 on, days count from 1899-12-30.
_EXCEL_ZERO = -25569
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
_DAY_FIRST = rf"^\d{{1,2}}(?: ?/ ?\d{{1,2}} ?/ ?|-\d{{1,2}}-|\.\d{{1,2}}\.)\d{{4}}{_TIME}$"
_YEAR_FIRST = rf"^\d{{4}}-\d{{2}}-\d{{2}}{_TIME}$|^\d{{8}}$"
_MONTH_WORD = r"^(?:วันที่ ?)?\d{1,2}[ \-/]*[ก-ฮเ][ก-๎. ]*[ \-/]*\d{4}$"
_SERIAL = r"^[1-9]\d{4,5}(?:\.\d+)?$"
_PART_NAMES = ("year", "month", "day")
#: How a text of each form comes apart, into year, month and day by the names of the groups.
_PARTS: tuple[tuple[str, str], ...] = (
    (_DAY_FIRST, r"^(?<day>\d{1,2})[^\d]+(?<month>\d{1,2})[^\d]+(?<year>\d{4})"),
    (_YEAR_FIRST, r"^(?<year>\d{4})-?(?<month>\d{2})-?(?<day>\d{2})"),
    (
        _MONTH_WORD,
        r"^\D*(?<day>\d{1,2})[ \-/]*(?<month>[ก-ฮเ][ก-๎. ]*?)[ \-/]*(?:พ\.? ?ศ\.? ?)?(?<year>\d{4})$",
    ),
)
_SHORT_YEAR = r"^\d{1,2}[ /.\-]+(?:\d{1,2}|[ก-๎][ก-๎. ]*)[ /.\-]*\d{2}$"


def read_dates(columns: Sequence[pl.Series], unknown_parts: Collection[str] = ()) -> list[pl.Series]:
    """Return, for each column in plain form, `<name>_ymd` (Int32, null where unread), `_iso` (as on the wire) and `_problem`.

    `unknown_parts` names the columns in which day or month may be 00, as in a birth date. Every text is read once for all columns.
    """
    texts = pl.concat([column.alias("text") for column in columns]).unique()
    table = _readings.of(texts)
    whole = table.with_columns(
        ymd=pl.when(~pl.col("partly")).then("ymd"), problem=pl.coalesce("partly_problem", "problem")
    )
    read: list[pl.Series] = []
    for column in columns:
        known = (table if column.name in unknown_parts else whole).select("text", "ymd", "iso", "problem")
        rows = (
            column.alias("text")
            .to_frame()
            .join(known, on="text", how="left", nulls_equal=True, maintain_order="left")
        )
        read += [rows[part].alias(f"{column.name}_{part}") for part in ("ymd", "iso", "problem")]
    return read


class _Readings:
    """What texts of dates mean, remembered from one batch of rows to the next: the same days stand in all of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known = _reading(pl.Series("text", [], dtype=pl.String))

    def of(self, texts: pl.Series) -> pl.DataFrame:
        """Return the readings of different texts, in any order, with `text` beside them."""
        wanted = texts.to_frame()
        known = self._known.join(wanted, on="text", how="semi")
        fresh = _reading(wanted.join(known, on="text", how="anti")["text"])
        # what is no date, or is strangely long, is read again each time: memory must not follow what people write
        short = fresh.filter(pl.col("ymd").is_not_null() & (pl.col("text").str.len_bytes() <= LONGEST_KEPT))
        if self._known.height + short.height > self._most:
            self._known = self._known.clear()
        self._known = pl.concat([self._known, short])
        return pl.concat([known, fresh])


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


def _reading(texts: pl.Series) -> pl.DataFrame:
    """Return the reading of each text, step by step, so that no pattern is matched twice."""
    year, month, day = pl.col("year"), pl.col("month"), pl.col("day")
    rows = _with_parts(texts.to_frame())
    longest = pl.when(month == 0).then(31).otherwise(_days_in(year, month))
    real = (year >= OLDEST_YEAR) & month.is_between(0, 12) & day.is_between(0, longest)
    rows = rows.with_columns(real=real.fill_null(False))
    rows = rows.with_columns(
        partly=pl.col("real") & ((month == 0) | (day == 0)),
        ymd=pl.when("real").then(year * 10000 + month * 100 + day).cast(pl.Int32),
    )
    short_year = pl.col("text").str.contains(_SHORT_YEAR)
    problem = pl.when(short_year).then(pl.lit("two-digit-year")).otherwise(pl.lit("bad-date"))
    return rows.select(
        "text",
        "partly",
        "ymd",
        iso=_written(pl.col("ymd")),
        problem=pl.when(pl.col("text").is_not_null() & ~pl.col("real")).then(problem),
        partly_problem=pl.when("partly").then(pl.lit("unknown-date")),
    )


def _with_parts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the texts with year (CE), month and day, null where no form fits; each text is taken apart by its own form only."""
    rest = rows.with_row_index("row")
    read = []
    for form, parts in _PARTS:
        fits = rest["text"].str.contains(form).fill_null(False)
        if fits.any():
            apart = pl.col("text").str.extract_groups(parts).struct
            read.append(
                rest.filter(fits).select(
                    "row", "text", *(_number(apart.field(p)).alias(p) for p in _PART_NAMES)
                )
            )
            rest = rest.filter(~fits)
    serial = pl.when(pl.col("text").str.contains(_SERIAL)).then(pl.col("text").str.extract(r"^(\d+)"))
    day = (serial.cast(pl.Int32) + _EXCEL_ZERO).cast(pl.Date).dt
    read.append(
        rest.select(
            "row", "text", year=day.year(), month=day.month().cast(pl.Int32), day=day.day().cast(pl.Int32)
        )
    )
    year = pl.col("year")
    whole = pl.concat(read) if len(read) > 1 else read[0]
    return whole.sort("row").with_columns(
        year=pl.when(year >= BUDDHIST_FROM).then(year - BUDDHIST_AHEAD).otherwise(year)
    )


def _number(part: pl.Expr) -> pl.Expr:
    """Return a part of a date as a number: digits, or a month's name; null for a word that is none."""
    word = part.str.replace_all("[. ]", "").replace_strict(_MONTH_OF, default=None, return_dtype=pl.Int32)
    return pl.coalesce(part.cast(pl.Int32, strict=False), word)


def _days_in(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """Return the number of days of a month (1–12)."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    short = month.is_in([4, 6, 9, 11])
    return pl.when(month == 2).then(pl.when(leap).then(29).otherwise(28)).when(short).then(30).otherwise(31)


#: so many texts are remembered: every day of two centuries in several spellings
_readings = _Readings(200_000)
