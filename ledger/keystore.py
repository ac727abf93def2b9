"""The key store: one key a job, wrapped by the master key, in a small file of its own that is left out of backups.

Destroying a job's key shreds the job wherever copies of its boxes lie. Nothing here is kept in clear on a disk.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from domain.errors import BadSetting, Conflict, NotFound, SealBroken
from ledger.sealing import KEY_BYTES, Sealer, aad

_CREATE = """
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, wrapped BLOB) WITHOUT ROWID
"""
#: the name of the row by which a wrong master key is noticed at once
#: the key by which a master key is known to be the right one
WITNESS = "witness"


def no_key() -> NotFound:
    """Return what is said of a key that there is not, whichever store it is."""
    return NotFound(
        "There is no such key, or it was destroyed.",
        message_th="ไม่มีกุญแจนี้ หรือกุญแจถูกทำลายแล้ว",
        remedy_en="Contents that were erased, or are kept no longer, cannot be opened again; ask their party for the file.",
        remedy_th="ข้อมูลที่ลบหรือพ้นกำหนดเก็บแล้วเปิดอ่านไม่ได้อีก โปรดขอแฟ้มจากเจ้าของข้อมูล",
    )


def wrong_master() -> BadSetting:
    """Return what is said where the master key does not open the store."""
    return BadSetting(
        "The master key is not the one of this key store.",
        message_th="กุญแจหลักไม่ตรงกับที่เก็บกุญแจของระบบนี้",
        remedy_en="Point PRATUNAM_MASTER_KEY_FILE at the file that this home was made with.",
        remedy_th="กำหนด PRATUNAM_MASTER_KEY_FILE ให้เป็นแฟ้มกุญแจเดิมของระบบนี้",
    )


class KeyStore:
    """Keys by name: `job:…`, `registry:…` (idempotency keys), `blind:…` (blind index), `secrets` (account secrets).

    Safe to use from several threads and processes. A destroyed job's name stays behind, so that it never gets a second key.
    """

    def __init__(
        self, path: Path, master_key: bytes, *, make_sealer: Callable[[bytes], Sealer] = Sealer
    ) -> None:
        """Open or make the store; raises BadSetting when the master key is not this store's.

        `make_sealer` makes the sealers that are handed out; the store's own wrapping never uses it.
        """
        self.path = path
        self._make_sealer = make_sealer
        self._lock = threading.RLock()
        self._known: dict[str, bytes] = {}
        self._seen = -1
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._wrapper = Sealer(master_key)
        self._base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "journal_mode=TRUNCATE"):
            self._base.execute(f"PRAGMA {pragma}")
        self._base.execute(_CREATE)
        self._check_master()

    @property
    def counter_path(self) -> Path:
        """Return where the ledger's commit counter is mirrored: beside the keys, so that it is in no backup either."""
        return self.path.with_suffix(".commits")

    def create(self, job: str) -> Sealer:
        """Return a sealer with the job's own new key (its present one when repeated); raises Conflict once destroyed."""
        try:
            return self._make_sealer(self._key(f"job:{job}", make=True))
        except NotFound:
            raise Conflict(
                f"The key of job {job} was destroyed; it never gets another.",
                message_th=f"กุญแจของงาน {job} ถูกทำลายแล้ว และจะไม่มีกุญแจใหม่",
                remedy_en="Submit the file again: it becomes a new job.",
                remedy_th="โปรดส่งแฟ้มใหม่ ระบบจะสร้างเป็นงานใหม่",
            ) from None

    def sealer(self, job: str) -> Sealer:
        """Return the job's sealer; raises NotFound when it has no key or its key was destroyed."""
        return self._make_sealer(self._key(f"job:{job}", make=False))

    def destroy(self, job: str) -> None:
        """Destroy the job's key for good; safe to repeat."""
        name = f"job:{job}"
        with self._lock:
            self._base.execute(
                "INSERT INTO keys VALUES (?, NULL) ON CONFLICT DO UPDATE SET wrapped = NULL", (name,)
            )
            self._known.pop(name, None)

    def jobs(self) -> list[str]:
        """Return the jobs that have a key."""
        with self._lock:
            rows = self._base.execute(
                "SELECT name FROM keys WHERE name LIKE 'job:%' AND wrapped IS NOT NULL ORDER BY name"
            ).fetchall()
        return [name.removeprefix("job:") for (name,) in rows]

    def registry_key(self, registry: str) -> bytes:
        """Return the HMAC key of a registry's idempotency keys, made on first use."""
        return self._key(f"registry:{registry}", make=True)

    def blind_key(self, registry: str) -> bytes:
        """Return the key of a registry's blind index, made on first use."""
        return self._key(f"blind:{registry}", make=True)

    def secret_sealer(self) -> Sealer:
        """Return the sealer of account secrets."""
        return self._make_sealer(self._key("secrets", make=True))

    def rewrap(self, new_master: bytes) -> None:
        """Wrap every key anew under another master key, all or none; other processes must be started again."""
        wrapper = Sealer(new_master)
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                rows = self._base.execute(
                    "SELECT name, wrapped FROM keys WHERE wrapped IS NOT NULL"
                ).fetchall()
                for name, wrapped in rows:
                    key = self._wrapper.open(wrapped, aad("", "", name))
                    sealed = wrapper.seal(key, aad("", "", name))
                    self._base.execute("UPDATE keys SET wrapped = ? WHERE name = ?", (sealed, name))
                self._base.execute("COMMIT")
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._wrapper = wrapper

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the (wrapped) keys, for a backup that was asked to hold them."""
        with self._lock, closing(sqlite3.connect(path)) as copy:
            self._base.backup(copy)

    def close(self) -> None:
        """Forget the keys and close the file."""
        with self._lock:
            self._known.clear()
            self._base.close()

    def _check_master(self) -> None:
        try:
            self._key(WITNESS, make=True)
        except SealBroken:
            self.close()
            raise wrong_master() from None

    def _key(self, name: str, *, make: bool) -> bytes:
        with self._lock:
            self._forget_if_changed()
            if name not in self._known:
                if make:
                    fresh = self._wrapper.seal(os.urandom(KEY_BYTES), aad("", "", name))
                    # whoever comes first wins; a tombstone stays a tombstone
                    self._base.execute("INSERT INTO keys VALUES (?, ?) ON CONFLICT DO NOTHING", (name, fresh))
                self._known[name] = self._read(name)
            return self._known[name]

    def _read(self, name: str) -> bytes:
        row = self._base.execute("SELECT wrapped FROM keys WHERE name = ?", (name,)).fetchone()
        if row is None or row[0] is None:
            raise no_key()
        return self._wrapper.open(row[0], aad("", "", name))

    def _forget_if_changed(self) -> None:
        # a key that another process destroyed must not live on in this one's memory
        version = self._base.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen:
            self._known.clear()
            self._seen = version
