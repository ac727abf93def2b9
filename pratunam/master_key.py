"""The master key: 32 random bytes in a file of mode 0400, outside the home. Whoever has it can open every job key."""

import os
import secrets
from pathlib import Path

from domain.errors import BadSetting

_BYTES = 32


def read_master_key(path: Path) -> bytes:
    """Return the key; raises BadSetting when it is missing, readable by others, or of the wrong length."""
    try:
        mode = path.stat().st_mode
        key = path.read_bytes()
    except FileNotFoundError:
        raise BadSetting(
            f"There is no master key at {path}.",
            message_th=f"ไม่พบกุญแจหลักที่ {path}",
            remedy_en="`pratunam up` makes one on first use; a restored home needs the key that it was sealed with.",
            remedy_th="`pratunam up` สร้างให้เมื่อใช้ครั้งแรก ระบบที่กู้คืนต้องใช้กุญแจเดิมที่ผนึกข้อมูลไว้",
        ) from None
    except OSError as error:
        raise BadSetting(
            f"The master key {path} cannot be read: {error.strerror}.",
            message_th=f"อ่านกุญแจหลัก {path} ไม่ได้",
            remedy_en="Point PRATUNAM_MASTER_KEY_FILE at the key's file, mode 0400, owned by who runs the gate.",
            remedy_th="กำหนด PRATUNAM_MASTER_KEY_FILE ให้เป็นแฟ้มกุญแจ สิทธิ์ 0400 ที่ผู้ใช้ระบบเป็นเจ้าของ",
        ) from None
    if mode & 0o077:
        raise BadSetting(
            f"The master key {path} can be read by others.",
            message_th=f"ผู้อื่นอ่านกุญแจหลัก {path} ได้",
            remedy_en=f"chmod 0400 {path}",
            remedy_th=f"สั่ง chmod 0400 {path}",
        )
    if len(key) != _BYTES:
        raise BadSetting(
            f"The master key {path} is not {_BYTES} bytes long.",
            message_th=f"กุญแจหลัก {path} ไม่ได้ยาว {_BYTES} ไบต์",
            remedy_en="Put back the right file.",
            remedy_th="นำแฟ้มกุญแจที่ถูกต้องกลับมา",
        )
    return key


def make_master_key(path: Path) -> bool:
    """Make the key where there is none; say whether it was made. Two processes at once make one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        os.write(handle, secrets.token_bytes(_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)  # atomic, and fails where another was faster
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
