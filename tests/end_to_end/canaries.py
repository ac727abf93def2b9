"""Words planted in files, and a search for them in any bytes: in every encoding, escaped, in base64, and after decompression."""

import base64
import contextlib
import gzip
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import zstandard

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp874")
#: what a compressed stream begins with
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
#: of what a stream holds, so much is looked at (bytes)
_MOST = 1 << 26
_MOUTHFUL = 1 << 12
#: a shorter needle would be found by chance
_SHORTEST = 8


class Search:
    """Looks for some words in whatever it is shown."""

    def __init__(self, words: Iterable[str]) -> None:
        """Make every form in which a word might lie about."""
        forms = {form for word in words for form in _forms(word)}
        self._needles = sorted(form for form in forms if len(form) >= _SHORTEST)

    def found_in(self, data: bytes, depth: int = 2) -> bool:
        """Say whether one of the words stands in these bytes, also inside compressed streams."""
        if any(needle in data for needle in self._needles):
            return True
        return depth > 0 and any(self.found_in(inner, depth - 1) for inner in _unpacked(data))

    def under(self, folder: Path) -> list[str]:
        """Return what under a folder holds one of the words: files, and cells of SQLite databases (which pages may cut)."""
        found = []
        for path in sorted(folder.rglob("*")):
            if path.is_file() and (self.found_in(path.read_bytes()) or self._in_cells(path)):
                found.append(path.relative_to(folder).as_posix())
        return found

    def _in_cells(self, path: Path) -> bool:
        return path.suffix == ".db" and any(self.found_in(cell) for cell in _cells(path))


def _forms(word: str) -> Iterator[bytes]:
    for encoding in _ENCODINGS:
        with contextlib.suppress(UnicodeEncodeError):
            raw = word.encode(encoding)
            yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
            yield from _base64(raw)
            yield quote(raw).encode()
            yield quote(raw).lower().encode()
    escaped = json.dumps(word)[1:-1]
    yield from (escaped.encode(), escaped.upper().replace("\\U", "\\u").encode())


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield the middle of base64 for each of the three places at which the word may begin."""
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + raw)
        middle = whole[4:-4]
        yield from (middle, middle.translate(bytes.maketrans(b"+/", b"-_")))


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what every compressed stream in these bytes holds, as far as it can be read."""
    view = memoryview(data)
    for at in _places(data, _ZSTD):
        with contextlib.suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompressobj().decompress(view[at:])
    for head, window in ((_GZIP, 31), *((each, 15) for each in _ZLIB)):
        for at in _places(data, head):
            with contextlib.suppress(zlib.error):
                # most of what looks like a stream is none, which a first mouthful shows
                zlib.decompressobj(window).decompress(view[at : at + _MOUTHFUL], _MOST)
                yield zlib.decompressobj(window).decompress(view[at:], _MOST)


def _places(data: bytes, head: bytes) -> Iterator[int]:
    at = data.find(head)
    while at >= 0:
        yield at
        at = data.find(head, at + 1)


def _cells(path: Path) -> Iterator[bytes]:
    with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        yield cell
                    elif isinstance(cell, str):
                        yield cell.encode()


def disguises(word: str) -> dict[str, bytes]:
    """Return texts with a word in each disguise that the search must see through."""
    plain = f"before {word} after"
    return {encoding: plain.encode(encoding) for encoding in _ENCODINGS} | {
        "escapes": json.dumps(plain).encode(),
        "percent": quote(plain).encode(),
        "base64": base64.b64encode(b"." + plain.encode()),
        "base64 shifted": base64.b64encode(b".." + plain.encode()),
        "zstd": b"xx" + zstandard.compress(plain.encode()),
        "zlib": b"xx" + zlib.compress(plain.encode()),
        "gzip of utf-16": b"xx" + gzip.compress(plain.encode("utf-16-le")),
        "base64 in zstd": zstandard.compress(base64.b64encode(plain.encode())),
    }
