"""Takes a stopped home into PostgreSQL: sees that nothing runs on it, and that its keys open, before anything is touched."""

from domain.errors import BadSetting, Conflict
from ledger.database import Database, version_of
from ledger.keystore import KeyStore
from ledger.ledger import FILE
from ledger.move import Moved, look_over, move
from pratunam.master_key import read_master_key
from pratunam.settings import Settings
from pratunam.standstill import held_still


def move_home(settings: Settings, database: Database, *, dry_run: bool) -> Moved:
    """Move it, or only count. Raises Conflict while it runs, BadSetting where there is nothing to move, and what `ledger.move` raises."""
    if not (settings.home / FILE).exists():
        raise BadSetting(
            f"There is no ledger in {settings.home}.",
            message_th=f"ไม่พบสมุดงานกลางใน {settings.home}",
            remedy_en="Name the home that shall be moved: --home DIR.",
            remedy_th="ระบุโฟลเดอร์ของระบบที่จะย้าย: --home DIR",
        )
    with held_still(settings, _runs()):
        version_of(database)
        if dry_run:
            return look_over(settings.home)
        KeyStore(settings.home / "keys.db", read_master_key(settings.master_key_path)).close()
        return move(settings.home, database)


def _runs() -> Conflict:
    return Conflict(
        "This home is in use: a ledger is moved only while nothing works on it.",
        message_th="ระบบนี้กำลังทำงานอยู่ จึงยังย้ายข้อมูลไม่ได้",
        remedy_en="Stop `pratunam up`, and every scheduler and worker on this home, then move.",
        remedy_th="หยุด `pratunam up` และกระบวนการทั้งหมดของระบบนี้ก่อน แล้วสั่งย้ายใหม่",
    )
