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
_SPECIAL = (b"&", b"\r", b"_x")
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
        count = block.count(_CLOSE)
        texts = _parted(block, count)
        if texts is None:
            texts = _asked(block, count, ask)
        if texts is None:
            return None
        found.append(texts)
    texts = pl.concat(found, rechunk=True)
    return texts if len(texts) else None


def _asked(block: bytes, count: int, ask: Ask) -> pl.Series | None:
    """Return the texts of a block that holds more than plain texts; None when we cannot say which they are."""
    is_counted = count == block.count(_OPEN) == block.count(b"<si")
    if not is_counted or any(one in block for one in _STRANGE):
        return None
    if not count:
        return pl.Series("text", [], dtype=pl.String)
    body = block[block.find(_OPEN) : block.rfind(_CLOSE) + len(_CLOSE)]
    texts = _parted(body, count)
    return ask(body, count) if texts is None else texts


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
    """Return the texts of elements that hold nothing but plain text, one straight behind the other; None when there is more."""
    begin, is_cut = next((one for one in _PLAIN if body.startswith(one[0])), (b"", True))
    if not begin or not body.endswith(_PLAIN_END):
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
