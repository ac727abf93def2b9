"""The key store: one key a job, wrapped, and gone for good when it is destroyed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import BadSetting, Conflict, NotFound, SealBroken
from ledger.keystore import KeyStore
from ledger.sealing import Sealer

MASTER = b"m" * 32


class PlainSealer(Sealer):
    """Seals nothing: what a build with sealing switched off would do."""

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        return sealed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "keys.db"


@pytest.fixture
def store(path: Path) -> Iterator[KeyStore]:
    """A new store."""
    opened = KeyStore(path, MASTER)
    yield opened
    opened.close()


def wrapped_keys(path: Path) -> list[bytes]:
    """All wrapped keys as they lie in the file."""
    base = sqlite3.connect(path)
    try:
        return [row[0] for row in base.execute("SELECT wrapped FROM keys WHERE wrapped IS NOT NULL")]
    finally:
        base.close()


def test_a_key_survives_its_process(path: Path, store: KeyStore) -> None:
    """What one process sealed another opens, with the same master key."""
    sealed = store.create("J1").seal(b"plain", b"x")
    other = KeyStore(path, MASTER)
    assert other.sealer("J1").open(sealed, b"x") == b"plain"
    other.close()


def test_each_job_has_a_key_of_its_own_and_keeps_it(store: KeyStore) -> None:
    """Creating twice is once; two jobs never share a key."""
    sealed = store.create("J1").seal(b"plain", b"x")
    assert store.create("J1").open(sealed, b"x") == b"plain"
    with pytest.raises(SealBroken):
        store.create("J2").open(sealed, b"x")


def test_a_job_without_a_key_has_no_sealer(store: KeyStore) -> None:
    """Only `create` makes a key."""
    with pytest.raises(NotFound):
        store.sealer("J1")


def test_a_destroyed_key_is_gone_and_never_made_again(path: Path, store: KeyStore) -> None:
    """Neither this process nor another one that had used it opens anything of the job again; its bytes are overwritten."""
    sealed = store.create("J1").seal(b"plain", b"x")
    other = KeyStore(path, MASTER)
    other.sealer("J1")
    before = wrapped_keys(path)
    for _ in range(2):
        store.destroy("J1")
    gone = set(before) - set(wrapped_keys(path))
    assert len(gone) == 1
    assert gone.pop() not in path.read_bytes()
    for one in (store, other):
        with pytest.raises(NotFound):
            one.sealer("J1").open(sealed, b"x")
        with pytest.raises(Conflict):
            one.create("J1")
    other.close()


def test_a_wrong_master_key_is_noticed_at_once(path: Path, store: KeyStore) -> None:
    """Opening says which file to point at, before anything is sealed with the wrong key."""
    store.create("J1")
    with pytest.raises(BadSetting, match="PRATUNAM_MASTER_KEY_FILE"):
        KeyStore(path, b"x" * 32)


def test_rotating_the_master_key_keeps_every_key(path: Path, store: KeyStore) -> None:
    """After rewrapping the new master key opens all, the old one nothing."""
    sealed = store.create("J1").seal(b"plain", b"x")
    registry = store.registry_key("r")
    store.rewrap(b"n" * 32)
    assert store.create("J2").open(store.sealer("J2").seal(b"later", b""), b"") == b"later"
    store.close()
    with pytest.raises(BadSetting):
        KeyStore(path, MASTER)
    again = KeyStore(path, b"n" * 32)
    assert again.sealer("J1").open(sealed, b"x") == b"plain"
    assert again.registry_key("r") == registry
    again.close()


def test_registries_have_keys_of_their_own(store: KeyStore) -> None:
    """Idempotency keys, blind index and secrets never share a key, nor do two registries."""
    keys = [store.registry_key("a"), store.registry_key("b"), store.blind_key("a"), store.blind_key("b")]
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}
    assert store.registry_key("a") == keys[0]
    assert store.secret_sealer().open(store.secret_sealer().seal(b"s", b""), b"") == b"s"


def test_no_key_lies_in_clear_and_nobody_else_may_read_the_file(path: Path, store: KeyStore) -> None:
    """The file holds wrapped keys only, mode 0600."""
    assert store.registry_key("r") not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_a_copy_holds_the_keys_for_a_backup(path: Path, store: KeyStore, tmp_path: Path) -> None:
    """A backup that was asked to hold the keys opens with the same master key."""
    sealed = store.create("J1").seal(b"plain", b"x")
    store.copy_to(tmp_path / "copy.db")
    copy = KeyStore(tmp_path / "copy.db", MASTER)
    assert copy.sealer("J1").open(sealed, b"x") == b"plain"
    copy.close()


def test_the_sealers_handed_out_can_be_others(tmp_path: Path) -> None:
    """A test may hand out sealers that do not seal; the keys themselves stay wrapped."""
    store = KeyStore(tmp_path / "other.db", MASTER, make_sealer=PlainSealer)
    assert store.create("J1").seal(b"plain", b"") == b"plain"
    assert store.registry_key("r") not in (tmp_path / "other.db").read_bytes()
    store.close()
