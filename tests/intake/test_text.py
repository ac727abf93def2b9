"""Encodings piece by piece: wherever a piece ends, the text is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadFile
from intake.text import THAI874, UTF8, UTF16, Transcoder

THAI = st.text("กขคงจฉชญฎนมยรลวสหอฮะาิีึืุูเแโใไ่้๊๋์ำ๑๒๓abc,;\n", max_size=60)


def through(data: bytes, size: int) -> tuple[str, str]:
    """Return encoding and text of `data` handed over in pieces of `size` (the first holds four bytes at least)."""
    coder = Transcoder()
    size = max(4, size)
    out = b"".join(coder.feed(data[at : at + size]) for at in range(0, len(data), size)) + coder.feed(
        b"", final=True
    )
    return coder.encoding, out.decode()


@given(THAI, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.integers(4, 40))
def test_the_size_of_a_piece_does_not_matter(text: str, encoding: str, size: int) -> None:
    """Also when it cuts a letter or a mark in two."""
    assert through(text.encode(encoding), size)[1] == text


@given(THAI, st.integers(4, 40))
def test_windows_874_is_read_whatever_the_pieces(text: str, size: int) -> None:
    """An ASCII beginning does not settle the encoding."""
    data = b"plain beginning\n" + "กรุงเทพ".encode("cp874") + text.encode("cp874")
    assert through(data, max(size, 24)) == (THAI874, "plain beginning\nกรุงเทพ" + text)


@given(st.lists(st.sampled_from(["a", "\r", "\n", "\r\n"]), max_size=12).map("".join), st.integers(4, 9))
def test_every_kind_of_line_end_becomes_one_line_feed(text: str, size: int) -> None:
    """Also one that is cut in two."""
    assert through(("head" + text).encode(), size)[1] == ("head" + text).replace("\r\n", "\n").replace(
        "\r", "\n"
    )


def test_encodings_are_named() -> None:
    """As the dry run shows them."""
    assert through("ไทยไทย".encode(), 100)[0] == UTF8
    assert through("ไทย".encode("utf-16"), 100)[0] == UTF16


def test_a_later_line_in_another_encoding_is_named() -> None:
    """The line counts over pieces."""
    data = "สวัสดีครับ\n".encode() * 50 + "สวัสดีครับ\n".encode("cp874")
    with pytest.raises(BadFile, match="line 51"):
        through(data, 64)
    back = "สวัสดีครับ\n".encode("cp874") * 50 + "สวัสดีครับ\n".encode()
    with pytest.raises(BadFile, match="line 51"):
        through(back, 2000)
