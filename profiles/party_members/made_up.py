"""Makes up members for the demo, the tests and the benchmarks: real places, IDs of nobody (first digit 0 or 9), wrong on demand.

The same `rows`, `seed` and `start` make the same members. Whole columns; nothing here is used when real files are taken in.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache

import geothai
import polars as pl

from profiles.party_members import made_up_words as words
from profiles.party_members.dates import BUDDHIST_AHEAD, MONTHS
from profiles.party_members.fields import ADD, FIELDS
from profiles.party_members.ids import check_digit
from profiles.party_members.made_up_faults import spoil

OLDEST, YOUNGEST = date(1942, 1, 1), date(2004, 12, 31)
FIRST_DAY, LAST_DAY, LONGEST_WAIT = date(2023, 2, 1), date(2024, 12, 1), 20
#: A bijection on 11 digits: files of other seeds (below 10,000) have other people, as long as none has 10 million rows.
_SCATTER, _PEOPLE = 7_368_787, 10_000_000


def made_up_members(
    rows: int, seed: int, *, start: int = 0, faults: Mapping[str, float] | None = None
) -> pl.DataFrame:
    """Return an ADD file of `rows` members under the Thai headers of the template, all text.

    `faults` is kind → share of the rows (kinds: `made_up_faults.KINDS`); a row has at most one kind. `start` numbers the first
    member, so that a party's second file goes on where the first ended.
    """
    frame = _members(rows, seed, start)
    if faults:
        frame = spoil(frame, seed, start, faults)
    return frame.select(pl.col(f).alias(FIELDS[f].headers[0]) for f in frame.columns)


def made_up_endings(rows: int, seed: int, *, start: int = 0, operation: str = "RESIGN") -> pl.DataFrame:
    """Return a file that ends the membership of the same people as `made_up_members(rows, seed, start=start)`."""
    kept = _members(rows, seed, start).select("national_id", "member_no")
    ended = kept.with_columns(
        operation=pl.lit(operation),
        end_date=pl.lit("1/7/2568"),
        end_reason=pl.lit("ลาออก" if operation == "RESIGN" else "ไม่ชำระค่าบำรุง"),
    )
    return ended.select(pl.col(f).alias(FIELDS[f].headers[0]) for f in FIELDS if f in ended.columns)


def _members(rows: int, seed: int, start: int) -> pl.DataFrame:
    """Return members with fields' names as columns."""
    base = pl.select(n=pl.int_range(start, start + rows, dtype=pl.Int64))
    man = _dice(seed, 1, 2) == 0
    applied = _dice(seed, 2, (LAST_DAY - FIRST_DAY).days)
    approved = applied + _dice(seed, 3, LONGEST_WAIT)
    place = _pick_rows(base, _dice(seed, 4, _places().height), _places())
    lifetime = _dice(seed, 5, 10) == 0
    number = (pl.col("n") + 1).cast(pl.String).str.zfill(7)
    twelve = (pl.lit(9 if seed % 2 else 0, dtype=pl.Int64) * 10**11) + _person(seed)
    people = base.select(
        operation=pl.lit("เพิ่ม"),
        national_id=(twelve * 10 + check_digit(twelve)).cast(pl.String).str.zfill(13),
        member_no=pl.concat_str(pl.lit("M"), number),
        title=pl.when(man)
        .then(pl.lit("นาย"))
        .when(_dice(seed, 6, 3) == 0)
        .then(pl.lit("นาง"))
        .otherwise(pl.lit("นางสาว")),
        first_name=pl.when(man).then(_pick(seed, 7, words.MEN)).otherwise(_pick(seed, 7, words.WOMEN)),
        last_name=pl.concat_str(_pick(seed, 8, words.SURNAME_BEGINS), _pick(seed, 9, words.SURNAME_ENDS)),
        birth_date=_day(_dice(seed, 10, (YOUNGEST - OLDEST).days), OLDEST, YOUNGEST, _dice(seed, 11, 3)),
        nationality_kind=pl.when(_dice(seed, 12, 100) == 0)
        .then(pl.lit("แปลงสัญชาติ"))
        .otherwise(pl.lit("ไทย")),
        naturalised_date=pl.when(_dice(seed, 12, 100) == 0).then(pl.lit("5/12/2550")),
        house_no=pl.concat_str(_dice(seed, 13, 999) + 1, pl.lit("/"), _dice(seed, 14, 99) + 1),
        moo=pl.when(_dice(seed, 15, 10) < 6).then((_dice(seed, 16, 15) + 1).cast(pl.String)),
        soi=pl.when(_dice(seed, 17, 4) == 0).then(pl.concat_str(pl.lit("ซอย "), _dice(seed, 18, 80) + 1)),
        road=pl.when(_dice(seed, 19, 3) == 0).then(_pick(seed, 20, words.ROADS)),
        phone=pl.concat_str(pl.lit("0200"), (_dice(seed, 21, 90_000) + 10_000).cast(pl.String)),
        member_kind=pl.when(lifetime).then(pl.lit("ตลอดชีพ")).otherwise(pl.lit("รายปี")),
        applied_date=_day(applied, FIRST_DAY, LAST_DAY),
        approved_date=_day(approved, FIRST_DAY, LAST_DAY),
        fee_amount=pl.when(lifetime).then(pl.lit("200")).otherwise(pl.lit("20")),
        fee_date=_day(applied, FIRST_DAY, LAST_DAY),
        receipt_no=pl.concat_str(pl.lit("R"), number),
        qualification_declared=pl.lit("ใช่"),
        consent_ref=pl.concat_str(pl.lit("C"), number),
        consent_at=_day(applied, FIRST_DAY, LAST_DAY),
    )
    whole = people.hstack(place)
    return whole.select(f for f in FIELDS if f in whole.columns and ADD in FIELDS[f].needs)


