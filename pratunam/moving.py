"""Takes a stopped home into PostgreSQL: sees that nothing runs on it, and that its keys open, before anything is touched."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import BadSetting, Conflict
from ledger.database import Database, version_of
from ledger.keystore import KeyStore
from ledger.ledger import FILE
from ledger.move import Moved, look_over, move
from pratunam.child import ready_children
from pratunam.master_key import read_master_key
from pratunam.running import what_runs
from pratunam.settings import Settings


def move_home(settings: Settings, database: Database, *, dry_run: bool) -> Moved:
    """Move it, or only count. Raises Conflict while it runs, BadSetting where there is nothing to move, and what `ledger.move` raises."""
    if not (settings.home / FILE).exists():
        raise BadSetting(
            f"There is no ledger in {settings.home}.",
            message_th=f"ไม่พบสมุดงานกลางใน {settings.home}",
            remedy_en="Name the home that shall be moved: --home DIR.",
            remedy_th="ระบุโฟลเดอร์ของระบบที่จะย้าย: --home DIR",
        )
    with _stopped(settings):
        version_of(database)
        if dry_run:
            return look_over(settings.home)
        KeyStore(settings.home / "keys.db", read_master_key(settings.master_key_path)).close()
        return move(settings.home, database)


@contextmanager
def _stopped(settings: Settings) -> Iterator[None]:
    """Hold the lock that `up` takes; raises Conflict while anything runs on the home."""
    settings.run_folder.mkdir(mode=0o700, exist_ok=True)
    with (settings.run_folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _runs() from None
        if what_runs(settings) is not None or ready_children(settings):
            raise _runs()
        yield


def _runs() -> Conflict:
    return Conflict(
        "This home is in use: a ledger is moved only while nothing works on it.",
        message_th="ระบบนี้กำลังทำงานอยู่ จึงยังย้ายข้อมูลไม่ได้",
        remedy_en="Stop `pratunam up`, and every scheduler and worker on this home, then move.",
        remedy_th="หยุด `pratunam up` และกระบวนการทั้งหมดของระบบนี้ก่อน แล้วสั่งย้ายใหม่",
    )
