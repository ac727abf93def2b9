"""What a member must have paid, by the law on the day of payment; and how amounts are read. Change the table, not the code.

Amounts are in satang (1/100 baht), so that no fraction is ever rounded.
"""

import polars as pl

from profiles.party_members.uniques import read_once

#: From (yyyymmdd, CE) on: the least for a year and for life, in baht. Source: news of the amendment in force on 29 Jan 2566 BE.
MINIMA: tuple[tuple[int, int, int], ...] = ((0, 100, 2000), (20230129, 20, 200))
_AMOUNT = r"^(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d+)?$"


def read_fees(column: pl.Series) -> pl.DataFrame:
    """Return `fee_satang` and `fee_json` (as a JSON number in baht) of a column in plain form, null where it is no amount."""
    return read_once(column, lambda texts: _reading(texts.alias("text").to_frame()))


def _reading(texts: pl.DataFrame) -> pl.DataFrame:
    """Return the reading of each text."""
    amounts = texts.select(fee_satang=_amount(pl.col("text")))
    return amounts.with_columns(fee_json=_written(pl.col("fee_satang")))


def _amount(text: pl.Expr) -> pl.Expr:
    """Return an amount in satang, null where the text is none or has parts of a satang; `2,000` and `20.50` are amounts."""
    whole = pl.when(text.str.contains(_AMOUNT)).then(text.str.replace_all(",", ""))
    baht, satang = (
        whole.str.extract(r"^(\d+)"),
        whole.str.extract(r"\.(\d+)$").str.strip_chars_end("0").fill_null(""),
    )
    return pl.when(satang.str.len_bytes() <= 2).then(
        baht.cast(pl.Int64, strict=False) * 100 + satang.str.pad_end(2, "0").cast(pl.Int64, strict=False)
    )


def below_minimum(satang: pl.Expr, kind: pl.Expr, fee_date: pl.Expr) -> pl.Expr:
    """Say where less was paid than the law of that day asks; null where kind, day or amount is not known."""
    least_annual, least_life = pl.lit(MINIMA[0][1]), pl.lit(MINIMA[0][2])
    for since, annual, life in MINIMA[1:]:
        least_annual = pl.when(fee_date >= since).then(annual).otherwise(least_annual)
        least_life = pl.when(fee_date >= since).then(life).otherwise(least_life)
    least = pl.when(kind == "ANNUAL").then(least_annual).when(kind == "LIFETIME").then(least_life)
    return pl.when(fee_date.is_not_null()).then(satang < least * 100)


def _written(satang: pl.Expr) -> pl.Expr:
    """Return an amount as JSON has it, in baht: 20, 20.5, 20.25."""
    baht, rest = (satang // 100).cast(pl.String), satang % 100
    cents = rest.cast(pl.String).str.pad_start(2, "0").str.strip_chars_end("0")
    return pl.when(rest == 0).then(baht).otherwise(pl.concat_str(baht, pl.lit("."), cents))
