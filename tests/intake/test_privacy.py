"""What a file says of a person is found nowhere in clear: not in spool, ledger or scratch, not in what a crashing child leaves."""

import base64
import contextlib
import datetime as dt
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import zstandard

from intake.frames import CheckTask, Given, Limits, Look, Piece, ReadTask, TableChunk, Want
from intake.keeper import ChildDied, keep_child
from ledger.keystore import KeyStore
from ledger.sealing import Sealer
from tests.intake.conftest import REGISTRY, Desk
from tests.intake.samples import HEADER, as_csv, grid, member, members, national_id

CANARY = "คะนารีย์เหลือง"
CANARY_ID = national_id(987_654_321)


def disguises(text: str) -> Iterator[bytes]:
    """Yield every form in which a text might lie about."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "cp874"):
        yield text.encode(encoding)
    yield text.encode("unicode_escape")
    plain = text.encode()
    for shift in range(3):
        # base64 of the middle, whatever stands before and after
        yield base64.b64encode(b"x" * shift + plain)[4:-4]


NEEDLES = [needle for text in (CANARY, CANARY_ID) for needle in disguises(text) if len(needle) >= 8]


def found_in(data: bytes) -> bool:
    """Say whether a canary stands in these bytes, also after decompression."""
    texts = [data]
    for at in _starts(data, b"\x28\xb5\x2f\xfd"):
        try:
            texts.append(zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]))
        except zstandard.ZstdError:
            continue
    with contextlib.suppress(zlib.error):
        texts.append(zlib.decompressobj(47).decompress(data))
    return any(needle in text for text in texts for needle in NEEDLES)


def _starts(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def found_under(folder: Path) -> list[str]:
    """Return the files under a folder in which a canary stands."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and found_in(path.read_bytes())]


class Watched:
    """The ledger, with a look around whenever the index step is asked for: then hashes and held rows lie in scratch."""

    def __init__(self, ledger: Any, look: Callable[[], None]) -> None:
        self._ledger = ledger
        self._look = look

    def __getattr__(self, name: str) -> Any:
        if name == "begin_index":
            self._look()
        return getattr(self._ledger, name)


class Bare(Sealer):
    """A sealer that does not seal."""

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        return sealed

    def seal_packed(self, packed: bytes, aad: bytes) -> bytes:
        return packed

    def open_packed(self, sealed: bytes, aad: bytes) -> bytes:
        return sealed


async def seen_in_clear(desk: Desk) -> list[str]:
    """Take a file with canaries through intake and return where they were seen."""
    canary = member(1, last_name=CANARY, national_id=CANARY_ID)
    rows = [
        *members(1),
        canary,
        member(2, last_name=CANARY + "!"),
        member(1, operation="RESIGN", national_id=CANARY_ID),
    ]
    data = as_csv(
        grid(
            [row | {"note": CANARY, "end_date": "1/3/2568", "end_reason": "RESIGN"} for row in rows],
            more=("note", "end_date", "end_reason"),
        )
    )
    seen: list[str] = []

    def look() -> None:
        held = list(desk.parts.scratch.rglob("*"))
        assert any(path.name.startswith("held") for path in held)
        seen.extend(found_under(desk.home))

    desk.parts = replace(desk.parts, ledger=Watched(desk.ledger, look))
    job = await desk.take(data, ignored=("note",), max_invalid_pct=100.0)
    assert (job.invalid, job.records.total) == (1, 3)
    assert [path for path in desk.parts.scratch.iterdir() if path.name != "places"] == []
    assert all(lock.stat().st_size == 0 for lock in (desk.parts.scratch / "places").iterdir())
    return seen + found_under(desk.home)


async def test_a_person_is_nowhere_in_clear_on_disk(desk: Desk) -> None:
    """Spool, ledger, key store and scratch, while the check runs and after it."""
    assert await seen_in_clear(desk) == []


async def test_the_same_search_catches_a_gate_that_does_not_seal(desk: Desk) -> None:
    """Else it would prove nothing."""
    keys = KeyStore(desk.home / "bare.db", b"k" * 32, make_sealer=Bare)
    desk.parts, desk.keys = replace(desk.parts, keys=keys), keys
    seen = await seen_in_clear(desk)
    keys.close()
    assert "00000001.chunk" in seen
    assert "ledger.db" in seen or "ledger.db-wal" in seen


async def test_a_crashing_child_leaves_no_word_of_what_it_read(desk: Desk, tmp_path: Path) -> None:
    """Neither on standard error nor in the error that the parent raises."""
    task = CheckTask(
        profile=REGISTRY, operation="ADD", declared=True, test_ids=False, party="P001", registry=REGISTRY,
        today=dt.date(2026, 1, 1), blind_key=b"k" * 32, columns=HEADER, matched={n: n for n in HEADER},
        chunks=1, rows=1, scratch=str(tmp_path), account_rate=20.0, accounts=1,
    )  # fmt: skip
    errors = tmp_path / "errors"
    with errors.open("wb") as sink:
        async with keep_child(Limits(2 << 30, 60), stderr=sink.fileno()) as child:
            await child.say(task)
            assert await child.hear() == Want(1)
            await child.say(Given(TableChunk(0, 1, "", False, f"{CANARY} {CANARY_ID}".encode() * 100)))
            with pytest.raises(ChildDied) as died:
                await child.hear()
    assert not found_in(errors.read_bytes())
    assert not found_in((repr(died.value) + repr(died.value.where)).encode())
    assert died.value.where[-1].startswith("intake/")


async def test_the_child_s_environment_and_arguments_say_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts' secrets stand in the gate's environment; the child has one of its own."""
    monkeypatch.setenv("P001_01", "a-secret-of-an-account")
    async with keep_child(Limits(2 << 30, 60)) as child:
        await child.say(ReadTask(REGISTRY, None, True, None, 10))
        await child.say(Piece(as_csv(grid(members(2)))))
        await child.say(Piece(b""))
        assert isinstance(await child.hear(), Look)
        process = psutil.Process(child.pid)
        told = str(process.environ()) + str(process.cmdline())
    assert "PYTHONPATH" in told
    assert "a-secret-of-an-account" not in told
