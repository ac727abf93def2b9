"""Checks a frame of members: good rows with their bodies on one side, every fault of every other row on the other.

Works on whole columns in memory; the caller hands it some tens of thousands of rows at a time. Rows of one file against each
other are the caller's (duplicates); a row's words never leave in a fault.
"""

from collections.abc import Iterable

import polars as pl

from profiles.party_members.body import values_of, write_bodies
from profiles.party_members.fields import FIELDS, OPERATIONS
from profiles.party_members.reading import read_ids, read_rows
from profiles.party_members.rules import Rule, Told, identity, rules_of
from profiles.party_members.wording import Cleaned, clean_columns, plain_expr
from profiles.party_members.words import OPERATION, read_words
from profiles.profile import CheckContext, Checked

FAULT = {"_position": pl.UInt32, "code": pl.String, "field": pl.String, "detail": pl.String}
GOOD = {
    "_position": pl.UInt32,
    "operation": pl.String,
    "person": pl.String,
    "member_no": pl.String,
    "body": pl.Binary,
}
NAMED = {name: kind for name, kind in GOOD.items() if name != "body"}
_NOTHING = pl.lit(None, dtype=pl.String)
_NEVER_READ = ("row_no",)


def check(frame: pl.DataFrame, context: CheckContext) -> Checked:
    """Check text columns named by field beside `_position`; what else the frame holds is left alone."""
    columns = [name for name in FIELDS if name in frame.columns and name not in _NEVER_READ]
    rows = frame.select(pl.col("_position").cast(pl.UInt32), *(pl.col(c).cast(pl.String) for c in columns))
    cleaned = clean_columns(rows, columns)
    rows = _with_operation(cleaned.frame, context.operation)
    unfit = _unfit_cells(cleaned)
    goods, named, faults, warnings = [], [], [unfit], []
    for operation in (*OPERATIONS, None):
        part = rows.filter(pl.col("_operation").eq_missing(pl.lit(operation, dtype=pl.String)))
        if part.height == 0:
            continue
        read, found, warned = _judge(part, operation, context)
        faults.append(found)
        warnings.append(warned)
        if operation is not None:
            bad = read["_position"].is_in(pl.concat([found, unfit])["_position"].unique().implode())
            goods.append(_good(read, bad, operation, cleaned.quoted))
            named.append(_named(read, bad, operation))
    return Checked(
        _in_order(goods, GOOD), _in_order(named, NAMED), _in_order(faults, FAULT), _in_order(warnings, FAULT)
    )


def operations_of(frame: pl.DataFrame, operation: str | None) -> frozenset[str]:
    """Return the operations of a frame's rows; blank cells and an absent column mean `operation`."""
    if "operation" not in frame.columns:
        return frozenset({operation} if operation else ())
    said = frame.select(
        pl.col("operation").cast(pl.String).unique()
    )  # by itself: `unique` gives another order each time
    plain = said.select(plain_expr(pl.col("operation")).alias("operation"))
    found = _with_operation(plain, operation)["_operation"].unique().drop_nulls()
    return frozenset(found.to_list())


def _with_operation(rows: pl.DataFrame, operation: str | None) -> pl.DataFrame:
    """Return the rows with `_operation`: what the cell says, else the job's, null where the cell says something else."""
    own = read_words(pl.Series([operation], dtype=pl.String), OPERATION)[0]
    if "operation" not in rows.columns:
        return rows.with_columns(
            operation=pl.lit(None, dtype=pl.String), _operation=pl.lit(own, dtype=pl.String)
        )
    said = read_words(rows["operation"], OPERATION).alias("_operation")
    blank = (
        pl.when(pl.col("operation").is_null())
        .then(pl.lit(own, dtype=pl.String))
        .otherwise(pl.col("_operation"))
    )
    return rows.with_columns(said).with_columns(blank.alias("_operation"))


