"""Opens one installation's durable parts in order and closes them in reverse: keys, ledger, spool. Wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.clock import Clock, SystemClock
from domain.errors import BadSetting
from domain.events import Subscribers
from domain.policy import Policy, PolicyVersion
from domain.ports import Spool
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
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
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (settings.home / "keys.db").exists():
            make_master_key(settings.master_key_path)
    elif not settings.home.is_dir():
        raise BadSetting(
            f"There is no home at {settings.home}.",
            message_th=f"ไม่พบโฟลเดอร์ระบบที่ {settings.home}",
            remedy_en="`pratunam up` or `pratunam policy apply` makes one; or name another: --home DIR.",
            remedy_th="สั่ง `pratunam up` หรือ `pratunam policy apply` เพื่อสร้าง หรือระบุ --home DIR",
        )
    keys = KeyStore(settings.home / "keys.db", read_master_key(settings.master_key_path))
    try:
        ledger = await open_ledger(settings.ledger_url or settings.home, keys)
        try:
            yield Parts(
                settings,
                clock or SystemClock(),
                Subscribers(),
                keys,
                ledger,
                FolderSpool(settings.home / "spool"),
            )
        finally:
            await ledger.close()
    finally:
        keys.close()
