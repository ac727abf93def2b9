"""Spoils made-up members on purpose: each kind of bad row, with the faults that the check must find in it and no others."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from polars import col, lit


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of bad row: what its cells become, and the (code, field) of every fault that follows."""

    cells: Mapping[str, pl.Expr]
    faults: tuple[tuple[str, str], ...]


def _kind(code: str, field: str, text: str | pl.Expr) -> Kind:
    """Return a kind that spoils one cell and has one fault."""
    return Kind({field: lit(text) if isinstance(text, str) else text}, ((code, field),))


_ID = col("national_id")
_ABOLISHED_PLACE = {
    "tambon": lit("บางนา"),
    "amphoe": lit("บางนา"),
    "province": lit("กรุงเทพมหานคร"),
    "postcode": lit("10260"),
}
KINDS: dict[str, Kind] = {
    "wrong-check-digit": _kind(
        "id-check-digit",
        "national_id",
        pl.concat_str(_ID.str.head(12), (_ID.str.tail(1).cast(pl.Int32) + 1) % 10),
    ),
    "exponent-id": _kind(
        "id-spreadsheet", "national_id", pl.concat_str(lit("9."), _ID.str.slice(1, 2), lit("E+12"))
    ),
    "short-id": _kind("id-spreadsheet", "national_id", _ID.str.head(12)),
    "no-id-at-all": _kind("id-format", "national_id", "ไม่ทราบ"),
    "no-surname": _kind("required", "last_name", ""),
    "latin-name": _kind("bad-first-name", "first_name", "Somchai"),
    "title-in-name": _kind(
        "title-in-name", "first_name", pl.concat_str(col("title"), lit(" "), col("first_name"))
    ),
    "turned-name": _kind("bidi-control", "first_name", pl.concat_str(col("first_name"), lit("\u202e"))),
    "no-such-day": _kind("bad-date", "birth_date", "31/2/2530"),
    "two-digit-year": _kind("two-digit-year", "birth_date", "15/2/28"),
    "too-young": _kind("under-age", "birth_date", "1/1/2560"),
    "no-such-place": _kind("area-mismatch", "tambon", pl.concat_str(col("tambon"), lit("ที่ไม่มี"))),
    "old-place": Kind(_ABOLISHED_PLACE, (("area-abolished", "tambon"),)),
    "other-postcode": _kind("postcode-mismatch", "postcode", "99999"),
    "short-postcode": _kind("bad-postcode", "postcode", "1050"),
    "no-house": _kind("no-house-no", "house_no", ""),
    "unknown-kind": _kind("bad-member-kind", "member_kind", "พิเศษ"),
    "low-fee": _kind("fee-below-minimum", "fee_amount", "5"),
    "fee-in-words": _kind("bad-amount", "fee_amount", "ยี่สิบบาท"),
    "approved-early": Kind(
        {"approved_date": lit("1/1/2560")},
        (("approved-before-applied", "approved_date"), ("fee-after-approval", "fee_date")),
    ),
    "not-declared": _kind("not-declared", "qualification_declared", "ไม่"),
    "no-consent": _kind("no-consent", "consent_ref", ""),
    "citizen-lately": Kind(
        {"nationality_kind": lit("แปลงสัญชาติ"), "naturalised_date": lit("1/1/2565")},
        (("naturalised-under-five-years", "naturalised_date"),),
    ),
    "unknown-operation": _kind("unknown-operation", "operation", "ยกเลิก"),
    "bad-phone": _kind("bad-phone", "phone", "1234"),
}
_PARTS = 1_000_000


def every_kind(share: float) -> dict[str, float]:
    """Return shares for all kinds alike that add up to `share` of the rows."""
    return dict.fromkeys(KINDS, share / len(KINDS))


def expected_faults(rows: int, seed: int, faults: Mapping[str, float], start: int = 0) -> pl.DataFrame:
    """Return `_position`, `kind`, `code`, `field` of every fault that a check must find in the made-up file, and no others."""
    spoilt = _kinds(rows, seed, start, faults).with_row_index("_position").filter(col("kind").is_not_null())
    told = pl.DataFrame(
        [(name, code, field) for name, kind in KINDS.items() for code, field in kind.faults],
        schema=["kind", "code", "field"],
        orient="row",
    )
    return spoilt.join(told, on="kind", maintain_order="left")


def spoil(members: pl.DataFrame, seed: int, start: int, faults: Mapping[str, float]) -> pl.DataFrame:
    """Return the members with the shares of bad rows among them."""
    frame = members.hstack(_kinds(members.height, seed, start, faults))
    cells: dict[str, pl.Expr] = {}
    for name in faults:
        for field, text in KINDS[name].cells.items():
            cells[field] = pl.when(col("kind") == name).then(text).otherwise(cells.get(field, col(field)))
    return frame.with_columns(expr.alias(field) for field, expr in cells.items()).drop("kind")


def _kinds(rows: int, seed: int, start: int, faults: Mapping[str, float]) -> pl.DataFrame:
    """Return `kind` of every row, null for the good ones."""
    throw = pl.int_range(start, start + rows, dtype=pl.Int64).hash(seed * 1000 + 999) % _PARTS
    kind: pl.Expr = lit(None, dtype=pl.String)
    below = 0.0
    edges: list[tuple[str, float]] = []
    for name, share in faults.items():
        below += share * _PARTS
        edges.append((name, below))
    for name, edge in reversed(edges):
        kind = pl.when(throw < round(edge)).then(lit(name)).otherwise(kind)
    return pl.select(kind.alias("kind"))
