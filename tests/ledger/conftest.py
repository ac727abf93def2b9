"""The ledger on every engine that there is; each test of the contract runs on each."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.protocols import Ledger
from tests.ledger.scene import Scene

MASTER = b"m" * 32


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    """A key store of the test's own, beside the home."""
    store = KeyStore(tmp_path / "keys" / "keys.db", MASTER)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Database:
    """Where the test's empty ledger lies: in a folder, or in a database of its own."""
    if request.param == "sqlite":
        return tmp_path / "home"
    found: Database = request.getfixturevalue("postgres")
    return found


@pytest.fixture
async def ledger(where: Path | Database, keys: KeyStore) -> AsyncIterator[Ledger]:
    """An empty ledger."""
    opened = await open_ledger(where, keys)
    yield opened
    await opened.close()


@pytest.fixture
def tamper(where: Path | Database, ledger: Ledger) -> Callable[[str], None]:
    """Run a statement on the ledger's tables behind the ledger's back."""

    def run(statement: str) -> None:
        if isinstance(where, Path):
            with closing(sqlite3.connect(where / "ledger.db")) as file, file:
                file.execute(statement)
        else:
            with psycopg.connect(where.url, options="-c search_path=pratunam") as base:
                base.execute(statement.encode())

    return run


@pytest.fixture
def scene(ledger: Ledger, keys: KeyStore) -> Scene:
    """The ledger with short words for what most tests begin with."""
    return Scene(ledger, keys)
