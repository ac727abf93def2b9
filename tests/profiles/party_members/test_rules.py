"""The rules of a member's record, case by case: one good row, one cell changed, the faults that follow."""

import pytest

from profiles.party_members.fields import FIELDS, OPERATIONS, required
from profiles.profile import CheckContext
from tests.profiles.party_members.sample import ADD, RENEW, RESIGN, ROWS, TODAY, UPDATE, check_rows, faults_of

Row = dict[str, str | None]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_good_row_of_each_operation_has_no_fault(operation: str) -> None:
    """The sample of each operation passes whole, without a warning."""
    done = check_rows(ROWS[operation])
    assert (done.good.height, done.faults.height, done.warnings.height) == (1, 0, 0)


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("ADD", {"national_id", "member_no", "title", "first_name", "last_name", "birth_date", "nationality_kind", "house_no", "tambon",
            "amphoe", "province", "postcode", "member_kind", "applied_date", "approved_date", "fee_amount", "fee_date", "receipt_no",
            "qualification_declared", "consent_ref", "consent_at"}),
        ("UPDATE", {"national_id", "member_no", "title", "first_name", "last_name", "house_no", "tambon", "amphoe", "province",
            "postcode"}),
        ("RENEW", {"national_id", "member_no", "member_kind", "fee_amount", "fee_date", "receipt_no"}),
        ("RESIGN", {"national_id", "member_no", "end_date", "end_reason"}),
        ("TERMINATE", {"national_id", "member_no", "end_date", "end_reason"}),
    ],
)  # fmt: skip
def test_each_operation_requires_what_the_design_lists(operation: str, fields: set[str]) -> None:
    """The table of required fields is the design's, and a blank cell in any of them is a fault of that field."""
    assert set(required(operation)) == fields
    done = check_rows(*(ROWS[operation] | {field: ""} for field in sorted(fields)))
    assert [(f, n) for n, f in done.faults.select("_position", "field").rows()] == [
        (f, n) for n, f in enumerate(sorted(fields))
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_fields_that_an_operation_ignores_are_not_checked(operation: str) -> None:
    """Nonsense in a field that an operation does not heed changes nothing."""
    ignored = [name for name, field in FIELDS.items() if operation not in field.needs]
    done = check_rows(ROWS[operation] | dict.fromkeys(ignored, "31/2/28 ??"))
    assert done.faults.height == 0
    assert done.good["body"].to_list() == check_rows(ROWS[operation]).good["body"].to_list()


CASES: list[tuple[Row, Row, set[tuple[str, str]]]] = [
    (ADD, {"national_id": "1.10E+12"}, {("id-spreadsheet", "national_id")}),
    (ADD, {"national_id": "๐๑๒๓๔๕๖๗๘๙๐๑๖"}, set()),
    (ADD, {"house_no": "2026-02-01"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "2026-02-01 00:00:00"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "1/2/2026"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "1-Feb"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "Feb-26"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "1-ก.พ."}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "ม.ค.-69"}, {("house-no-date", "house_no")}),
    (ADD, {"house_no": "1/2"}, set()),
    (ADD, {"house_no": "99/1-3"}, set()),
    (ADD, {"house_no": "12-14"}, set()),
    (ADD, {"house_no": "1/2569 หมู่บ้านสุข"}, set()),
    (ADD, {"house_no": "ก.5"}, set()),
    (ADD, {"member_no": "ก" * 20}, set()),
    (ADD, {"member_no": "ก" * 21}, {("bad-member-no", "member_no")}),
    (ADD, {"title": "Mr."}, {("bad-title", "title")}),
    (ADD, {"first_name": "Somchai"}, {("bad-first-name", "first_name")}),
    (ADD, {"first_name": "นาย สมชาย"}, {("title-in-name", "first_name")}),
    (ADD, {"first_name": "นายสมชาย"}, set()),
    (ADD, {"middle_name": "X"}, {("bad-middle-name", "middle_name")}),
    (ADD, {"last_name": "ใจดี1"}, {("bad-last-name", "last_name")}),
    (ADD, {"first_name": "สม\u202eชาย"}, {("bidi-control", "first_name")}),
    (ADD, {"receipt_no": "R\x00"}, {("control-character", "receipt_no")}),
    (ADD, {"birth_date": "31/2/2530"}, {("bad-date", "birth_date")}),
    (ADD, {"birth_date": "1/2/30"}, {("two-digit-year", "birth_date")}),
    (ADD, {"birth_date": "31/1/2550"}, set()),
    (ADD, {"birth_date": "1/2/2550"}, {("under-age", "birth_date")}),
    (ADD, {"birth_date": "00/01/2550"}, set()),
    (ADD, {"birth_date": "00/02/2550"}, {("under-age", "birth_date")}),
    (ADD, {"birth_date": "00/00/2549"}, set()),
    (ADD, {"birth_date": "00/00/2550"}, {("under-age", "birth_date")}),
    (ADD, {"applied_date": "00/01/2568"}, {("unknown-date", "applied_date")}),
    (ADD, {"nationality_kind": "ลาว"}, {("bad-nationality", "nationality_kind")}),
    (ADD, {"nationality_kind": ""}, {("nationality-missing", "nationality_kind")}),
    (ADD, {"nationality_kind": "แปลงสัญชาติ"}, {("naturalised-date-missing", "naturalised_date")}),
    (ADD, {"nationality_kind": "แปลงสัญชาติ", "naturalised_date": "31/1/2563"}, set()),
    (
        ADD,
        {"nationality_kind": "แปลงสัญชาติ", "naturalised_date": "1/2/2563"},
        {("naturalised-under-five-years", "naturalised_date")},
    ),
    (
        ADD,
        {"nationality_kind": "แปลงสัญชาติ", "naturalised_date": "0/2/2560"},
        {("unknown-date", "naturalised_date")},
    ),
    (ADD, {"nationality_kind": "ไทย", "naturalised_date": "soon"}, set()),
    (ADD, {"house_no": ""}, {("no-house-no", "house_no")}),
    (ADD, {"house_no": "9" * 61}, {("too-long", "house_no")}),
    (ADD, {"moo": "สาม"}, {("bad-moo", "moo")}),
    (ADD, {"province": "เชียงใหม่"}, {("area-mismatch", "tambon")}),
    (ADD, {"tambon": "บางนา", "amphoe": "บางนา", "postcode": "10260"}, {("area-abolished", "tambon")}),
    (ADD, {"postcode": "๑๐๕๐๐"}, set()),
    (ADD, {"postcode": "1050"}, {("bad-postcode", "postcode")}),
    (ADD, {"postcode": "50200"}, {("postcode-mismatch", "postcode")}),
    (ADD, {"phone": "02-123-4567"}, set()),
    (ADD, {"phone": "+66 81 234 5678"}, set()),
    (ADD, {"phone": "812345678"}, set()),
    (ADD, {"phone": "123456789"}, {("bad-phone", "phone")}),
    (ADD, {"phone": "1234"}, {("bad-phone", "phone")}),
    (ADD, {"email": "a@example.org"}, set()),
    (ADD, {"email": "example"}, {("bad-email", "email")}),
    (ADD, {"member_kind": "พิเศษ"}, {("bad-member-kind", "member_kind")}),
    (
        ADD,
        {"approved_date": "30/1/2568"},
        {("approved-before-applied", "approved_date"), ("fee-after-approval", "fee_date")},
    ),
    (ADD, {"approved_date": "22/11/2569"}, {("future-date", "approved_date")}),
    (ADD, {"approved_date": "21/11/2569"}, set()),
    (ADD, {"fee_date": "2/2/2568"}, set()),
    (ADD, {"fee_date": "3/2/2568"}, {("fee-after-approval", "fee_date")}),
    (ADD, {"fee_amount": "19.99"}, {("fee-below-minimum", "fee_amount")}),
    (ADD, {"fee_amount": "20 baht"}, {("bad-amount", "fee_amount")}),
    (ADD, {"member_kind": "ตลอดชีพ"}, {("fee-below-minimum", "fee_amount")}),
    (ADD, {"member_kind": "ตลอดชีพ", "fee_amount": "200"}, set()),
    (ADD, {"fee_date": "28/1/2566"}, {("fee-below-minimum", "fee_amount")}),
    (ADD, {"fee_date": "28/1/2566", "fee_amount": "100"}, set()),
    (ADD, {"fee_date": "29/1/2566"}, set()),
    (ADD, {"qualification_declared": ""}, {("not-declared", "qualification_declared")}),
    (ADD, {"qualification_declared": "ไม่"}, {("not-declared", "qualification_declared")}),
    (ADD, {"qualification_declared": "Y"}, set()),
    (ADD, {"consent_ref": ""}, {("no-consent", "consent_ref")}),
    (ADD, {"consent_at": "-"}, {("no-consent", "consent_at")}),
    (
        UPDATE,
        {
            "birth_date": "",
            "nationality_kind": "",
            "applied_date": "",
            "approved_date": "",
            "member_kind": "",
        },
        set(),
    ),
    (UPDATE, {"birth_date": "1/1/2560"}, {("under-age", "birth_date")}),
    (UPDATE, {"applied_date": "1/1/2570", "approved_date": ""}, {("future-date", "applied_date")}),
    (RENEW, {"fee_amount": "5"}, {("fee-below-minimum", "fee_amount")}),
    (RENEW, {"fee_date": "22/11/2569"}, {("future-date", "fee_date")}),
    (RENEW, {"member_kind": "X"}, {("bad-member-kind", "member_kind")}),
    (RESIGN, {"end_reason": ""}, {("no-end-reason", "end_reason")}),
    (RESIGN, {"end_reason": "เบื่อ"}, {("bad-end-reason", "end_reason")}),
    (RESIGN, {"end_date": "พรุ่งนี้"}, {("bad-date", "end_date")}),
    (RESIGN, {"first_name": "X"}, {("bad-first-name", "first_name")}),
]


