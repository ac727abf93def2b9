"""Reaches a PostgreSQL: its address, the password from a file, how a session is set up, and what its errors mean to us.

No error of the driver leaves this room with a value or a password in it: what happened is told in words of our own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import IntLoader
from sqlalchemy.exc import DBAPIError

from domain.errors import BadSetting, Busy, PratunamError
from ledger.sessions import WATCH, Session

#: where the ledger's tables stand
SCHEMA = "pratunam"
OLDEST = 140000
_SCHEMES = ("postgresql://", "postgres://")
#: how long to wait for another transaction's lock, for one statement, and for a session that says nothing in mid-transaction (ms)
LOCK_MS, STATEMENT_MS, SILENT_MS = 20_000, 120_000, 15_000
#: a server that is gone is noticed after about ten seconds; one that is there and says nothing: `ledger/sessions.py`
_REACH: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "pratunam",
}
_SET_UP: LiteralString = """
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding'),
       current_setting('server_version_num')::int, pg_is_in_recovery(),
       (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()),
       set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('search_path', %s, false), set_config('lock_timeout', %s, false),
       set_config('statement_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false),
       set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
                  THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""
_IS_THERE: LiteralString = """
SELECT 1 FROM pg_stat_activity WHERE pid = %s AND extract(epoch FROM backend_start)::text = %s
"""


class Trouble(Enum):
    """What an error of the database means for a transaction that was not committed."""

    AGAIN = "undone because of another; run it again"
    LOST = "the connection or the server is gone; run it again on a new one"
    BUSY = "not now"
    OTHER = "an error of ours"


#: a log-in that fails carries no code, only the server's words (in English, as servers speak unless told otherwise)
_REFUSALS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
#: classes and codes of SQLSTATE
_AGAIN = frozenset({"40001", "40P01"})
#: a lock or a statement took too long, no connection, memory or room is left, it is starting, its disk fails
_BUSY = frozenset({"55P03", "57014", "53300", "53200", "53100", "57P03", "58030"})
#: shut down, crashed, dropped, timed out in mid-transaction, and a server that is only a standby now
_LOST = frozenset({"57P01", "57P02", "57P04", "57P05", "25P03", "25P04", "25006", "XX001"})


@dataclass(frozen=True, slots=True)
class Database:
    """The address of one PostgreSQL database; its text never holds the password."""

    url: str
    password: str = field(default="", repr=False)

    def connect(self, *, autocommit: bool = False, read_only: bool = False) -> Session:
        """Open a session that is fit for the ledger; raises psycopg.Error, Busy for a standby, BadSetting for a server that may forget."""
        given: dict[str, Any] = _REACH | conninfo_to_dict(self.url)
        if self.password:
            given["password"] = self.password
        connection = Session.connect(**given, autocommit=True)
        try:
            connection.take_lever()
            limits = (str(LOCK_MS), str(STATEMENT_MS), str(SILENT_MS))
            with WATCH.over(connection):
                found = connection.execute(_SET_UP, (SCHEMA, *limits)).fetchone()
            assert found is not None
            _refuse_unfit(*found[:5])
            connection.born = found[5]
            # a sum of whole numbers comes as `numeric`; the ledger keeps no other
            connection.adapters.register_loader("numeric", IntLoader)
            connection.autocommit = autocommit
            if read_only:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
        except OSError:  # no file descriptor is left for the lever
            connection.close()
            raise told(Trouble.BUSY) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def serves(self, session: Session) -> bool:
        """Say whether the server that this address leads to now has that session; asked on one of its own."""
        try:
            with self.connect(autocommit=True) as asking, WATCH.over(asking):
                named = (session.info.backend_pid, session.born)
                return asking.execute(_IS_THERE, named).fetchone() is not None
        except psycopg.Error as error:
            return trouble_of(error) is Trouble.BUSY  # it answers, and has no room for the question
        except PratunamError:
            return False

    @contextmanager
    def watched(self, session: Session) -> Iterator[None]:
        """Wait on a session, but not for a server that has fallen silent."""
        with WATCH.over(session, lambda: self.serves(session)):
            yield


def read_database(url: str, password_file: Path | None) -> Database:
    """Return the address that was set; raises BadSetting when it is no PostgreSQL's, or holds a password."""
    if not url.startswith(_SCHEMES):
        raise BadSetting(
            "PRATUNAM_LEDGER_URL is not the address of a PostgreSQL database.",
            message_th="PRATUNAM_LEDGER_URL ไม่ใช่ที่อยู่ของฐานข้อมูล PostgreSQL",
            remedy_en="For example postgresql://pratunam@db.example/pratunam, or leave it empty for SQLite in the home.",
            remedy_th="เช่น postgresql://pratunam@db.example/pratunam หรือเว้นว่างเพื่อใช้ SQLite ในโฟลเดอร์ระบบ",
        )
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise BadSetting(
            "PRATUNAM_LEDGER_URL cannot be read.",
            message_th="อ่าน PRATUNAM_LEDGER_URL ไม่ได้",
            remedy_en="For example postgresql://pratunam@db.example/pratunam",
            remedy_th="ตัวอย่าง postgresql://pratunam@db.example/pratunam",
        ) from None
    if "password" in given:
        raise BadSetting(
            "PRATUNAM_LEDGER_URL holds a password: lists of processes and logs would show it.",
            message_th="PRATUNAM_LEDGER_URL มีรหัสผ่านอยู่ ซึ่งอาจปรากฏในรายการโปรเซสและบันทึก",
            remedy_en="Put it into a file and name that: PRATUNAM_LEDGER_PASSWORD_FILE.",
            remedy_th="เก็บรหัสผ่านในแฟ้ม แล้วระบุ PRATUNAM_LEDGER_PASSWORD_FILE",
        )
    return Database(url, "" if password_file is None else _read_password(password_file))


def version_of(database: Database) -> str:
    """Return the server's version, having seen that it is fit; raises Busy or BadSetting."""
    try:
        with database.connect(autocommit=True) as connection:
            found = connection.execute("SHOW server_version").fetchone()
    except psycopg.Error as error:
        raise refusal_of(error) or told(Trouble.LOST) from None
    return str(found[0]).split()[0] if found else ""


def trouble_of(error: BaseException) -> Trouble:
    """Say what an error means, whether the library or the driver raised it."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, psycopg.Error):
        return Trouble.OTHER
    code = origin.sqlstate
    if code in _AGAIN:
        return Trouble.AGAIN
    if code in _BUSY:
        return Trouble.BUSY
    if code in _LOST or (code or "").startswith("08"):
        return Trouble.LOST
    # the driver's own words for a connection that broke carry no code
    is_nameless = code is None and isinstance(origin, psycopg.OperationalError | psycopg.InterfaceError)
    return Trouble.LOST if is_nameless else Trouble.OTHER


def failure_of(error: BaseException) -> PratunamError:
    """Return an error of ours for one that a repetition would not mend; the server's own words may quote a row, so they stay here."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code, place = (
        (origin.sqlstate, origin.diag.constraint_name) if isinstance(origin, psycopg.Error) else ("", "")
    )
    return PratunamError(
        f"The ledger's database refused a statement ({type(origin).__name__} {code or ''} {place or ''}".rstrip()
        + ").",
        message_th="ฐานข้อมูลของสมุดงานกลางปฏิเสธคำสั่ง",
        remedy_en="The server's log says more; report it with the version.",
        remedy_th="ดูรายละเอียดในบันทึกของเซิร์ฟเวอร์ฐานข้อมูล และแจ้งพร้อมหมายเลขรุ่น",
    )


