"""What a name may be made of."""

from collections.abc import Callable

import polars as pl
import pytest

from profiles.party_members.names import bad_name, bad_title, has_title


def holds(rule: Callable[[pl.Expr], pl.Expr], text: str) -> bool:
    """Whether a rule holds for one text."""
    return bool(pl.DataFrame({"x": [text]}).select(y=rule(pl.col("x")))["y"][0])


@pytest.mark.parametrize(
    "name", ["สมชาย", "ณ อยุธยา", "ม.ล.เดช", "แก้ว-ทอง", "เอก", "ไพโรจน์", "ณัฏฐ์", "น้ำฝน", "นายิกา", "ก" * 100]
)
def test_thai_names_are_good_names(name: str) -> None:
    """Thai letters and marks, spaces, dots and dashes make a name, up to 100 characters."""
    assert not holds(bad_name, name)


@pytest.mark.parametrize(
    "name", ["Somchai", "สมชาย1", "สมชาย (เล็ก)", "์สมชาย", "-", "ใจดี,", "ก" * 101, "สม@ชาย", "ะ", "สมชาย฿"]
)
def test_other_letters_and_lone_marks_are_bad_names(name: str) -> None:
    """Latin letters, digits, brackets, a mark without its letter and over-long names are refused."""
    assert holds(bad_name, name)


@pytest.mark.parametrize("name", ["นาย สมชาย", "นางสาว มาลี", "น.ส. มาลี", "ด.ต. สมชาย", "ว่าที่ ร.ต. สมชาย"])
def test_a_title_before_a_space_is_a_title(name: str) -> None:
    """A first name that begins with a title and a space has its title in the wrong column."""
    assert holds(has_title, name)


@pytest.mark.parametrize("name", ["นายิกา", "นางนวล", "พระพาย", "คุณากร", "นาย", "ศ.สมชาย", "เพชร นาย"])
def test_without_a_space_it_is_a_name(name: str) -> None:
    """Names that begin like a title are names."""
    assert not holds(has_title, name)


@pytest.mark.parametrize("title", ["นาย", "น.ส.", "ว่าที่ ร.ต.", "พล.ต.ต. ดร.", "ร้อยตรี (หญิง)"])
def test_titles_and_ranks_are_free_words_in_thai(title: str) -> None:
    """A title is not held against a list: ranks are many."""
    assert not holds(bad_title, title)


@pytest.mark.parametrize("title", ["Mr.", "นาย1", "ก" * 31, "?"])
def test_other_titles_are_bad(title: str) -> None:
    """Titles of other letters, or over 30 characters, are refused."""
    assert holds(bad_title, title)
