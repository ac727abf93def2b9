"""What a peer needs and what it is given to send."""

import json
from pathlib import Path

import pytest

from benchmarks.peers import peer
from benchmarks.town import TownPlan


def test_a_peer_whose_package_is_missing_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the package and the command that installs it; nothing is said where it is there."""
    monkeypatch.setitem(peer.NEEDS, "bare_loop", "no_such_package")
    assert "`no_such_package`" in peer.missing("bare_loop")
    assert "run.py bench pace" in peer.missing("bare_loop")
    monkeypatch.setitem(peer.NEEDS, "bare_loop", "json")
    assert peer.missing("bare_loop") == ""


def test_a_peer_sends_what_ours_sends(tmp_path: Path) -> None:
    """Bodies are those of the wire: codes, days as the registrar writes them, no empty field, nothing that a party keeps for itself."""
    work = peer.work_of(TownPlan([1], [5], 1, 1, 1, 1), "http://127.0.0.1:1", tmp_path)
    rows = [json.loads(line) for line in Path(work.shares[0].file).read_bytes().splitlines()]
    assert len(rows) == 5
    assert all({"operation", "national_id", "tambon"} <= set(row) and all(row.values()) for row in rows)
    assert {(row["operation"], row["member_kind"] in {"ANNUAL", "LIFETIME"}) for row in rows} == {
        ("ADD", True)
    }
    assert not {"phone", "consent_ref"} & {name for row in rows for name in row}
