"""The profile itself: puts the parts of this folder behind the one protocol. No rule stands here."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from profiles.codes import MAYBE_OURS
from profiles.party_members import check, header, messages
from profiles.party_members.fields import FIELDS, OPERATIONS
from profiles.profile import CheckContext, Checked, Field, HeaderMatch


class PartyMembers:
    """Members of political parties; `version` stands in every sealed slice and changes with what is sent."""

    name: str = "party-members"
    version: int = 1
    fields: Mapping[str, Field] = FIELDS
    operations: tuple[str, ...] = OPERATIONS
    natural_key_fields: tuple[str, ...] = ("national_id",)
    maybe_ours: frozenset[str] = MAYBE_OURS[name]
    messages: Mapping[str, tuple[str, str]] = messages.MESSAGES

    def match_header(self, headers: Sequence[str]) -> HeaderMatch:
        return header.match_header(headers)

    def missing_columns(
        self, match: HeaderMatch, operations: Collection[str], declared: bool
    ) -> tuple[str, ...]:
        return header.missing_columns(match, operations, declared)

    def operations_of(self, frame: pl.DataFrame, operation: str | None) -> frozenset[str]:
        return check.operations_of(frame, operation)

    def check(self, frame: pl.DataFrame, context: CheckContext) -> Checked:
        return check.check(frame, context)

    def message(self, code: str, detail: str | None = None) -> tuple[str, str]:
        return messages.message(code, detail)