@pytest.mark.parametrize(("row", "change", "faults"), CASES)
def test_one_changed_cell_has_its_own_faults(row: Row, change: Row, faults: set[tuple[str, str]]) -> None:
    """Each case gives the named faults, and no others."""
    assert faults_of(row | change) == faults


def test_all_faults_of_a_row_are_told_at_once() -> None:
    """A row with nine mistakes shows nine, so that one round of corrections is enough."""
    wrong = ADD | {
        "national_id": "123", "title": "1", "first_name": "X", "last_name": "", "birth_date": "x", "postcode": "1", "fee_amount": "x",
        "consent_ref": "", "member_kind": "x",
    }  # fmt: skip
    assert len(faults_of(wrong)) == 9


def test_another_postcode_of_the_same_district_is_only_a_warning() -> None:
    """The row is taken, and the warning names the field."""
    done = check_rows(ADD | {"tambon": "ดุสิต", "amphoe": "ดุสิต", "postcode": "10303"})
    assert done.good.height == 1
    assert done.warnings.select("code", "field").rows() == [("postcode-of-district", "postcode")]


def test_a_declared_job_needs_no_cell_and_still_heeds_a_no() -> None:
    """The declaration for the whole job stands for blank cells and an absent column, not against a cell that says no."""
    declared = CheckContext(TODAY, declared=True, test_ids=True)
    without = {k: v for k, v in ADD.items() if k != "qualification_declared"}
    assert faults_of(without, declared) == set()
    assert faults_of(ADD | {"qualification_declared": ""}, declared) == set()
    assert faults_of(ADD | {"qualification_declared": "ไม่"}, declared) == {
        ("not-declared", "qualification_declared")
    }
    assert faults_of(without) == {("not-declared", "qualification_declared")}


def test_real_registries_refuse_ids_of_nobody() -> None:
    """Without the setting a first digit 0 is a fault."""
    assert faults_of(ADD, CheckContext(TODAY)) == {("id-first-digit", "national_id")}
    assert faults_of(ADD | {"national_id": "1101700207030"}, CheckContext(TODAY)) == set()
