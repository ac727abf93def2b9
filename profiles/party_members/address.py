"""Reads addresses against the official places, in whole columns. The places' tables themselves are `gazetteer.py`'s."""

import polars as pl

from profiles.party_members.gazetteer import MARKS, PREFIX, gazetteer
from profiles.party_members.uniques import read_once

LONGEST_PART = 60
_MOO = r"^(?:หมู่ที่|หมู่|ม\.)? ?(\d{1,3})$"
_POSTCODE = r"^[1-9]\d{4}$"


def read_moo(column: pl.Series) -> pl.Series:
    """Return `moo_no`: village numbers as digits without leading zeros, null where there is none: `ม.3`, `หมู่ที่ 3`, `03` are 3."""
    read = read_once(
        column, lambda t: t.str.extract(_MOO).cast(pl.Int32).cast(pl.String).alias("moo_no").to_frame()
    )
    return read["moo_no"]


def read_area(frame: pl.DataFrame) -> pl.DataFrame:
    """Return, row for row: `official_tambon`, `official_amphoe`, `official_province`, `area_problem`, `area_detail`, `postcode_problem`.

    Reads `tambon`, `amphoe`, `province`, `postcode` in plain form. Problems: area-mismatch, area-abolished (its successors in the
    detail); bad-postcode, postcode-mismatch, postcode-of-district (only a warning). Nothing is said where a part is blank.
    """
    keys = pl.DataFrame([_keys(frame[name]) for name in ("tambon", "amphoe", "province")])
    rows = keys.with_columns(frame["postcode"])
    different = rows.select(pl.struct("tambon_key", "amphoe_key", "province_key", "postcode").alias("place"))
    found = different.unique()
    table = found.hstack(_look_up(found.unnest("place")))
    return different.join(table, on="place", how="left", nulls_equal=True, maintain_order="left").drop(
        "place"
    )


def _keys(column: pl.Series) -> pl.Series:
    """Return a column of places' names as they are compared."""
    name = f"{column.name}_key"
    return read_once(
        column, lambda t: t.str.replace(PREFIX, "").str.replace_all(MARKS, "").alias(name).to_frame()
    )[name]


def _look_up(places: pl.DataFrame) -> pl.DataFrame:
    """Return what is to be said of each different place."""
    tables = gazetteer()
    keys = ["tambon_key", "amphoe_key", "province_key"]
    known = places.join(tables.areas, on=keys, how="left", maintain_order="left")
    known = known.join(
        tables.abolished.with_columns(gone=pl.lit(True)), on=keys, how="left", maintain_order="left"
    )
    known = known.join(tables.postcodes, on=["area", "postcode"], how="left", maintain_order="left")
    code = pl.col("postcode")
    whole = pl.all_horizontal(pl.col(k).is_not_null() for k in keys)
    area = pl.col("area").is_not_null()
    return known.select(
        "official_tambon",
        "official_amphoe",
        "official_province",
        pl.when(area | ~whole)
        .then(None)
        .when(pl.col("gone").fill_null(False))
        .then(pl.lit("area-abolished"))
        .otherwise(pl.lit("area-mismatch"))
        .alias("area_problem"),
        pl.when(~area).then(pl.col("detail")).alias("area_detail"),
        pl.when(code.is_null())
        .then(None)
        .when(~code.str.contains(_POSTCODE))
        .then(pl.lit("bad-postcode"))
        .when(~area | pl.col("fits"))
        .then(None)
        .when(pl.col("fits").is_null())
        .then(pl.lit("postcode-mismatch"))
        .otherwise(pl.lit("postcode-of-district"))
        .alias("postcode_problem"),
    )
