"""The key store in PostgreSQL: one for all hosts, wrapped, and a destroyed key is gone from the server's files."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from domain.errors import BadSetting, Busy, Conflict, NotFound, SealBroken
from ledger.database import Database
from ledger.locks import KEY_USERS
from ledger.postgres_keys import PostgresKeyStore
from tests.ledger.conftest import MASTER
from tests.postgres import PostgresServer


@pytest.fixture
def store(postgres: Database, tmp_path: Path) -> Iterator[PostgresKeyStore]:
    """A new store, as the first host has it."""
    opened = PostgresKeyStore(postgres, tmp_path / "one" / "keys.db", MASTER)
    yield opened
    opened.close()


@pytest.fixture
def other_host(
    store: PostgresKeyStore, postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresKeyStore]:
    """The same store as a second host has it, which looks for changes each time it is asked."""
    monkeypatch.setattr("ledger.postgres_keys._LOOK_EVERY_S", 0.0)
    opened = PostgresKeyStore(postgres, tmp_path / "two" / "keys.db", MASTER)
    yield opened
    opened.close()


def test_every_host_opens_what_one_has_sealed(store: PostgresKeyStore, other_host: PostgresKeyStore) -> None:
    """Job keys, registries' keys and the secrets' key are the same on each; two jobs never share one."""
    sealed = store.create("J1").seal(b"plain", b"x")
    assert other_host.sealer("J1").open(sealed, b"x") == b"plain"
    assert other_host.create("J1").open(sealed, b"x") == b"plain"
    assert other_host.registry_key("r") == store.registry_key("r") != store.blind_key("r")
    assert other_host.secret_sealer().open(store.secret_sealer().seal(b"s", b""), b"") == b"s"
    with pytest.raises(SealBroken):
        other_host.create("J2").open(sealed, b"x")
    with pytest.raises(NotFound):
        other_host.sealer("J3")
    assert store.jobs() == ["J1", "J2"]


def test_a_destroyed_key_is_gone_everywhere_and_never_made_again(
    store: PostgresKeyStore, other_host: PostgresKeyStore, postgres: Database, postgres_server: PostgresServer
) -> None:
    """No host opens anything of the job again, and the table's file does not hold the wrapped key any more."""
    store.create("J1")
    store.create("J2")
    other_host.sealer("J1")
    wrapped = _wrapped(postgres, "job:J1")
    kept = _wrapped(postgres, "job:J2")
    assert wrapped in _file(postgres, postgres_server)
    for _ in range(2):
        store.destroy("J1")
    assert wrapped not in _file(postgres, postgres_server)
    assert kept in _file(postgres, postgres_server)
    for one in (store, other_host):
        with pytest.raises(NotFound):
            one.sealer("J1")
        with pytest.raises(Conflict):
            one.create("J1")
    assert store.jobs() == ["J2"]


def test_a_wrong_master_key_is_noticed_at_once(
    store: PostgresKeyStore, postgres: Database, tmp_path: Path
) -> None:
    """Opening says which file to point at, before anything is sealed with the wrong key."""
    with pytest.raises(BadSetting, match="PRATUNAM_MASTER_KEY_FILE"):
        PostgresKeyStore(postgres, tmp_path / "keys.db", b"x" * 32)


def test_rotating_the_master_key_keeps_every_key(
    store: PostgresKeyStore, postgres: Database, tmp_path: Path
) -> None:
    """After rewrapping the new master key opens all, the old one nothing."""
    sealed = store.create("J1").seal(b"plain", b"x")
    store.rewrap(b"n" * 32)
    assert store.create("J2").open(store.sealer("J2").seal(b"later", b""), b"") == b"later"
    with pytest.raises(BadSetting):
        PostgresKeyStore(postgres, tmp_path / "keys.db", MASTER)
    again = PostgresKeyStore(postgres, tmp_path / "keys.db", b"n" * 32)
    assert again.sealer("J1").open(sealed, b"x") == b"plain"
    again.close()


