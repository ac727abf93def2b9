"""The ledger on every engine that there is; each test of the contract runs on each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name; the second one joins this list."""
    return str(request.param)


@pytest.fixture
async def ledger(engine: str, tmp_path: Path, keys: KeyStore) -> AsyncIterator[Ledger]:
    """An empty ledger."""
    opened = await open_ledger({"sqlite": tmp_path / "home"}[engine], keys)
    yield opened
    await opened.close()


@pytest.fixture
def scene(ledger: Ledger, keys: KeyStore) -> Scene:
    """The ledger with short words for what most tests begin with."""
    return Scene(ledger, keys)
