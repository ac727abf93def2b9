"""Sealing: what leaves memory for a disk goes through here. It knows keys and bytes, not what they mean or where they are kept."""

import os
import threading

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
#: zstd level: 1 keeps pace with the check, higher ones win little on rows of JSON
LEVEL = 1
#: no sealed value is longer when it is unpacked: what a frame claims is not believed beyond that
MOST_UNPACKED = 512 << 20

_local = threading.local()


def aad(party: str, job: str, *parts: str | int) -> bytes:
    """Return associated data that binds a sealed value to its place; every part carries its length, so none can slide."""
    encoded = [str(part).encode() for part in (party, job, *parts)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def pack(plain: bytes) -> bytes:
    """Return bytes compressed with zstd; for what is packed in one process and sealed in another."""
    return _compressor().compress(plain)


def unpack(packed: bytes) -> bytes:
    """Return what `pack` was given; raises SealBroken for anything else, and for what would unpack to far too much."""
    try:
        if zstandard.frame_content_size(packed) > MOST_UNPACKED:
            raise _broken()
        return _decompressor().decompress(packed)
    except zstandard.ZstdError:
        raise _broken() from None


class Sealer:
    """Seals with one key: zstd, then AES-256-GCM with a random 96-bit nonce in front (NIST SP 800-38D)."""

    def __init__(self, key: bytes) -> None:
        """Take a 32-byte key; raises ValueError for another length."""
        if len(key) != KEY_BYTES:
            raise ValueError("a sealing key has 32 bytes")
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Return `plain` compressed and encrypted, bound to `aad`."""
        return self.seal_packed(pack(plain), aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the plain bytes; raises SealBroken for a wrong key, other associated data or changed bytes."""
        return unpack(self.open_packed(sealed, aad))

    def seal_packed(self, packed: bytes, aad: bytes) -> bytes:
        """Return what is compressed already encrypted, bound to `aad`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, packed, aad)

    def open_packed(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the bytes as `seal_packed` was given them; raises SealBroken as `open` does."""
        held = memoryview(sealed)
        try:
            return self._cipher.decrypt(bytes(held[:NONCE_BYTES]), held[NONCE_BYTES:], aad)
        except (InvalidTag, ValueError):
            raise _broken() from None


def _broken() -> SealBroken:
    return SealBroken(
        message_th="ข้อมูลที่ผนึกไว้เปิดไม่ได้",
        remedy_en="Check that the master key and the key store belong to this home.",
        remedy_th="ตรวจสอบว่ากุญแจหลักและที่เก็บกุญแจเป็นของระบบนี้",
    )


def _compressor() -> zstandard.ZstdCompressor:
    # one a thread: zstd's contexts must not be shared, and making one costs more than a small box
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=LEVEL)
    found: zstandard.ZstdCompressor = _local.compressor
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    found: zstandard.ZstdDecompressor = _local.decompressor
    return found
