"""The rules of a member's record, one line each: a message's code, the field to blame, and where it holds. Reads no text itself.

A rule is an expression over the columns of `reading`; null means that it does not apply (another rule tells of the blank cell).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from polars import col

from profiles.party_members import names
from profiles.party_members.address import LONGEST_PART
from profiles.party_members.dates import latest
from profiles.party_members.fees import below_minimum
from profiles.party_members.fields import ADD, RENEW, UPDATE, heeded, required
from profiles.party_members.reading import DATES

ADULT, SETTLED = 18_00_00, 5_00_00  # years, as differences of dates written yyyymmdd
LONGEST = {
    "house_no": LONGEST_PART, "village": LONGEST_PART, "soi": LONGEST_PART, "road": LONGEST_PART,
    "receipt_no": 60, "consent_ref": 200, "branch_code": 100,
}  # fmt: skip
LONGEST_MEMBER_NO = 20
#: What a blank cell is called, where there is a better word than `required`.
BLANK = {
    "nationality_kind": "nationality-missing", "house_no": "no-house-no", "consent_ref": "no-consent", "consent_at": "no-consent",
    "end_reason": "no-end-reason",
}  # fmt: skip
#: a mobile number may lack its zero, as spreadsheet programs leave it
_PHONE = r"^(?:(?:\+?66|0)[1-9]\d{7,8}|[689]\d{8})(?:(?:ต่อ|#|x)\d{1,6})?$"
#: what becomes of a house number such as 1/2 where a spreadsheet program takes it for a date
_DATE_OF_A_SPREADSHEET = (
    r"^\d{4}-\d{2}-\d{2}(?: |$)|^\d{1,2}/\d{1,2}/(?:20[23]|25[67])\d$|(?i)^\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)$"
    r"|(?i)^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d{2}$|^(?:\d{1,2}-)?(?:[มกพสตธ]\.[คพยม]\.|เม\.ย\.|มิ\.ย\.|มี\.ค\.)(?:-\d{2})?$"
)
_EMAIL = r"^[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+$"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `holds` is true, the row has this fault."""

    code: str
    field: str
    holds: pl.Expr


@dataclass(frozen=True, slots=True)
class Told:
    """The column `problem` holds the code of a fault, null where there is none.

    `detail` is the column of its detail; `warns` is the code among them that is only a warning.
    """

    field: str
    problem: str
    detail: str | None = None
    warns: str = ""


def rules_of(operation: str, today: int, declared: bool) -> Iterator[Rule | Told]:
    """Yield the rules of one operation, in the order of the fields; `today` is yyyymmdd where the registry is."""
    fields = heeded(operation)
    wanted = (name for name in required(operation) if name != "qualification_declared")
    yield from (Rule(BLANK.get(name, "required"), name, col(name).is_null()) for name in wanted)
    yield from identity()
    if "first_name" in fields:
        yield from _names()
    dates = (name for name in DATES if name in fields and name != "naturalised_date")
    yield from (Told(name, f"{name}_problem") for name in dates)
    if operation in (ADD, UPDATE):
        yield from _person()
        yield from _address()
        yield from _application(today)
    if operation in (ADD, RENEW):
        yield from _fee(operation, today)
    if "member_kind" in fields:
        yield Rule("bad-member-kind", "member_kind", _unread("member_kind"))
    if operation == ADD:
        yield from _declaration(declared)
    if "end_reason" in fields:
        yield Rule("bad-end-reason", "end_reason", _unread("end_reason"))
    limits = ((name, most) for name, most in LONGEST.items() if name in fields)
    yield from (Rule("too-long", name, col(name).str.len_chars() > most) for name, most in limits)


def identity() -> Iterator[Rule | Told]:
    """Yield the rules that hold for a row of any operation, and for one whose operation cannot be read."""
    yield Told("national_id", "id_problem")
    yield Rule("bad-member-no", "member_no", col("member_no").str.len_chars() > LONGEST_MEMBER_NO)


def _names() -> Iterator[Rule | Told]:
    """Yield what a name may look like."""
    yield Rule("bad-title", "title", names.bad_title(col("title")))
    yield Rule("bad-first-name", "first_name", names.bad_name(col("first_name")))
    yield Rule("title-in-name", "first_name", names.has_title(col("first_name")))
    yield Rule("bad-middle-name", "middle_name", names.bad_name(col("middle_name")))
    yield Rule("bad-last-name", "last_name", names.bad_name(col("last_name")))


def _person() -> Iterator[Rule | Told]:
    """Yield age and nationality."""
    applied = col("applied_date_ymd")
    naturalised = col("nationality_kind_code") == "NATURALISED"
    yield Rule("under-age", "birth_date", applied - latest(col("birth_date_ymd")) < ADULT)
    yield Rule("bad-nationality", "nationality_kind", _unread("nationality_kind"))
    yield Rule(
        "naturalised-date-missing", "naturalised_date", naturalised & col("naturalised_date").is_null()
    )
    for code in ("bad-date", "two-digit-year", "unknown-date"):
        yield Rule(code, "naturalised_date", naturalised & (col("naturalised_date_problem") == code))
    yield Rule(
        "naturalised-under-five-years",
        "naturalised_date",
        naturalised & (applied - col("naturalised_date_ymd") < SETTLED),
    )


def _address() -> Iterator[Rule | Told]:
    """Yield place, postcode and how to reach the person."""
    yield Rule("house-no-date", "house_no", col("house_no").str.contains(_DATE_OF_A_SPREADSHEET))
    yield Rule("bad-moo", "moo", col("moo").is_not_null() & col("moo_no").is_null())
    yield Told("tambon", "area_problem", detail="area_detail")
    yield Told("postcode", "postcode_problem", warns="postcode-of-district")
    yield Rule("bad-phone", "phone", ~col("phone").str.replace_all(r"[ \-()]", "").str.contains(_PHONE))
    yield Rule("bad-email", "email", ~col("email").str.contains(_EMAIL))


def _application(today: int) -> Iterator[Rule | Told]:
    """Yield the order of application, approval and today."""
    applied, approved = col("applied_date_ymd"), col("approved_date_ymd")
    yield Rule("future-date", "applied_date", applied > today)
    yield Rule("approved-before-applied", "approved_date", approved < applied)
    yield Rule("future-date", "approved_date", approved > today)


def _fee(operation: str, today: int) -> Iterator[Rule | Told]:
    """Yield what must have been paid, and when."""
    satang, paid = col("fee_satang"), col("fee_date_ymd")
    yield Rule("bad-amount", "fee_amount", col("fee_amount").is_not_null() & satang.is_null())
    yield Rule("fee-below-minimum", "fee_amount", below_minimum(satang, col("member_kind_code"), paid))
    if operation == ADD:
        yield Rule("fee-after-approval", "fee_date", paid > col("approved_date_ymd"))
    else:
        yield Rule("future-date", "fee_date", paid > today)


def _declaration(declared: bool) -> Iterator[Rule | Told]:
    """Yield section 24: a cell says yes, or is blank while the whole job was declared."""
    said = col("qualification_declared")
    yes = (col("qualification_declared_code") == "YES").fill_null(False)
    yield Rule("not-declared", "qualification_declared", ~yes & (said.is_not_null() | (not declared)))


def _unread(name: str) -> pl.Expr:
    """Say where a cell has text that is none of its words."""
    return col(name).is_not_null() & col(f"{name}_code").is_null()
