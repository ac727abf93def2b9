"""What the ledger asks of a database engine: run a verb, a plain function over a connection, in one transaction."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from domain.policy import PolicyVersion
from ledger.keystore import KeyStore

P = ParamSpec("P")
T = TypeVar("T")


class LedgerEngine(Protocol):
    """What runs verbs: `ledger/sqlite.py` or `ledger/postgres.py`."""

    async def write(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a changing verb; committed when this returns."""
        ...

    async def read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a looking verb on one snapshot."""
        ...

    async def wipe(self) -> None:
        """Make sure that deleted bytes are gone from the engine's logs."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class OnEngine:
    """Verbs on one engine; they seal with `keys`, which stay the caller's to close."""

    def __init__(self, engine: LedgerEngine, keys: KeyStore) -> None:
        """Run verbs on `engine`."""
        self.engine = engine
        self._keys = keys
        self._in_force: PolicyVersion | None = None
        self._write = engine.write
        self._read = engine.read
