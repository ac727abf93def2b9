"""A file's bytes become UTF-8 with plain line feeds, piece by piece; it must never hold more than a piece.

UTF-8 with or without mark, UTF-16 by its mark, else strict UTF-8, else Windows-874 (of which TIS-620 is a part).
"""

import codecs
import re

from intake.faults import cut_text, mixed_encodings, unknown_encoding

UTF8 = "UTF-8"
UTF8_MARK = "UTF-8 with BOM"
UTF16 = "UTF-16"
THAI874 = "Windows-874"
ASCII = "ASCII"

#: three Thai letters of UTF-8 in a row, read as Windows-874, are “เธ?เธ?เธ?”: no Thai word
_UTF8_THAI = re.compile(rb"(?:\xe0[\xb8\xb9][\x80-\xbf]){3}")


class Transcoder:
    """Turns pieces of one file into UTF-8; `encoding` is known once a letter beyond ASCII has been seen."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self.encoding = ""
        self._lines = 0
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held_return = False

    def feed(self, piece: bytes, *, final: bool = False) -> bytes:
        """Return the piece as UTF-8; raises BadFile naming the line where the encoding breaks."""
        if not self.encoding:
            piece = self._begin(piece)
        if self.encoding == ASCII and not piece.isascii():
            self._decide(piece)
        text = self._newlines(self._transcode(piece, final=final), final=final)
        self._lines += text.count(b"\n")
        return text

    def _begin(self, piece: bytes) -> bytes:
        """Look at the byte order mark; the first piece must hold at least four bytes of a longer file."""
        if piece.startswith(codecs.BOM_UTF8):
            self.encoding = UTF8_MARK
            self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
            return piece[3:]
        if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.encoding = UTF16
            self._decoder = codecs.getincrementaldecoder("utf-16")("strict")
            return piece
        self.encoding = ASCII
        return piece

    def _decide(self, piece: bytes) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            self.encoding = THAI874
            self._decoder = codecs.getincrementaldecoder("cp874")("strict")
            return
        self.encoding = UTF8
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def _transcode(self, piece: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            return piece
        if self.encoding == THAI874 and (found := _UTF8_THAI.search(piece)):
            raise mixed_encodings(self._line(piece, _break(piece, found.start())))
        try:
            text = self._decoder.decode(piece, final=final)
        except UnicodeDecodeError as error:
            raise self._fault(piece, error) from None
        # what is valid UTF-8 passes as it is: encoding it again would only cost time
        return piece if self.encoding in {UTF8, UTF8_MARK} else text.encode()

    def _fault(self, piece: bytes, error: UnicodeDecodeError) -> Exception:
        # the decoder may have put bytes of the piece before in front of this one
        carried = len(error.object) - len(piece)
        line = self._line(piece, max(0, error.start - carried))
        if error.reason in {"unexpected end of data", "truncated data"}:
            return cut_text(line)
        return unknown_encoding(line) if self.encoding in {UTF16, THAI874} else mixed_encodings(line)

    def _line(self, piece: bytes, upto: int) -> int:
        return self._lines + piece[:upto].count(b"\n") + 1

    def _newlines(self, text: bytes, *, final: bool) -> bytes:
        if self._held_return:
            text = b"\r" + text
            self._held_return = False
        if b"\r" not in text:
            return text
        if text.endswith(b"\r") and not final:
            text = text[:-1]
            self._held_return = True
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _break(piece: bytes, utf8_at: int) -> int:
    """Return where the second of the two encodings begins: the first byte that UTF-8 refuses, when it comes later."""
    try:
        piece.decode()
    except UnicodeDecodeError as error:
        return max(utf8_at, error.start)
    return utf8_at
