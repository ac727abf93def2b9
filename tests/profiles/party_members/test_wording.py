"""Text in plain form."""

import unicodedata

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from profiles.party_members.wording import SUSPECT, clean_columns, plain, plain_expr

THAI = "".join(map(chr, range(0x0E01, 0x0E3B))) + "".join(map(chr, range(0x0E3F, 0x0E5C)))
texts = st.text(
    alphabet=st.sampled_from(THAI + "abcXYZ 019-.'\"\\\u200b\ufeff\u00a0\u00e9e\u0301"), max_size=12
)


def cleaned(*cells: str | None) -> list[str | None]:
    """The cells of one column after cleaning."""
    frame = pl.DataFrame({"x": pl.Series(cells, dtype=pl.String)})
    return list(clean_columns(frame, ["x"]).frame["x"])


def test_what_the_eye_cannot_see_is_taken_out() -> None:
    """Zero-width characters go, odd spaces become plain, ends are trimmed, blanks and lone dashes become nothing."""
    assert cleaned("\ufeffสม\u200bชาย ", "บาง\u00a0 รัก", "", "  ", "-", None) == [
        "สมชาย",
        "บาง รัก",
        None,
        None,
        None,
        None,
    ]


def test_sara_am_and_marks_are_put_in_order() -> None:
    """Nikhahit and sara aa become sara am, with the tone before it; marks follow NFC."""
    assert cleaned("น\u0e49\u0e4d\u0e32", "น\u0e4d\u0e49\u0e32", "น\u0e33\u0e49") == ["น้ำ"] * 3
    assert cleaned("ก\u0e49\u0e38") == [unicodedata.normalize("NFC", "ก\u0e49\u0e38")]


def test_thai_digits_are_digits() -> None:
    """Thai digits become ASCII ones in every field."""
    assert cleaned("๙๙/๑", "๐๑๒๓๔๕๖๗๘๙") == ["99/1", "0123456789"]


def test_a_spreadsheets_apostrophe_is_not_part_of_the_text() -> None:
    """The mark that keeps a cell from being a formula or a number is taken off; other apostrophes stay."""
    assert cleaned("'=1+1", "'0123", "it's") == ["=1+1", "0123", "it's"]


def test_turned_and_broken_texts_are_found_in_their_cells() -> None:
    """Bidi controls and control characters are told by column and row, and quotes are noticed."""
    frame = pl.DataFrame({"x": ["ดี", "ก\u202eข", "a\x00b", 'say "x"'], "y": ["ดี", "ดี", "ดี", "a\nb"]})
    done = clean_columns(frame, ["x", "y"])
    assert [(name, mask.arg_true().to_list()) for name, mask in done.bidi] == [("x", [1])]
    assert [(name, mask.arg_true().to_list()) for name, mask in done.control] == [("x", [2]), ("y", [3])]
    assert done.quoted == {"x"}


def test_a_long_column_of_few_texts_is_cleaned_like_any_other() -> None:
    """The short cut for columns that repeat themselves finds the one suspect cell among many."""
    cells = ["บางรัก"] * 5000
    cells[4321] = " บาง\u200bรัก"
    assert set(cleaned(*cells)) == {"บางรัก"}


@given(st.lists(texts, min_size=1, max_size=20))
@example(["ำ่่"])
@example(["ำ่ำ่", "ำำ่"])
def test_cleaning_twice_is_cleaning_once(cells: list[str]) -> None:
    """A text in plain form stays as it is."""
    once = cleaned(*cells)
    assert cleaned(*once) == once


@given(texts)
def test_a_text_that_is_not_suspect_is_plain_already(text: str) -> None:
    """The one look a cell overlooks nothing: what it lets pass is what cleaning would give."""
    frame = pl.DataFrame({"x": [text]})
    if not frame["x"].str.contains(SUSPECT)[0]:
        assert frame.select(plain_expr(pl.col("x")).alias("y"))["y"][0] == text
        assert plain(text) == text


@given(texts)
def test_columns_and_single_texts_are_cleaned_alike(text: str) -> None:
    """`plain` and `plain_expr` agree, the column's own rules (blank, dash, apostrophe) apart."""
    if not text.startswith(("'", '"')) and "'" not in text and plain(text) not in {"", "-"}:
        assert cleaned(text) == [plain(text)]
