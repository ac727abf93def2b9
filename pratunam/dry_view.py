"""What a dry run found, for scripts and for the submitter's own eyes: the first rows are personal and go nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.policy import PartyRules

if TYPE_CHECKING:  # intake loads polars
    from intake.dry_run import FaultKind, Report

#: characters of a cell that are shown
_CELL_CHARS = 24


def report_json(party: PartyRules, report: Report) -> dict[str, object]:
    """Return the report as JSON values."""
    return {
        "party": party.id,
        "name": party.name,
        "name_en": party.name_en,
        "encoding": report.encoding,
        "delimiter": report.delimiter,
        "sheets": list(report.sheets),
        "header_row": report.header_row,
        "columns": {
            "all": list(report.columns),
            "matched": dict(report.matched),
            "unmatched": list(report.unknown),
            "cut": list(report.cut),
        },
        "first_rows": [list(row) for row in report.first_rows],
        "parent": report.parent or None,
        "rows": report.rows,
        "invalid": report.invalid,
        "records": report.records,
        "faults": [_kind(each) for each in report.faults],
        "warnings": [_kind(each) for each in report.warnings],
        "notes_en": list(report.notes_en),
        "notes_th": list(report.notes_th),
    }


def report_lines(party: PartyRules, report: Report) -> Iterator[str]:
    """Yield the report as text: whose file, what it is, columns, first rows, faults by kind."""
    yield f"Party {party.id}: {party.name or party.id}" + (f" ({party.name_en})" if party.name_en else "")
    sheets = f", sheets {', '.join(report.sheets)}" if report.sheets else ""
    apart = f", cells apart by {report.delimiter}" if report.delimiter else ""
    yield f"{report.encoding}{apart}{sheets}; the header is row {report.header_row}"
    yield "Columns: " + ", ".join(
        f"{column} = {field}" if column != field else field for field, column in report.matched.items()
    )
    if report.unknown:
        yield f"Not known: {', '.join(report.unknown)}. Leave one out with --ignore NAME."
        yield f"ไม่รู้จักคอลัมน์: {', '.join(report.unknown)} หากไม่ใช้ให้ระบุ --ignore NAME"
    for row in report.first_rows:
        yield "  | " + " | ".join(cell[:_CELL_CHARS] for cell in row)
    if report.parent:
        yield f"Corrects job {report.parent}"
    yield f"{report.rows:,} rows: {report.records:,} would be sent, {report.invalid:,} invalid"
    for title, kinds in (("Faults, by kind:", report.faults), ("Warnings:", report.warnings)):
        if kinds:
            yield title
            for kind in kinds:
                yield from _kind_lines(kind)
    yield from (*report.notes_en, *report.notes_th)


def _kind_lines(kind: FaultKind) -> Iterator[str]:
    columns, rows = ", ".join(kind.columns), ", ".join(kind.places)
    where = f" (column {columns}; row {rows})" if rows else ""
    yield f"  {kind.count:>8,}  {kind.code}: {kind.message_en}{where}"
    yield f"            {kind.message_th}" + (f" (คอลัมน์ {columns} แถวที่ {rows})" if rows else "")


def _kind(kind: FaultKind) -> dict[str, object]:
    return {
        "code": kind.code,
        "count": kind.count,
        "rows": list(kind.rows),
        "places": list(kind.places),
        "columns": list(kind.columns),
        "message_en": kind.message_en,
        "message_th": kind.message_th,
    }
