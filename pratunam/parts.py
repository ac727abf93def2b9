"""Opens one installation's durable parts in order and closes them in reverse: keys, ledger, spool. Wiring only."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.clock import Clock, SystemClock
from domain.errors import BadSetting
from domain.events import Subscribers
from domain.policy import Policy, PolicyVersion
from domain.ports import Spool
from ledger.damage import naming
from ledger.database import Database, read_database
from ledger.engine import OnEngine
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.postgres_keys import PostgresKeyStore
from ledger.postgres_spool import PostgresSpool
from ledger.protocols import Ledger
from ledger.spool import FolderSpool
from pratunam.master_key import make_master_key, read_master_key
from pratunam.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process of the gate has in hand."""

    settings: Settings
    clock: Clock
    emit: Subscribers
    keys: KeyStore
    ledger: Ledger
    spool: Spool

    async def policy_version(self) -> PolicyVersion:
        """Return the version in force; raises BadSetting for a home that has no policy yet."""
        version = await self.ledger.policy(self.clock.now())
        if version is None:
            raise BadSetting(
                "This home has no policy yet.",
                message_th="ยังไม่มีนโยบายของนายทะเบียน",
                remedy_en="Apply one: pratunam policy apply FILE --reason TEXT",
                remedy_th="โปรดสั่ง: pratunam policy apply FILE --reason TEXT",
            )
        return version

    async def policy(self) -> Policy:
        """Return the rules in force."""
        return (await self.policy_version()).policy


@asynccontextmanager
async def open_parts(
    settings: Settings, clock: Clock | None = None, *, make_home: bool = True
) -> AsyncIterator[Parts]:
    """Open an installation; `make_home` makes home and master key where there are none (else raises BadSetting)."""
    if make_home:
        make_home_folder(settings)
        if not (settings.home / "keys.db").exists():
            with _refusing(settings.master_key_path, "master key", "กุญแจหลัก"):
                make_master_key(settings.master_key_path)
    elif not settings.home.is_dir():
        raise BadSetting(
            f"There is no home at {settings.home}.",
            message_th=f"ไม่พบโฟลเดอร์ระบบที่ {settings.home}",
            remedy_en="`pratunam up` or `pratunam policy apply` makes one; or name another: --home DIR.",
            remedy_th="สั่ง `pratunam up` หรือ `pratunam policy apply` เพื่อสร้าง หรือระบุ --home DIR",
        )
    master = read_master_key(settings.master_key_path)
    database = database_of(settings)
    keys = _open_keys(settings.home / "keys.db", database, master)
    try:
        with naming(settings.home / "ledger.db"):
            ledger = await open_ledger(database or settings.home, keys)
        try:
            yield Parts(
                settings,
                clock or SystemClock(),
                Subscribers(),
                keys,
                ledger,
                _spool(settings, ledger, database),
            )
        finally:
            await ledger.close()
    finally:
        keys.close()


def database_of(settings: Settings) -> Database | None:
    """Return the PostgreSQL database that was set, or None for a home that keeps all itself; raises BadSetting."""
    if not settings.ledger_url:
        return None
    return read_database(settings.ledger_url, settings.ledger_password_file)


def _open_keys(path: Path, database: Database | None, master: bytes) -> KeyStore:
    if database is not None:
        return PostgresKeyStore(database, path, master)
    with naming(path):
        return KeyStore(path, master)


def _spool(settings: Settings, ledger: Ledger, database: Database | None) -> Spool:
    if database is None:
        return FolderSpool(settings.home / "spool")
    assert isinstance(ledger, OnEngine)
    return PostgresSpool(ledger.engine)


def make_home_folder(settings: Settings) -> None:
    """Make the home's folder where there is none; raises BadSetting where it cannot be made."""
    with _refusing(settings.home, "home", "โฟลเดอร์ระบบ"):
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _refusing(path: Path, what_en: str, what_th: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadSetting(
            f"No {what_en} can be made at {path}: {error.strerror or type(error).__name__}.",
            message_th=f"สร้าง{what_th}ที่ {path} ไม่ได้",
            remedy_en="Name a folder whose parent may be written, too: --home DIR.",
            remedy_th="ระบุโฟลเดอร์ที่เขียนได้ รวมถึงโฟลเดอร์ที่บรรจุอยู่: --home DIR",
        ) from None