def _person(seed: int) -> pl.Expr:
    """Return eleven digits, different for every seed and member."""
    return (pl.lit(seed % 10_000, dtype=pl.Int64) * _PEOPLE + pl.col("n")) * _SCATTER % 10**11


def _dice(seed: int, throw: int, faces: int) -> pl.Expr:
    """Return numbers from 0 to `faces` − 1, the same for the same seed, throw and member."""
    return (pl.col("n").hash(seed * 1000 + throw) % faces).cast(pl.Int64)


def _pick(seed: int, throw: int, choices: tuple[str, ...]) -> pl.Expr:
    """Return one of the words by dice."""
    return pl.lit(pl.Series(choices)).gather(_dice(seed, throw, len(choices)))


def _pick_rows(base: pl.DataFrame, dice: pl.Expr, table: pl.DataFrame) -> pl.DataFrame:
    """Return rows of a table by dice."""
    return table[base.select(dice).to_series()]


def _day(offset: pl.Expr, first: date, last: date, form: pl.Expr | None = None) -> pl.Expr:
    """Return a day as text: 15/2/2528, or by `form` 15 ก.พ. 2528 and 1985-02-15 too."""
    texts = _day_texts(first, last)
    return pl.lit(texts).gather(offset * 3 + (pl.lit(0) if form is None else form))


@cache
def _day_texts(first: date, last: date) -> pl.Series:
    """Return each day in three forms, one after another."""
    days = map(date.fromordinal, range(first.toordinal(), last.toordinal() + LONGEST_WAIT + 1))
    texts = [
        form
        for d in days
        for form in (
            f"{d.day}/{d.month}/{d.year + BUDDHIST_AHEAD}",
            f"{d.day} {MONTHS[d.month - 1][1]} {d.year + BUDDHIST_AHEAD}",
            d.isoformat(),
        )
    ]
    return pl.Series(texts)


@cache
def _places() -> pl.DataFrame:
    """Return every sub-district as people write it, with and without the prefixes."""
    rows: list[tuple[str, str, str, str]] = []
    for province in geothai.provinces():
        capital = province.code == "10"
        for district in geothai.districts(province.code):
            name = district.name_th.removeprefix("เขต")
            for tambon in geothai.subdistricts(district.code):
                code = tambon.postal_codes[0]
                long, short = (
                    (("แขวง", "เขต", ""), ("แขวง", "เขต", ""))
                    if capital
                    else (("ตำบล", "อำเภอ", "จังหวัด"), ("ต.", "อ.", "จ."))
                )
                rows.append((tambon.name_th, name, province.name_th, code))
                rows += [
                    (f"{t}{tambon.name_th}", f"{a}{name}", f"{p}{province.name_th}", code)
                    for t, a, p in (long, short)
                ]
    return pl.DataFrame(rows, schema=["tambon", "amphoe", "province", "postcode"], orient="row")
