"""A database that commands are pointed at."""

from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer
from tests.pratunam.desk import Desk


@pytest.fixture
def address(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database, by TCP, where a password is asked for."""
    name = postgres_server.make("template0")
    yield postgres_server.loopback_url(name)
    postgres_server.drop(name)


@pytest.fixture
def password(postgres_server: PostgresServer, bare: Desk) -> str:
    """The file of the server's password."""
    return bare.write("db.password", postgres_server.password + "\n")
