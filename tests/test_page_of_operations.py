"""docs/operations.md: what is shown there as code does what is said of it."""

import sys
from pathlib import Path

import pytest

from domain.errors import BadSetting
from ledger.keystore import KeyStore
from pratunam.master_key import make_master_key, read_master_key
from tests.pages import blocks, page


def test_the_master_key_is_changed_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the page's lines have run, the new master key opens the key store, and the old one does not."""
    present, fresh, home = tmp_path / "present.key", tmp_path / "fresh.key", tmp_path / "home"
    home.mkdir()
    make_master_key(present)
    store = KeyStore(home / "keys.db", read_master_key(present))
    before = store.registry_key("any")
    store.close()
    monkeypatch.setattr(sys, "argv", ["any", str(home), str(present), str(fresh)])
    (code,) = blocks(page("operations.md"), "python")
    exec(compile(code, "operations.md", "exec"), {})
    opened = KeyStore(home / "keys.db", read_master_key(fresh))
    assert opened.registry_key("any") == before
    opened.close()
    with pytest.raises(BadSetting):
        KeyStore(home / "keys.db", read_master_key(present))
