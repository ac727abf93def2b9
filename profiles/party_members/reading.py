"""Reads one operation's rows: beside each text column stand what it means. Says where a text has no meaning, judges nothing else.

Adds `<date>_ymd`, `_iso` and `_problem`, `<word>_code`, `id_bare`, `id_problem`,
`fee_satang`, `fee_json`, `moo_no`, and the columns of `read_area`.
"""

import polars as pl

from profiles.party_members import words
from profiles.party_members.address import read_area, read_moo
from profiles.party_members.dates import read_dates
from profiles.party_members.fees import read_fees
from profiles.party_members.fields import heeded
from profiles.party_members.ids import bare_id, digits_of, id_problem

DATES = (
    "birth_date",
    "naturalised_date",
    "applied_date",
    "approved_date",
    "fee_date",
    "consent_at",
    "end_date",
)
WORDS = {
    "nationality_kind": words.NATIONALITY,
    "member_kind": words.MEMBER_KIND,
    "end_reason": words.END_REASON,
    "qualification_declared": words.YES_NO,
}


def read_rows(frame: pl.DataFrame, operation: str, test_ids: bool) -> pl.DataFrame:
    """Return the rows with every field that the operation heeds (null where the file has no such column) and what it means."""
    fields = heeded(operation)
    frame = frame.with_columns(
        pl.lit(None, dtype=pl.String).alias(f) for f in fields if f not in frame.columns
    )
    frame = read_ids(frame, test_ids)
    added = read_dates([frame[name] for name in DATES if name in fields], unknown_parts=("birth_date",))
    added += [
        words.read_words(frame[name], known).alias(f"{name}_code")
        for name, known in WORDS.items()
        if name in fields
    ]
    if "fee_amount" in fields:
        added += read_fees(frame["fee_amount"]).get_columns()
    if "tambon" in fields:
        added += [read_moo(frame["moo"]), *read_area(frame).get_columns()]
    return frame.with_columns(added)


def read_ids(frame: pl.DataFrame, test_ids: bool) -> pl.DataFrame:
    """Return the rows with `id_bare` and `id_problem`."""
    frame = frame.with_columns(id_bare=bare_id(pl.col("national_id")))
    frame = frame.with_columns(id_number=digits_of(pl.col("id_bare")))
    return frame.with_columns(id_problem=id_problem(pl.col("id_bare"), pl.col("id_number"), test_ids)).drop(
        "id_number"
    )