def test_keys_that_another_host_has_open_are_not_wrapped_anew(
    store: PostgresKeyStore,
    other_host: PostgresKeyStore,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would go on wrapping new keys with the old master key; also after its session was cut, and until it has closed."""
    monkeypatch.setattr("ledger.postgres_keys._LEAVING_MS", "100")
    store.create("J1")
    for is_cut in (False, True):
        if is_cut:
            postgres_server.end_sessions()
            other_host.sealer("J1")
        with pytest.raises(Conflict, match="on no host"):
            store.rewrap(b"n" * 32)
    store.create("J2")
    monkeypatch.setattr("ledger.postgres_keys._LEAVING_MS", "20000")
    other_host.close()
    store.rewrap(b"n" * 32)
    assert store.jobs() == ["J1", "J2"]


def test_nobody_opens_the_keys_while_they_are_wrapped_anew(
    store: PostgresKeyStore, postgres: Database, tmp_path: Path
) -> None:
    """Who comes then is told to come back: it would seal with a key that is about to be no more."""
    store.close()
    with psycopg.connect(postgres.url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY_USERS,))
        with pytest.raises(Busy, match="wrapped anew"):
            PostgresKeyStore(postgres, tmp_path / "keys.db", MASTER)
    PostgresKeyStore(postgres, tmp_path / "keys.db", MASTER).close()


def test_a_host_that_was_cut_off_meanwhile_learns_that_its_master_key_is_the_old_one(
    store: PostgresKeyStore, other_host: PostgresKeyStore, postgres_server: PostgresServer
) -> None:
    """Its session was gone when the keys were wrapped anew: what it made with the old master key nobody could open."""
    store.create("J1")
    postgres_server.end_sessions()
    store.rewrap(b"n" * 32)
    with pytest.raises(BadSetting, match="master key"):
        other_host.create("J2")
    assert store.jobs() == ["J1"]


def test_sessions_that_were_cut_leave_nothing_open(
    store: PostgresKeyStore, postgres_server: PostgresServer
) -> None:
    """However often the server goes: the process has as many files open as before."""
    before = psutil.Process().num_fds()
    for name in ("J1", "J2", "J3"):
        postgres_server.end_sessions()
        store.create(name)
    assert psutil.Process().num_fds() <= before


def test_a_session_that_was_cut_is_replaced(
    store: PostgresKeyStore, postgres: Database, postgres_server: PostgresServer
) -> None:
    """A restart of the server between two calls is not noticed; a server that is away is Busy."""
    store.create("J1")
    postgres_server.end_sessions()
    store.create("J2")
    store._database = Database(postgres.url.replace("/s&", "/gone&"))
    postgres_server.end_sessions()
    with pytest.raises(Busy):
        store.create("J3")


def test_keys_stand_in_a_schema_that_a_dump_can_leave_out(
    store: PostgresKeyStore, postgres: Database
) -> None:
    """No key is in the ledger's own schema."""
    store.create("J1")
    with psycopg.connect(postgres.url) as base:
        found = base.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'keys'"
        ).fetchall()
    assert found == [("pratunam_keys",)]


def test_a_copy_as_a_file_is_refused(store: PostgresKeyStore, tmp_path: Path) -> None:
    """The server's own tools copy the table."""
    with pytest.raises(BadSetting, match="pg_dump"):
        store.copy_to(tmp_path / "copy.db")


def _wrapped(database: Database, name: str) -> bytes:
    with psycopg.connect(database.url) as base:
        found = base.execute("SELECT wrapped FROM pratunam_keys.keys WHERE name = %s", (name,)).fetchone()
    assert found is not None
    return bytes(found[0])


def _file(database: Database, server: PostgresServer) -> bytes:
    with psycopg.connect(database.url, autocommit=True) as base:
        base.execute("CHECKPOINT")
        found = base.execute("SELECT pg_relation_filepath('pratunam_keys.keys')").fetchone()
    assert found is not None
    return server.read(found[0])
