"""Brings a ledger's tables to the newest form: alembic's scripts in `ledger/migrations/`, applied inside the caller's transaction."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from domain.errors import BadSetting

FOLDER = Path(__file__).parent / "migrations"
#: the newest script's revision; a test holds it to the folder
HEAD = "0002"


def migrate(connection: Connection) -> bool:
    """Apply what is missing; True when the ledger had no tables before. Raises BadSetting for a ledger of a newer version."""
    found = _revision(connection)
    if found != HEAD:
        _upgrade(connection, found)
    return found is None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, found: str | None) -> None:
    # imported here: most starts find nothing to do, and alembic is slow to load
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    if found is not None and found not in {one.revision for one in script.walk_revisions()}:
        raise BadSetting(
            "This home was written by a newer version of the program.",
            message_th="ข้อมูลของระบบนี้ถูกเขียนโดยโปรแกรมรุ่นใหม่กว่า",
            remedy_en="Use that version, or restore a copy that fits this one.",
            remedy_th="ใช้โปรแกรมรุ่นนั้น หรือกู้คืนสำเนาที่ตรงกับรุ่นนี้",
        )
    environment = EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs(HEAD, revision)
    )
    with environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
