"""Amounts, and what the law asks."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.party_members.fees import below_minimum, read_fees


def read(text: str | None) -> tuple[int | None, str | None]:
    """One amount: satang, and the number on the wire."""
    satang, written = read_fees(pl.Series("fee", [text], dtype=pl.String)).row(0)
    return satang, written


@pytest.mark.parametrize(
    ("text", "satang", "written"),
    [
        ("20", 2000, "20"), ("20.00", 2000, "20"), ("20.5", 2050, "20.5"), ("20.25", 2025, "20.25"), ("2,000", 200000, "2000"),
        ("020", 2000, "20"), ("1,234,567.89", 123456789, "1234567.89"), ("0", 0, "0"), ("20.05", 2005, "20.05"), ("20.500", 2050, "20.5"),
    ],
)  # fmt: skip
def test_amounts_are_read_to_the_satang_and_written_short(text: str, satang: int, written: str) -> None:
    """Commas and needless zeros do not matter; nothing is rounded."""
    assert read(text) == (satang, written)


@pytest.mark.parametrize(
    "text", ["ยี่สิบ", "20 บาท", "-20", "1,00", "20.001", "1e3", "20,00.5", "12345678901", None, ".5"]
)
def test_other_texts_are_no_amounts(text: str | None) -> None:
    """Words, signs, misplaced commas and parts of a satang are not guessed at."""
    assert read(text) == (None, None)


@given(st.integers(0, 10**10))
def test_an_amount_survives_being_written_and_read(satang: int) -> None:
    """What goes on the wire is the same amount."""
    text = f"{satang // 100}.{satang % 100:02d}"
    if satang < 10**11:
        amount, written = read(text)
        assert (amount, round(float(written or "nan") * 100)) == (satang, satang)


@pytest.mark.parametrize(
    ("kind", "day", "baht", "low"),
    [
        ("ANNUAL", 20230128, 99, True), ("ANNUAL", 20230128, 100, False), ("ANNUAL", 20230129, 19, True), ("ANNUAL", 20230129, 20, False),
        ("LIFETIME", 20230128, 1999, True), ("LIFETIME", 20230128, 2000, False), ("LIFETIME", 20230129, 199, True),
        ("LIFETIME", 20230129, 200, False), (None, 20230129, 1, None), ("ANNUAL", None, 1, None), ("ANNUAL", 20230129, None, None),
    ],
)  # fmt: skip
def test_the_minimum_is_that_of_the_day_of_payment(
    kind: str | None, day: int | None, baht: int | None, low: bool | None
) -> None:
    """100 a year and 2,000 for life before 29 Jan 2566 BE, 20 and 200 from that day on; nothing is said without day and kind."""
    row = pl.DataFrame(
        {"k": [kind], "d": [day], "s": [None if baht is None else baht * 100]},
        schema={"k": pl.String, "d": pl.Int32, "s": pl.Int64},
    )
    assert row.select(x=below_minimum(pl.col("s"), pl.col("k"), pl.col("d")))["x"][0] is low
