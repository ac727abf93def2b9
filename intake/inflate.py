"""Unpacks one entry of an archive piece by piece, as far as its bytes go: sizes that the archive claims are not believed."""

import zipfile
import zlib
from collections.abc import Iterator

#: packed bytes that are unpacked at once, and most unpacked bytes of one piece
PACKED_BYTES = 64 << 10
READ_BYTES = 1 << 20
_HEAD_BYTES = 30
#: where a local head says how long name and extra field are
_NAME_AT = 26


def inflate(data: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a deflated entry whose local head has been looked at; raises zlib.error, EOFError when it is damaged."""
    head = entry.header_offset
    name, extra = (
        int.from_bytes(data[at : at + 2], "little") for at in (head + _NAME_AT, head + _NAME_AT + 2)
    )
    begin = head + _HEAD_BYTES + name + extra
    packed = memoryview(data)[begin : begin + entry.compress_size]
    machine, check = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for at in range(0, len(packed), PACKED_BYTES):
        left: bytes | memoryview = packed[at : at + PACKED_BYTES]
        while left and not machine.eof:
            if piece := machine.decompress(left, READ_BYTES):
                check = zlib.crc32(piece, check)
                yield piece
            left = machine.unconsumed_tail
    if not machine.eof or check != entry.CRC:
        raise EOFError
