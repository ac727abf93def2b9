"""Shared texts that are parted here are those that the reader reads, however they are spelled and wherever the pieces end."""

import io
import zipfile
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadFile
from intake.sheet_package import SheetPackage, read_sheet
from intake.sheet_texts import read_texts
from intake.workbook import Workbook
from tests.intake.samples import as_xlsx

SHARED = "xl/sharedStrings.xml"
_NAMES = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_BEGIN = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst ' + _NAMES + b' count="1">'
_SHEET = b"<worksheet " + _NAMES + b"><sheetData>%s</sheetData></worksheet>"
_EMPTY = as_xlsx({"a": [["x"]]})
#: letters that mean something to XML, to a spreadsheet or at a text's end
LETTERS = st.sampled_from([*"ab ก\u0e33_x07>;&\n\t\u00a0\u200b", "_x0041_", "&amp;", "&#65;", "\r\n"])
WORDS = st.lists(LETTERS, max_size=6).map("".join)
FORMS = st.sampled_from(
    [
        "<si><t>{}</t></si>",
        "<si><t>{}</t></si>\n",
        '<si><t xml:space="preserve">{}</t></si>',
        "<si><r><t>{}</t></r><r><rPr><b/></rPr><t xml:space='preserve'> r</t></r></si>",
        "<si><t>{}</t><rPh sb='0' eb='1'><t>q</t></rPh></si>\n",
        "<si></si>",
        "<si><t/></si>",
        "<si><t>{}</t><t>{}</t></si>",
    ]
)


def elements(form: str, word: str) -> bytes:
    """Return an element in which a word stands; a lone & is none."""
    plain = word.replace("&amp;", "\0").replace("&#65;", "\1").replace("&", "")
    return form.replace("{}", plain.replace("\0", "&amp;").replace("\1", "&#65;")).encode()


def package(shared: bytes, count: int) -> bytes:
    """Return a workbook with these shared texts, and a sheet whose rows refer to one after the other."""
    rows = b"".join(b'<row><c t="s"><v>%d</v></c><c><v>1</v></c></row>' % at for at in range(count))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_EMPTY)) as old, zipfile.ZipFile(out, "w") as new:
        for name in {*old.namelist(), SHARED}:
            sheet = name.startswith("xl/worksheets/") and name.endswith(".xml")
            new.writestr(name, shared if name == SHARED else _SHEET % rows if sheet else old.read(name))
    return out.getvalue()


def ours(data: bytes, shared: bytes, piece: int) -> list[str] | None:
    """Return the texts as we read them, so many bytes a piece."""
    book = Workbook(data)
    pieces: Iterator[bytes] = (shared[at : at + piece] for at in range(0, len(shared), piece))
    found = read_texts(pieces, SheetPackage(book, book.sheets[0])._ask)
    return None if found is None else found.to_list()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(FORMS, WORDS), min_size=1, max_size=8),
    st.one_of(st.none(), FORMS),
    st.integers(5, 90),
)
def test_texts_are_those_that_the_reader_reads(
    told: list[tuple[str, str]], one_form: str | None, piece: int
) -> None:
    """Blanks at the ends, references to letters, escapes, line ends, runs and phonetics; one form for all, or several."""
    shared = _BEGIN + b"".join(elements(one_form or form, word) for form, word in told) + b"</sst>"
    data = package(shared, len(told))
    theirs = read_sheet(data, "a", from_top=True).to_series()
    assert ours(data, shared, piece) == theirs.to_list()


@pytest.mark.parametrize("preserve", [b"", b' xml:space="preserve"'])
def test_plain_texts_are_not_asked_of_the_reader(preserve: bytes) -> None:
    """What most programs write is parted whole."""

    def ask(body: bytes, count: int) -> pl.Series | None:
        raise AssertionError(body)

    shared = _BEGIN + b"".join(b"<si><t%s>%d</t></si>" % (preserve, at) for at in range(50)) + b"</sst>"
    found = read_texts((shared[at : at + 77] for at in range(0, len(shared), 77)), ask)
    assert found is not None
    assert found.to_list() == [str(at) for at in range(50)]


@pytest.mark.parametrize(
    "odd",
    [
        b"<!--<si><t>no</t></si>--><si><t>b</t></si>",
        b"<?x <si><t>no</t></si>?><si><t>b</t></si>",
        b"<si ><t>b</t></si>",
        b"<si/><si><t>c</t></si>",
        b"<si><t>b</t></si >",
        b"<si><si><t>b &amp;</t></si></si>",
        b'<si><t>&amp;</t></is></c><c t="inlineStr"><is><t>b</t></si>',
        b'<m:si xmlns:m="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><t>b</t></m:si><si><t>&amp;</t></si>',
    ],
)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("piece", [30, 4000])
def test_texts_that_cannot_be_counted_are_left_to_the_reader(odd: bytes, place: int, piece: int) -> None:
    """A comment, an instruction, an empty element, a second name: before the first text or behind it."""
    texts = [b"<si><t>a &lt;</t></si>"]
    texts.insert(place, odd)
    assert ours(_EMPTY, _BEGIN + b"".join(texts) + b"</sst>", piece) is None


def test_a_text_that_does_not_end_is_no_text() -> None:
    """Such a workbook is damaged; nothing is made up for it."""
    with pytest.raises(BadFile, match="cannot be read"):
        ours(_EMPTY, _BEGIN + b"<si><t>b<t></si></sst>", 4000)


def test_texts_in_other_letters_are_left_to_the_reader() -> None:
    """Only what says that it is UTF-8, or nothing, is taken for it."""
    shared = _BEGIN.replace(b"UTF-8", b"windows-874") + b"<si><t>a</t></si></sst>"
    assert ours(_EMPTY, shared, 4000) is None
