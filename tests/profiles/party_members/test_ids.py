"""National ID numbers."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.th import pin

from profiles.party_members.ids import bare_id, check_digit, digits_of, id_problem


def problem(text: str | None, test_ids: bool = False) -> str | None:
    """What is wrong with one ID in plain form."""
    frame = pl.DataFrame({"id": pl.Series([text], dtype=pl.String)})
    bare = bare_id(pl.col("id"))
    found = frame.select(p=id_problem(bare, digits_of(bare), test_ids))["p"][0]
    assert found is None or isinstance(found, str)
    return found


@given(st.integers(0, 10**12 - 1))
def test_the_check_digit_is_the_standards(twelve: int) -> None:
    """For any twelve digits the column agrees with the standard library of numbers."""
    digit = pl.DataFrame({"n": [twelve]}).select(d=check_digit(pl.col("n")))["d"][0]
    assert str(digit) == pin.calc_check_digit(f"{twelve:012d}")


@given(st.integers(0, 10**13 - 1))
def test_an_id_is_good_exactly_where_the_standard_says_so(number: int) -> None:
    """Thirteen digits pass here when and only when they pass there."""
    assert (problem(f"{number:013d}") is None) == pin.is_valid(f"{number:013d}")


@pytest.mark.parametrize("text", ["1-1017-00207-03-0", "1 1017 00207 03 0", "1101700207030"])
def test_spaces_and_dashes_do_not_matter(text: str) -> None:
    """An ID may be written in its groups."""
    assert problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "1.10E+12",
        "1.1017E+12",
        "1.10170020703E+12",
        "110170020703",
        "11017002070300",
        "1101700207030.0",
        "1101700207030.5",
        "0",
        "1e12",
    ],
)
def test_a_number_that_a_spreadsheet_changed_has_its_own_message(text: str) -> None:
    """Exponents, other lengths and fractions tell what happened, not only that the ID is wrong."""
    assert problem(text) == "id-spreadsheet"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ไม่ทราบ", "id-format"),
        ("AB01700207030", "id-format"),
        ("1101700207031", "id-check-digit"),
        ("0101700207033", "id-first-digit"),
    ],
)
def test_other_ids_are_refused_for_their_reason(text: str, code: str) -> None:
    """Letters, a wrong check digit and a first digit outside 1 to 8 are told apart."""
    assert problem(text) == code


def test_ids_of_nobody_pass_only_where_the_registry_allows_them() -> None:
    """First digits 0 and 9 belong to nobody: they pass for tests alone, and only with their check digit."""
    for text in ("0123456789016", f"912345678901{pin.calc_check_digit('912345678901')}"):
        assert (problem(text), problem(text, test_ids=True)) == ("id-first-digit", None)
    assert problem("0123456789012", test_ids=True) == "id-check-digit"


def test_a_blank_is_another_rules_matter() -> None:
    """No ID is no bad ID."""
    assert problem(None) is None
