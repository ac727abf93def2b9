"""What a profile is: what the records of one registry are, how a file's columns are read and what goes on the wire.

Values and one protocol; no rule of any registry stands here, and nothing here reads a file or knows a job.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

import polars as pl


class Need(StrEnum):
    """What one operation wants of one field; a field that it ignores is neither checked nor sent."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name (also the English header), its Thai headers (the first is the template's), its needs by operation.

    `is_date`: a number in its column is a day as a spreadsheet counts them, in Excel's usual count from 1900.
    """

    name: str
    headers: tuple[str, ...]
    needs: Mapping[str, Need]
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """What a header row says: `matched` is field → column; columns are 0-based places in the row, names as they stand there.

    `places` is field → place. `ours` are columns that the gate itself adds to results and skips when they come back.
    `duplicate` are fields that more than one column claims, with those columns' names; `missing` are fields that every
    operation needs and no column gives.
    """

    matched: Mapping[str, str]
    places: Mapping[str, int]
    unknown: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    forbidden_places: tuple[int, ...] = ()
    ours: tuple[str, ...] = ()
    duplicate: tuple[tuple[str, tuple[str, ...]], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check must know beside the rows: the local day, the job's own words, the registry's setting, whose rows these are."""

    today: date
    operation: str | None = None
    declared: bool = False
    test_ids: bool = False
    party: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a frame of rows; personal, for memory only.

    `good`: `_position`, `operation`, `person`, `member_no`, `body` (Binary: the record as JSON, as it will be sent).
    `named`: rows with faults of which person and operation are known all the same: `good` without `body`; `member_no` may be null.
    `faults` and `warnings`: `_position`, `code`, `field`, `detail` (null, or public words that belong to the message: the names
    of a sub-district's successors; never a value of the row), in the order of the rows, each row's faults all told.
    """

    good: pl.DataFrame
    named: pl.DataFrame
    faults: pl.DataFrame
    warnings: pl.DataFrame


class Profile(Protocol):
    """What one registry's records are; `profiles.book.profile` finds it by name."""

    name: str
    version: int
    fields: Mapping[str, Field]
    operations: tuple[str, ...]
    #: What names a person within the registry.
    natural_key_fields: tuple[str, ...]
    #: The registrar's codes that mean *ask* for a record that was ever unknown.
    maybe_ours: frozenset[str]
    #: Each code's message, remedy included, in English and in Thai.
    messages: Mapping[str, tuple[str, str]]

    def match_header(self, headers: Sequence[str]) -> HeaderMatch:
        """Find which column is which field; headers may be of any spelling, empty ones are unknown by their place."""
        ...

    def missing_columns(
        self, match: HeaderMatch, operations: Collection[str], declared: bool
    ) -> tuple[str, ...]:
        """Name the required fields of these operations that no column gives; no operation at all: `operation` is missing too."""
        ...

    def operations_of(self, frame: pl.DataFrame, operation: str | None) -> frozenset[str]:
        """Return the operations that stand in a frame's rows, `operation` standing for blank cells and an absent column."""
        ...

    def check(self, frame: pl.DataFrame, context: CheckContext) -> Checked:
        """Check a frame of text columns named by field, with `_position`; columns of other names are left alone."""
        ...

    def message(self, code: str, detail: str | None = None) -> tuple[str, str]:
        """Return a code's message in English and in Thai, remedy included, with the detail where there is one."""
        ...
