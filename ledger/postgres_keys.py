"""The key store in PostgreSQL, which every host reaches: a table in a schema of its own, wrapped by the master key like the file.

The schema is left out of dumps by name, so that a copy of the ledger does not open itself. A key that is destroyed is overwritten by
writing the whole table anew; what WAL and base backups still hold is wrapped. Nothing here is kept in clear on a disk.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from domain.errors import BadSetting, Busy, Conflict, SealBroken
from ledger.database import Database, Trouble, failure_of, refusal_of, told, trouble_of
from ledger.keystore import WITNESS, KeyStore, no_key, wrong_master
from ledger.locks import KEY_USERS, KEYS
from ledger.sealing import KEY_BYTES, Sealer, aad
from ledger.sessions import Session

KEYS_SCHEMA = "pratunam_keys"
#: a key that another host destroyed lives on in this one's memory for so long at most (s)
_LOOK_EVERY_S = 1.0
#: those who have closed the keys are waited for so long, where nobody may have them open (ms)
_LEAVING_MS = "2000"
#: after a failure nobody waits for the server again for so long (s)
_REST_S = 1.0
_CREATE: LiteralString = """
CREATE SCHEMA IF NOT EXISTS pratunam_keys;
CREATE TABLE IF NOT EXISTS pratunam_keys.keys (name text PRIMARY KEY, wrapped bytea);
CREATE SEQUENCE IF NOT EXISTS pratunam_keys.changes;
"""
_READ: LiteralString = "SELECT wrapped FROM pratunam_keys.keys WHERE name = %s"


class PostgresKeyStore(KeyStore):
    """`KeyStore` over a table. Other hosts notice within a second that a key was destroyed."""

    def __init__(
        self,
        database: Database,
        path: Path,
        master_key: bytes,
        *,
        make_sealer: Callable[[bytes], Sealer] = Sealer,
    ) -> None:
        """Open or make the store; `path` names only where this host mirrors the commit counter.

        Raises BadSetting when the master key is not this store's, Busy when the server cannot be reached.
        """
        self.path = path
        self._make_sealer = make_sealer
        self._lock = threading.RLock()
        self._known: dict[str, bytes] = {}
        self._seen = -1
        self._look_at_s = self._rest_until_s = 0.0
        self._wrapper = Sealer(master_key)
        self._database = database
        self._session: Session | None = None
        self._open()
        self._check_master()

    @property
    def counter_path(self) -> Path:
        """Return where this host mirrors its commits; not the file of a home that keeps its ledger itself."""
        return self.path.with_suffix(".host")

    @staticmethod
    def make_tables(database: Database) -> None:
        """Make the store's tables where there are none; raises psycopg.Error."""
        with database.connect() as opening:
            opening.execute("SELECT pg_advisory_xact_lock(%s)", (KEYS,))
            found = opening.execute("SELECT to_regclass('pratunam_keys.changes') IS NULL").fetchone()
            if found is not None and found[0]:
                opening.execute(_CREATE)

    def destroy(self, job: str) -> None:
        """Destroy the job's key for good; safe to repeat."""
        name = f"job:{job}"
        with self._lock:
            self._known.pop(name, None)
            self._rows(
                "INSERT INTO pratunam_keys.keys VALUES (%s, NULL) ON CONFLICT (name) DO UPDATE SET wrapped = NULL",
                name,
            )
            self._rows("SELECT nextval('pratunam_keys.changes')")
            # an update leaves the old row in its page; a table written anew leaves nothing
            self._rows("VACUUM (FULL) pratunam_keys.keys")

    def jobs(self) -> list[str]:
        """Return the jobs that have a key."""
        rows = self._rows(
            "SELECT name FROM pratunam_keys.keys WHERE name LIKE 'job:%%' AND wrapped IS NOT NULL ORDER BY name"
        )
        return [name.removeprefix("job:") for (name,) in rows]

    def rewrap(self, new_master: bytes) -> None:
        """Wrap every key anew under another master key, all or none; raises Conflict while any process of any host has them open."""
        wrapper = Sealer(new_master)
        with self._lock:
            self._rows("SELECT 1")  # on a session that lives
            try:
                session = self._connected()
                if not _has_alone(session):
                    raise _in_use()
                try:
                    self._wrap_all(session, wrapper)
                finally:
                    with suppress(psycopg.Error):  # a session that is gone holds nothing
                        session.execute("SELECT pg_advisory_unlock(%s)", (KEY_USERS,))
            except psycopg.Error as error:
                raise self._told(error) from None
            self._wrapper = wrapper

    def _wrap_all(self, session: Session, wrapper: Sealer) -> None:
        with session.transaction():
            rows = session.execute(
                "SELECT name, wrapped FROM pratunam_keys.keys WHERE wrapped IS NOT NULL ORDER BY name FOR UPDATE"
            ).fetchall()
            for name, wrapped in rows:
                key = self._wrapper.open(wrapped, aad("", "", name))
                sealed = wrapper.seal(key, aad("", "", name))
                session.execute("UPDATE pratunam_keys.keys SET wrapped = %s WHERE name = %s", (sealed, name))
        session.execute("SELECT nextval('pratunam_keys.changes')")
        session.execute("VACUUM (FULL) pratunam_keys.keys")

    def copy_to(self, path: Path) -> None:
        """Refuse: the table is copied by the server's own tools."""
        raise BadSetting(
            f"The keys lie in PostgreSQL and are not copied to {path}.",
            message_th="กุญแจอยู่ใน PostgreSQL จึงคัดลอกเป็นแฟ้มไม่ได้",
            remedy_en=f"Copy them with the server's own tool: pg_dump --schema={KEYS_SCHEMA}",
            remedy_th=f"สำรองด้วยเครื่องมือของเซิร์ฟเวอร์: pg_dump --schema={KEYS_SCHEMA}",
        )

    def close(self) -> None:
        """Forget the keys and end the session."""
        with self._lock:
            self._known.clear()
            self._drop_session()

    def _open(self) -> None:
        try:
            self.make_tables(self._database)
        except psycopg.Error as error:
            raise self._told(error) from None

    def _check_master(self) -> None:
        try:
            super()._check_master()
        except BaseException:
            self.close()
            raise

    def _key(self, name: str, *, make: bool) -> bytes:
        with self._lock:
            self._forget_if_changed()
            if name not in self._known:
                if make:
                    fresh = self._wrapper.seal(os.urandom(KEY_BYTES), aad("", "", name))
                    # whoever comes first wins; a tombstone stays a tombstone
                    self._rows(
                        "INSERT INTO pratunam_keys.keys VALUES (%s, %s) ON CONFLICT DO NOTHING", name, fresh
                    )
                self._known[name] = self._read(name)
            return self._known[name]

    def _read(self, name: str) -> bytes:
        rows = self._rows(_READ, name)
        if not rows or rows[0][0] is None:
            raise no_key()
        return self._wrapper.open(rows[0][0], aad("", "", name))

    def _forget_if_changed(self) -> None:
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        version = self._rows("SELECT last_value FROM pratunam_keys.changes")[0][0]
        self._look_at_s = now_s + _LOOK_EVERY_S
        if version != self._seen:
            self._known.clear()
            self._seen = version

    def _rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement, once more on a new session where the old one is gone: each of them bears that."""
        with self._lock:
            for is_last in (False, True):
                try:
                    session = self._connected()
                    with self._database.watched(session):
                        done = session.execute(statement, values or None)
                    return done.fetchall() if done.description else []
                except psycopg.Error as error:
                    if self._session is not None and self._session.closed:
                        self._drop_session()
                    if is_last or trouble_of(error) is not Trouble.LOST:
                        raise self._told(error) from None
        raise told(Trouble.LOST)

    def _connected(self) -> Session:
        if self._session is None:
            if time.monotonic() < self._rest_until_s:
                raise told(Trouble.LOST)
            session = self._database.connect(autocommit=True)
            try:
                with self._database.watched(session):
                    self._take_part(session)
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session

    def _take_part(self, session: Session) -> None:
        """Keep others from wrapping the keys anew from here on; raises Busy while somebody does, BadSetting where somebody has."""
        if not _has_too(session):
            raise Busy("The keys are being wrapped anew.", message_th="กำลังเปลี่ยนกุญแจหลักอยู่")
        found = session.execute(_READ, (WITNESS,)).fetchone()
        if found is not None:
            try:
                self._wrapper.open(found[0], aad("", "", WITNESS))
            except SealBroken:
                raise wrong_master() from None

    def _drop_session(self) -> None:
        if self._session is not None:
            # also one that broke: it lets go of what it kept
            self._session.close()
            self._session = None

    def _told(self, error: psycopg.Error) -> Exception:
        trouble = trouble_of(error)
        if trouble is Trouble.OTHER:
            return failure_of(error)
        if trouble is Trouble.LOST:
            self._rest_until_s = time.monotonic() + _REST_S
        refused: BadSetting | Busy = refusal_of(error) or told(trouble)
        return refused


def _has_too(session: Session) -> bool:
    found = session.execute("SELECT pg_try_advisory_lock_shared(%s)", (KEY_USERS,)).fetchone()
    return bool(found and found[0])


def _has_alone(session: Session) -> bool:
    # a session that was closed a moment ago may still be there
    try:
        with session.transaction():
            session.execute("SELECT set_config('lock_timeout', %s, true)", (_LEAVING_MS,))
            session.execute("SELECT pg_advisory_lock(%s)", (KEY_USERS,))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False  # somebody uses them, or wants the same
    return True


def _in_use() -> Conflict:
    return Conflict(
        "Another process has these keys open: they are wrapped anew only while nothing else uses them, on no host.",
        message_th="มีกระบวนการอื่นใช้กุญแจเหล่านี้อยู่ จึงยังเปลี่ยนกุญแจหลักไม่ได้",
        remedy_en="Stop every scheduler and worker on every host, then try again.",
        remedy_th="หยุดกระบวนการทั้งหมดในทุกเครื่องก่อน แล้วลองใหม่",
    )
