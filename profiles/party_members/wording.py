"""Makes text plain: what the eye cannot see is taken out, what looks alike becomes alike. Knows no field.

Whole columns where files are read (`clean_columns`), single texts where headers and tables are (`plain`).
"""

import re
import unicodedata
from dataclasses import dataclass

import polars as pl

THAI_DIGITS = "๐๑๒๓๔๕๖๗๘๙"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
CONTROL = "\x00-\x1f\x7f-\x9f\ufffd"
SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: Anything but plain spaces, printable ASCII and Thai as it should stand makes a cell worth a second look: so do a quote or
#: a backslash (escaped in JSON), a lone dash, marks in the wrong order, spaces at the ends or doubled, a spreadsheet's apostrophe.
SUSPECT = r'[^ !#-\[\]-~ก-ฺ฿-์๎๏๚๛]|["\\]|[ุ-ฺ่-๋][ุ-ฺ]|ำ[่-๋]|^ | $|  |^-?$|^\''
_SAMPLE = 2000
_SARA_AM = ("\u0e4d([\u0e48-\u0e4b]?)\u0e32", "${1}\u0e33")
_LATE_TONE = "(\u0e33+)([\u0e48-\u0e4b]+)"
_ASCII_DIGITS = str.maketrans(THAI_DIGITS, "0123456789")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Columns in plain form; `bidi` and `control` name the cells that may not stand, as (column, mask); `quoted` need escapes."""

    frame: pl.DataFrame
    bidi: tuple[tuple[str, pl.Series], ...]
    control: tuple[tuple[str, pl.Series], ...]
    quoted: frozenset[str]


def plain(text: str) -> str:
    """Return a text in NFC with SARA AM composed, Thai digits as ASCII, invisible characters out, spaces single and trimmed."""
    text = unicodedata.normalize("NFC", re.sub(f"[{INVISIBLE}]", "", text))
    text = re.sub("\u0e4d([\u0e48-\u0e4b]?)\u0e32", "\\1\u0e33", text)
    while re.search(_LATE_TONE, text):
        text = re.sub(_LATE_TONE, "\\2\\1", text)
    return " ".join(re.sub(f"[{SPACES}]", " ", text).translate(_ASCII_DIGITS).split())


def plain_expr(text: pl.Expr) -> pl.Expr:
    """Return the expression of `plain` for a cell: bidi and control characters go too, blank and a lone dash become null."""
    done = (
        text.str.replace_all(f"[{INVISIBLE}{BIDI}]", "").str.strip_chars().str.replace_all(f"[{CONTROL}]", "")
    )
    done = done.str.normalize("NFC").str.replace_all(*_SARA_AM).str.replace_all(_LATE_TONE, "${2}${1}")
    done = done.str.replace_all(f"[{SPACES} ]+", " ").str.replace_many(list(THAI_DIGITS), list("0123456789"))
    done = done.str.strip_chars().str.replace(r"^'([=+\-@＝\d])", "${1}")
    return pl.when(done.is_in(["", "-", "–", "—"])).then(None).otherwise(done)


def _in_order(texts: pl.Series) -> pl.Series:
    """Move tone marks before SARA AM until all stand there: once is enough for every text that people write."""
    while texts.str.contains(_LATE_TONE).any():
        texts = texts.str.replace_all(_LATE_TONE, "${2}${1}")
    return texts


def clean_columns(frame: pl.DataFrame, columns: list[str]) -> Cleaned:
    """Bring text columns into plain form; only suspect cells are touched, so that a tidy file costs one look a cell."""
    # a blank cell needs no look: it is null at once
    frame = frame.with_columns(pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in columns)
    fixed: list[pl.Series] = []
    bidi: list[tuple[str, pl.Series]] = []
    control: list[tuple[str, pl.Series]] = []
    quoted: set[str] = set()
    for name in _untidy(frame, columns):
        suspect = frame[name].str.contains(SUSPECT).fill_null(False)
        cells = frame.select(name).filter(suspect)
        seen = cells.select(
            pl.col(name).str.strip_chars().str.contains(f"[{BIDI}]").alias("bidi"),
            pl.col(name).str.strip_chars().str.contains(f"[{CONTROL}]").alias("control"),
            pl.col(name).str.contains(r'["\\]').any().alias("quoted"),
            plain_expr(pl.col(name)).alias("plain"),
        )
        fixed.append(_put_back(frame[name], suspect, _in_order(seen["plain"])))
        bidi += [(name, _spread(suspect, seen["bidi"]))] if seen["bidi"].any() else []
        control += [(name, _spread(suspect, seen["control"]))] if seen["control"].any() else []
        quoted |= {name} if seen["quoted"][0] else set()
    return Cleaned(frame.with_columns(fixed), tuple(bidi), tuple(control), frozenset(quoted))


def _untidy(frame: pl.DataFrame, columns: list[str]) -> list[str]:
    """Return the columns with a suspect cell; in columns of few different texts each text is looked at once."""
    if not columns:
        return []
    sample = frame.head(_SAMPLE).select(pl.col(c).n_unique() for c in columns).row(0, named=True)
    few = {c for c, different in sample.items() if frame.height > _SAMPLE and different < _SAMPLE // 4}
    texts = ((pl.col(c).unique() if c in few else pl.col(c)) for c in columns)
    suspects = frame.select(text.str.contains(SUSPECT).any() for text in texts).row(0, named=True)
    return [c for c, suspect in suspects.items() if suspect]


def _put_back(column: pl.Series, suspect: pl.Series, cells: pl.Series) -> pl.Series:
    """Return the column with `cells` in the places of the mask, by one gather."""
    pool = pl.concat([column, cells])
    place = pl.select(
        pl.when(suspect)
        .then(suspect.cum_sum() + (column.len() - 1))
        .otherwise(pl.int_range(column.len(), dtype=pl.UInt32))
    ).to_series()
    return pool.gather(place).alias(column.name)


def _spread(suspect: pl.Series, seen: pl.Series) -> pl.Series:
    """Return a mask of the whole column from one of its suspect cells."""
    places = suspect.arg_true().filter(seen)
    return pl.int_range(suspect.len(), dtype=pl.UInt32, eager=True).is_in(places.implode())