def _judge(
    part: pl.DataFrame, operation: str | None, context: CheckContext
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the rows as read, their faults and their warnings; a row whose operation is not known is checked as far as it goes."""
    if operation is None:
        blanks = pl.col("operation").is_null()
        rules: Iterable[Rule | Told] = (
            Rule("no-operation", "operation", blanks), Rule("unknown-operation", "operation", ~blanks),
            *(Rule("required", name, pl.col(name).is_null()) for name in ("national_id", "member_no")), *identity(),
        )  # fmt: skip
        missing = [n for n in ("national_id", "member_no") if n not in part.columns]
        read = read_ids(
            part.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in missing), context.test_ids
        )
    else:
        today = context.today.year * 10000 + context.today.month * 100 + context.today.day
        rules = rules_of(operation, today, context.declared)
        read = read_rows(part, operation, context.test_ids)
    found = _apply(read, list(rules))
    return read, found.filter(~pl.col("warns")).drop("warns"), found.filter("warns").drop("warns")


def _apply(read: pl.DataFrame, rules: list[Rule | Told]) -> pl.DataFrame:
    """Return every fault and warning that the rules find, in the order of the rules."""
    one_by_one = ((str(n), r) for n, r in enumerate(rules) if isinstance(r, Rule))
    masks = read.lazy().select(r.holds.fill_null(False).alias(n) for n, r in one_by_one).collect()
    holds = masks.select(pl.all().any()).row(0, named=True)
    found = [pl.DataFrame(schema={**FAULT, "warns": pl.Boolean})]
    for number, rule in enumerate(rules):
        if isinstance(rule, Told):
            found.append(_told(read, rule))
        elif holds[str(number)]:
            hit = read.select("_position").filter(masks[str(number)])
            found.append(
                hit.with_columns(
                    code=pl.lit(rule.code), field=pl.lit(rule.field), detail=_NOTHING, warns=pl.lit(False)
                )
            )
    return pl.concat(found)


def _told(read: pl.DataFrame, rule: Told) -> pl.DataFrame:
    """Return the faults and warnings that a column of problems tells."""
    detail = pl.col(rule.detail) if rule.detail else _NOTHING
    told = read.select("_position", code=pl.col(rule.problem), field=pl.lit(rule.field), detail=detail)
    return told.filter(pl.col("code").is_not_null()).with_columns(warns=pl.col("code") == rule.warns)


def _good(read: pl.DataFrame, bad: pl.Series, operation: str, quoted: frozenset[str]) -> pl.DataFrame:
    """Return the rows without a fault, ready for sealing."""
    values = read.select("_position", pl.lit(operation).alias("operation"), *values_of(operation))
    if bad.any():
        values = values.filter(~bad)
    told = values.select("_position", "operation", pl.col("national_id").alias("person"), "member_no")
    return told.with_columns(write_bodies(values, operation, quoted))


def _named(read: pl.DataFrame, bad: pl.Series, operation: str) -> pl.DataFrame:
    """Return who stands in rows with faults, where the ID itself has none: who stands twice is told all the same."""
    told = read.select("_position", "id_bare", "id_problem", "member_no").filter(bad)
    known = told.filter(pl.col("id_bare").is_not_null() & pl.col("id_problem").is_null())
    return known.select(
        "_position", pl.lit(operation).alias("operation"), pl.col("id_bare").alias("person"), "member_no"
    )


def _unfit_cells(cleaned: Cleaned) -> pl.DataFrame:
    """Return the faults of cells with characters that turn the reading direction round or that no text may hold."""
    kinds = (("bidi-control", cleaned.bidi), ("control-character", cleaned.control))
    found = [
        cleaned.frame.filter(mask).select(
            "_position", code=pl.lit(code), field=pl.lit(column), detail=pl.lit(None, dtype=pl.String)
        )
        for code, cells in kinds
        for column, mask in cells
    ]
    return pl.concat([pl.DataFrame(schema=FAULT), *found])


def _in_order(parts: list[pl.DataFrame], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Return the parts as one frame in the order of the rows."""
    return pl.concat([pl.DataFrame(schema=schema), *parts]).sort("_position", maintain_order=True)
