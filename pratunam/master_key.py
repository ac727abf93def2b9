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
            remedy_en="`pratunam up` makes one on first use; a restored home needs the key that it was sealed with.",
        ) from None
    if mode & 0o077:
        raise BadSetting(f"The master key {path} can be read by others.", remedy_en=f"chmod 0400 {path}")
    if len(key) != _BYTES:
        raise BadSetting(
            f"The master key {path} is not {_BYTES} bytes long.", remedy_en="Put back the right file."
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
