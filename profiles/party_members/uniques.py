"""Reads each different text of a column once and hands the reading to every row that holds it. Knows no field."""

from collections.abc import Callable

import polars as pl


def read_once(column: pl.Series, read: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """Return the frame that `read` makes of texts (one row each), one row a row of `column`, in its order."""
    if column.null_count() == column.len():
        return read(column.head(1)).clear(column.len())
    texts = column.alias("text")
    different = texts.unique()
    if different.len() > texts.len() // 2:
        return read(texts)
    table = read(different).with_columns(different)
    return (
        texts.to_frame()
        .join(table, on="text", how="left", nulls_equal=True, maintain_order="left")
        .drop("text")
    )
