"""What an engine says of a file that it cannot use, in our own words: the engine's may quote what was being written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from domain.errors import BadSetting, PratunamError

_DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_RESTORE_EN = "Stop the gate, keep the file, and restore the last backup (docs/operations.md); `pratunam doctor` says more."
_RESTORE_TH = "หยุดระบบ เก็บแฟ้มเดิมไว้ แล้วกู้คืนสำเนาล่าสุด (docs/operations.md) ดูรายละเอียดด้วย `pratunam doctor`"


def in_words(error: BaseException, name: str = "The ledger") -> PratunamError | None:
    """Return the error of ours that says what an engine's error means for the file of this name; None for any other error."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.Error):
        return None
    code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return BadSetting(
            f"{name} is damaged, or is no file of ours.",
            message_th=f"{name} เสียหาย หรือไม่ใช่แฟ้มของระบบนี้",
            remedy_en=_RESTORE_EN,
            remedy_th=_RESTORE_TH,
        )
    if code == sqlite3.SQLITE_FULL:
        return PratunamError(
            f"{name} could not be written: the disk is full. Nothing was changed.",
            message_th=f"เขียน {name} ไม่ได้ เพราะดิสก์เต็ม ยังไม่มีการเปลี่ยนแปลงใด ๆ",
            remedy_en="Free some space, then do it again.",
            remedy_th="เพิ่มเนื้อที่ว่าง แล้วสั่งอีกครั้ง",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return PratunamError(
            f"{name} is in use by another program for too long. Nothing was changed.",
            message_th=f"{name} ถูกโปรแกรมอื่นใช้อยู่นานเกินไป ยังไม่มีการเปลี่ยนแปลงใด ๆ",
            remedy_en="End what has it open (a backup program, an SQL shell), then do it again.",
            remedy_th="ปิดโปรแกรมที่เปิดแฟ้มนี้อยู่ แล้วสั่งอีกครั้ง",
        )
    return PratunamError(
        f"{name} could not be read or written ({getattr(origin, 'sqlite_errorname', type(origin).__name__)}).",
        message_th=f"อ่านหรือเขียน {name} ไม่ได้",
        remedy_en="Check the rights of the home and the disk; `pratunam doctor` says more.",
        remedy_th="ตรวจสอบสิทธิ์ของโฟลเดอร์ระบบและดิสก์ ดูรายละเอียดด้วย `pratunam doctor`",
    )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have what the engine says of `path` while it is opened come as an error of ours that names it."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        raise (in_words(error, str(path)) or error) from None