def refusal_of(error: BaseException) -> BadSetting | None:
    """Return what is wrong with the address or the password, where the server said so; None when it is down or busy."""
    words = str(error.orig if isinstance(error, DBAPIError) else error)
    if not any(phrase in words for phrase in _REFUSALS):
        return None
    return BadSetting(
        "The database server does not let us in: user, password or database name is wrong.",
        message_th="เซิร์ฟเวอร์ฐานข้อมูลไม่ให้เข้าใช้ เนื่องจากชื่อผู้ใช้ รหัสผ่าน หรือชื่อฐานข้อมูลไม่ถูกต้อง",
        remedy_en="Check PRATUNAM_LEDGER_URL and the file of PRATUNAM_LEDGER_PASSWORD_FILE, and that the database exists.",
        remedy_th="ตรวจสอบ PRATUNAM_LEDGER_URL แฟ้มของ PRATUNAM_LEDGER_PASSWORD_FILE และว่ามีฐานข้อมูลนั้นแล้ว",
    )


def told(trouble: Trouble) -> Busy:
    """Return what the caller is told."""
    if trouble is Trouble.LOST:
        return Busy("The ledger's database cannot be reached.", message_th="ติดต่อฐานข้อมูลของสมุดงานกลางไม่ได้")
    return Busy("The ledger is busy.", message_th="สมุดงานกลางไม่ว่างชั่วขณะ")


def _refuse_unfit(
    fsync: str, full_page_writes: str, encoding: str, version: int, is_standby: bool, /
) -> None:
    if is_standby:
        raise told(Trouble.LOST)
    if "off" in (fsync, full_page_writes):
        raise BadSetting(
            "The database server runs with fsync or full_page_writes off: a power cut could undo what the registrar has recorded.",
            message_th="เซิร์ฟเวอร์ฐานข้อมูลปิด fsync หรือ full_page_writes อยู่ หากไฟดับข้อมูลที่บันทึกแล้วอาจสูญหาย",
            remedy_en="Set both to on in postgresql.conf and start the server again.",
            remedy_th="ตั้งค่าทั้งสองเป็น on ใน postgresql.conf แล้วเริ่มเซิร์ฟเวอร์ใหม่",
        )
    if encoding != "UTF8" or version < OLDEST:
        raise BadSetting(
            "The ledger needs PostgreSQL 14 or later and a database whose encoding is UTF8.",
            message_th="สมุดงานกลางต้องใช้ PostgreSQL 14 ขึ้นไป และฐานข้อมูลแบบ UTF8",
            remedy_en="Make one: createdb --encoding=UTF8 --template=template0 pratunam",
            remedy_th="สร้างฐานข้อมูล: createdb --encoding=UTF8 --template=template0 pratunam",
        )


def _read_password(path: Path) -> str:
    try:
        password = path.read_text("utf-8").strip("\r\n")
    except (FileNotFoundError, UnicodeDecodeError):
        password = ""
    if not password:
        raise BadSetting(
            f"There is no password of the ledger's database in {path}.",
            message_th=f"ไม่พบรหัสผ่านของฐานข้อมูลสมุดงานกลางใน {path}",
            remedy_en="Write it there, mode 0400, or unset PRATUNAM_LEDGER_PASSWORD_FILE.",
            remedy_th="บันทึกรหัสผ่านลงแฟ้มนั้น (สิทธิ์ 0400) หรือเลิกกำหนด PRATUNAM_LEDGER_PASSWORD_FILE",
        )
    return password
