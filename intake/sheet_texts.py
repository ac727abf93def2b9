"""The texts that a workbook's cells share, read once and piece by piece into one column.

Texts without any markup of their own are parted here; what is spelled otherwise is asked of the reader, as cells of a sheet.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import polars as pl

_OPEN, _CLOSE = b"<si>", b"</si>"
#: a text alone in its element: as programs write nearly all of them; the second keeps blanks at its ends, the reader cuts others'
_PLAIN = ((b"<si><t>", True), (b'<si><t xml:space="preserve">', False))
_PLAIN_END = b"</t></si>"
_TAGS = 4
#: signs that only the reader knows to take: references to letters, line ends
_SPECIAL = (b"&", b"_x", b"\r")
#: what could hide a text from us or show us one that is none: comments, instructions, a second name for the element
_STRANGE = (b"<!", b"<?", b":si")
#: what a package's part begins with, where its letters are those that we take them for
_DECLARATION = re.compile(
    rb"""^(?:\xef\xbb\xbf)?<\?xml(?:(?!encoding)[^>])*(?:encoding\s*=\s*["']utf-8["'][^>]*)?\?>""",
    re.IGNORECASE,
)

#: reads elements `si`, so many, as the reader does; None when it finds another number of texts
Ask = Callable[[bytes, int], pl.Series | None]


def read_texts(pieces: Iterable[bytes], ask: Ask) -> pl.Series | None:
    """Return all shared texts in their order; None where they are spelled so that we cannot count them. `ask` raises BadFile."""
    found: list[pl.Series] = []
    for number, whole in enumerate(_blocks(pieces)):
        block = whole if number else _DECLARATION.sub(b"", whole)
        count = block.count(_OPEN)
        is_counted = count == block.count(b"<si") == block.count(_CLOSE)
        if not is_counted or any(one in block for one in _STRANGE):
            return None
        if not count:
            continue
        body = block[block.find(_OPEN) : block.rfind(_CLOSE) + len(_CLOSE)]
        texts = _parted(body, count)
        if texts is None:
            texts = ask(body, count)
        if texts is None:
            return None
        found.append(texts)
    return pl.concat(found, rechunk=True) if found else None


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes in blocks that end with a text's end; what follows the last comes last."""
    held: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(_CLOSE) + len(_CLOSE)
        if end >= len(_CLOSE):
            yield b"".join((*held, piece[:end]))
            held = [piece[end:]]
        else:
            held.append(piece)
    yield b"".join(held)


def _parted(body: bytes, count: int) -> pl.Series | None:
    """Return the texts of elements that hold nothing but plain text; None when one holds more."""
    begin, is_cut = next((one for one in _PLAIN if body.startswith(one[0])), (b"", True))
    if not begin:
        return None
    if body.count(b"<") != _TAGS * count or any(sign in body for sign in _SPECIAL):
        return None
    try:
        whole = body[len(begin) : -len(_PLAIN_END)].decode()
    except UnicodeDecodeError:
        return None
    texts = pl.Series("text", [whole]).str.split((_PLAIN_END + begin).decode()).explode()
    if len(texts) != count or (is_cut and (texts.str.strip_chars() != texts).any()):
        return None
    return texts
