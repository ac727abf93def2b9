"""Dates as people write them."""

import calendar
import re
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.party_members.dates import MONTHS, latest, read_dates


def reading(text: str | None, unknown_parts: bool = False) -> tuple[int | None, str | None, str | None]:
    """What one text is read as: number, text on the wire, problem."""
    ymd, iso, problem = read_dates([pl.Series("d", [text], dtype=pl.String)], ["d"] if unknown_parts else [])
    return ymd[0], iso[0], problem[0]


@pytest.mark.parametrize(
    "text",
    [
        "15/2/2528", "15/02/2528", "15-2-2528", "15.2.2528", "15/2/1985", "2528-02-15", "1985-02-15", "25280215", "19850215",
        "15 ก.พ. 2528", "15 กพ 2528", "15 กุมภาพันธ์ 2528", "15 กุมภาพันธ์ พ.ศ. 2528", "วันที่ 15 กุมภาพันธ์ 2528", "15-ก.พ.-2528",
        "31093", "31093.0", "1985-02-15 00:00:00", "1985-02-15T08:30:00+07:00", "15/2/2528 08:30", "15 / 2 / 2528",
    ],
)  # fmt: skip
def test_one_day_in_all_its_spellings(text: str) -> None:
    """Every accepted form of a date, BE or CE, gives the same day."""
    assert reading(text) == (19850215, "1985-02-15", None)


def test_every_month_has_its_full_and_its_short_name() -> None:
    """All twelve months are read by both names, with and without dots."""
    for number, (full, short) in enumerate(MONTHS, 1):
        for word in (full, short, short.replace(".", "")):
            assert reading(f"1 {word} 2560") == (20170001 + number * 100, f"2017-{number:02d}-01", None)


@pytest.mark.parametrize("text", ["15/2/28", "15-2-28", "15.2.28", "15 ก.พ. 28", "1/1/68"])
def test_two_digit_years_are_refused_by_name(text: str) -> None:
    """A year of two digits may be of two eras and two centuries: it has its own message."""
    assert reading(text) == (None, None, "two-digit-year")


@pytest.mark.parametrize(
    "text",
    [
        "31/4/2560", "29/2/2528", "0/13/2560", "32/1/2560", "15/2-2528", "2528", "soon", "1/1/1528", "15 xx 2528", "15 กข 2528",
        "99999999", "2528-2-15", "4512", "2400-13-01", "1/2/3/2560",
    ],
)  # fmt: skip
def test_what_is_no_date_is_a_bad_date(text: str) -> None:
    """Days that do not exist, after the era is settled, and other texts are refused."""
    assert reading(text) == (None, None, "bad-date")


def test_the_leap_day_is_judged_in_the_common_era() -> None:
    """29 Feb 2527 BE is 1984, a leap year; 2528 BE is not, though 2528 CE would be."""
    assert reading("29/2/2527") == (19840229, "1984-02-29", None)
    assert reading("29/2/2528")[2] == "bad-date"


@pytest.mark.parametrize(
    ("text", "iso", "last"),
    [
        ("00/02/2528", "1985-02-00", 19850228),
        ("0/0/2528", "1985-00-00", 19851231),
        ("2527-02-00", "1984-02-00", 19840229),
    ],
)
def test_unknown_parts_stay_unknown_and_count_as_the_latest_day(text: str, iso: str, last: int) -> None:
    """A birth date may have 00 for day or month; other dates may not."""
    ymd, written, problem = reading(text, unknown_parts=True)
    assert (written, problem) == (iso, None)
    assert pl.DataFrame({"d": [ymd]}).select(latest(pl.col("d")))["d"][0] == last
    assert reading(text) == (None, iso, "unknown-date")


def test_a_blank_is_no_problem_here() -> None:
    """Whether a date may be blank is another rule's matter."""
    assert reading(None) == (None, None, None)


def test_a_spreadsheets_day_typed_in_the_buddhist_era_is_turned_round() -> None:
    """A serial date whose year is 2400 or later was typed in BE."""
    assert reading(str((date(2528, 2, 15) - date(1899, 12, 30)).days)) == (19850215, "1985-02-15", None)


@given(st.dates(date(1900, 1, 1), date(2399, 12, 31)), st.sampled_from(range(7)), st.booleans())
def test_every_day_is_read_as_a_slow_reader_reads_it(day: date, form: int, buddhist: bool) -> None:
    """Day by day, form by form, the columns agree with plain Python."""
    year = day.year + 543 if buddhist else day.year
    text = (
        f"{day.day}/{day.month}/{year}", f"{day.day:02d}-{day.month:02d}-{year}", f"{day.day}.{day.month}.{year}",
        f"{year:04d}-{day.month:02d}-{day.day:02d}", f"{year:04d}{day.month:02d}{day.day:02d}",
        f"{day.day} {MONTHS[day.month - 1][0]} {year}", f"{day.day} {MONTHS[day.month - 1][1]} {year}",
    )[form]  # fmt: skip
    assert reading(text) == (day.year * 10000 + day.month * 100 + day.day, day.isoformat(), None)


@given(st.integers(0, 40), st.integers(0, 15), st.integers(1000, 3100), st.booleans())
def test_numbers_are_a_date_only_when_the_calendar_says_so(
    day: int, month: int, year: int, unknown_parts: bool
) -> None:
    """Any three numbers are read or refused exactly as a slow reader does it."""
    assert reading(f"{day}/{month}/{year}", unknown_parts)[::2] == slowly(day, month, year, unknown_parts)


def slowly(day: int, month: int, year: int, unknown_parts: bool) -> tuple[int | None, str | None]:
    """The rule in plain Python, one date at a time."""
    year -= 543 if year >= 2400 else 0
    longest = 31 if month == 0 else calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0
    if year < 1900 or month > 12 or day > longest:
        return None, "bad-date"
    if 0 in (day, month) and not unknown_parts:
        return None, "unknown-date"
    return year * 10000 + month * 100 + day, None


@given(st.integers(10000, 180000))
def test_serial_days_count_from_where_spreadsheets_count(serial: int) -> None:
    """A number of five or six digits is the day that a spreadsheet shows for it."""
    day = date(1899, 12, 30) + timedelta(days=serial)
    assert reading(str(serial))[1] == day.isoformat()


@given(st.text(alphabet="0123456789/-. กพ", max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands in a cell is a date or a problem, never both and never an exception."""
    ymd, iso, problem = reading(text)
    assert (ymd is None) == (problem is not None)
    assert iso is None or re.fullmatch(r"\d{4}-\d{2}-\d{2}", iso)


def test_the_buddhist_era_begins_at_the_year_2400() -> None:
    """2399 is still of the common era; 2400 BE is 1857, older than any date that can be meant."""
    assert reading("1/1/2399") == (23990101, "2399-01-01", None)
    assert reading("1/1/2400") == (None, None, "bad-date")
    assert reading("1/1/2443") == (19000101, "1900-01-01", None)
