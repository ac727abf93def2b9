"""Migrations build what the tables say, and know their own newest step."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, text

from domain.errors import BadSetting
from ledger import postgres_spool
from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.migrate import FOLDER, HEAD, migrate
from ledger.protocols import Ledger
from ledger.tables import metadata
from tests.ledger.scene import BY, NOW, new_job


def schema(engine: Engine) -> dict[str, list[str]]:
    """Every table and index with the parts of its SQL, whose order is free; alembic's own table left out."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {
            name: sorted(re.split(r", ?", " ".join(sql.split()).removesuffix(" )")))
            for name, sql in rows
            if name != "alembic_version"
        }


def test_all_migrations_build_exactly_the_tables() -> None:
    """Columns, keys, indices and defaults are the same by either way."""
    built, migrated = create_engine("sqlite://"), create_engine("sqlite://")
    metadata.create_all(built)
    with migrated.begin() as connection:
        assert migrate(connection)
    assert schema(migrated) == schema(built)
    with migrated.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    built.dispose()
    migrated.dispose()


def test_the_tables_of_postgres_are_those_too(postgres: Database) -> None:
    """What the steps have made there differs in nothing from what the tables say."""
    engine = create_engine("postgresql+psycopg://", creator=postgres.connect)
    with engine.connect() as connection:
        both = MetaData()
        for table in (*metadata.tables.values(), *postgres_spool.metadata.tables.values()):
            table.to_metadata(both)
        assert compare_metadata(MigrationContext.configure(connection), both) == []
    engine.dispose()


def test_the_newest_step_is_the_one_that_is_named() -> None:
    """`HEAD` is the folder's head, and there is one."""
    assert ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)]).get_heads() == [HEAD]


async def test_opening_again_changes_nothing(where: Path | Database, keys: KeyStore) -> None:
    """A home that is up to date is opened as it is."""
    for _ in range(2):
        ledger = await open_ledger(where, keys)
        job = await ledger.receive(new_job("J1"), BY, NOW)
        assert job.job == "J1"
        await ledger.close()


async def test_a_ledger_of_a_newer_version_is_left_alone(
    ledger: Ledger, where: Path | Database, keys: KeyStore, tamper: Callable[[str], None]
) -> None:
    """An older program says so and touches nothing."""
    tamper("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BadSetting, match="newer version"):
        await open_ledger(where, keys)
