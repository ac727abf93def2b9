"""Counts an archive's entries as they really are while they are unpacked, and refuses those that mean harm; keeps nothing."""

import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from domain.errors import BadFile
from intake.faults import SAVE_AS_EN, SAVE_AS_TH, bad_file

MOST_RATIO = 100
#: bytes below which a ratio says nothing
SMALL_ENTRY = 1 << 20
#: bytes in which text of two bytes a letter gives itself away
_HEAD_BYTES = 64
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


class Measured:
    """One entry's pieces on their way, counted as they really are."""

    def __init__(self, entry: zipfile.ZipInfo, source: Iterator[bytes], left: int) -> None:
        """Take an entry's pieces; `left` bytes may come."""
        self.size = 0
        self.is_refused = False
        self.pieces = self._watched(entry, source, left)

    def _watched(self, entry: zipfile.ZipInfo, source: Iterator[bytes], left: int) -> Iterator[bytes]:
        """Yield the pieces; raises BadFile, and remembers it, for what no workbook holds."""
        packed, tail = max(1, entry.compress_size), b""
        xml = entry.filename.endswith((".xml", ".rels", ".vml"))
        try:
            for piece in source:
                is_head, self.size = self.size < _HEAD_BYTES, self.size + len(piece)
                if self.size > left or (self.size > SMALL_ENTRY and self.size > MOST_RATIO * packed):
                    raise bomb("a part that unpacks to very much more than its size", "ส่วนที่แตกออกแล้วใหญ่ผิดปกติ")
                if xml:
                    if _defines(tail, piece) or (is_head and b"\x00" in piece[:_HEAD_BYTES]):
                        raise entities()
                    tail = piece[-16:]
                yield piece
        except BadFile:
            self.is_refused = True
            raise


def ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces; the next is unpacked while one is looked at."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, pieces, b"")
        while piece := coming.result():
            coming = thread.submit(next, pieces, b"")
            yield piece


def _defines(tail: bytes, piece: bytes) -> bool:
    # an exclamation mark is rare, and found much faster than what follows it
    return (b"!" in piece or b"!" in tail) and bool(_DOCTYPE.search(tail + piece))


def entities() -> BadFile:
    """Return the error for XML that defines things."""
    return bad_file(
        "The workbook holds XML definitions (DTD, entities) that no spreadsheet program writes.",
        "สมุดงานมีคำนิยาม XML (DTD, entity) ซึ่งโปรแกรมตารางปกติไม่เขียน",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def bomb(en: str, th: str) -> BadFile:
    """Return the error for a package that is far from what a program makes; the words say what it has."""
    return bad_file(
        f"The workbook is not taken: it has {en}.", f"ไม่รับสมุดงานนี้ เพราะมี{th}", SAVE_AS_EN, SAVE_AS_TH
    )
