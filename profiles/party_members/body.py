"""Writes records as they go on the wire: one flat JSON object a row, as bytes, in whole columns. Checks nothing.

The rows come from `reading` and have no fault, so that no control character can be in a text.
"""

from collections.abc import Collection

import polars as pl

from profiles.party_members.fields import ADD, RENEW, RESIGN, TERMINATE, UPDATE

_PERSON = (
    "title", "first_name", "middle_name", "last_name", "birth_date", "nationality_kind", "naturalised_date",
    "house_no", "moo", "village", "soi", "road", "tambon", "amphoe", "province", "postcode",
)  # fmt: skip
_FEE = ("fee_amount", "fee_date", "receipt_no")
_END = ("end_date", "end_reason")
#: What is sent, in its order, after operation, national_id and member_no. Fees are no part of a correction (UPDATE).
SENT: dict[str, tuple[str, ...]] = {
    ADD: (*_PERSON, "member_kind", "applied_date", "approved_date", *_FEE),
    UPDATE: (*_PERSON, "member_kind", "applied_date", "approved_date"),
    RENEW: ("member_kind", *_FEE),
    RESIGN: _END,
    TERMINATE: _END,
}


def values_of(operation: str) -> list[pl.Expr]:
    """Return the fields that are sent, each as its text on the wire, from the columns of `reading`."""
    return [_value(name).alias(name) for name in ("national_id", "member_no", *SENT[operation])]


def write_bodies(values: pl.DataFrame, operation: str, quoted: Collection[str]) -> pl.Series:
    """Return `body`, the records as JSON in UTF-8 (Binary), from the columns of `values_of`.

    `quoted` names the columns in which a quote or backslash may stand.
    """
    if values.height == 0:
        return pl.Series("body", [], dtype=pl.Binary)
    values = values.select("national_id", "member_no", *SENT[operation])
    parts: list[pl.Expr] = []
    open_text = f'{{"operation":"{operation}"'
    for column in values.get_columns():
        if column.null_count() == column.len():
            continue
        before, value, after = _piece(column.name, column.name in quoted)
        if column.null_count():
            whole = pl.concat_str(
                pl.lit(before), value, pl.lit(after)
            )  # null where the value is: the member is left out
            parts += [pl.lit(open_text), whole]
            open_text = ""
        else:
            parts += [pl.lit(open_text + before), value]
            open_text = after
    text = pl.concat_str([*parts, pl.lit(open_text + "}")], ignore_nulls=True)
    return values.select(body=text.cast(pl.Binary)).to_series()


def _value(name: str) -> pl.Expr:
    """Return a field's text as it is sent."""
    if name in ("tambon", "amphoe", "province"):
        return pl.col(f"official_{name}")
    if name == "naturalised_date":
        return pl.when(pl.col("nationality_kind_code") == "NATURALISED").then("naturalised_date_iso")
    if name.endswith("_date"):
        return pl.col(f"{name}_iso")
    if name in ("nationality_kind", "member_kind", "end_reason"):
        return pl.col(f"{name}_code")
    if name == "fee_amount":
        return pl.col("fee_json")
    return pl.col({"moo": "moo_no", "national_id": "id_bare"}.get(name, name))


def _piece(name: str, quoted: bool) -> tuple[str, pl.Expr, str]:
    """Return what stands before a value in the object, the value, and what stands after it."""
    value = pl.col(name)
    if quoted:
        value = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    mark = "" if name == "fee_amount" else '"'
    return f',"{name}":{mark}', value, mark
