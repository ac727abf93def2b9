"""A consistent copy of a home: ledger, spool, policy, and a manifest with digests. The keys are left out unless asked for.

The ledger is copied first: whatever it speaks of was in the spool before. The commit counter beside the keys is never copied:
by it a restored home knows that it is behind, and asks before it sends anything again.
"""

import asyncio
import contextlib
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.errors import Conflict
from ledger.backup import copy_ledger
from ledger.database import SCHEMA
from ledger.keystore import KeyStore
from ledger.postgres_keys import KEYS_SCHEMA
from pratunam import __version__
from pratunam.local_time import rfc3339
from pratunam.parts import Parts

MANIFEST = "manifest.json"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of a copy."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied; `audit_head` is the chain's head just before."""

    version: str
    made_at: str
    policy_version: int | None
    audit_lines: int
    audit_head: str
    with_keys: bool
    files: tuple[BackupFile, ...]


async def back_up(parts: Parts, target: Path, *, with_keys: bool) -> Backup:
    """Copy the home into the folder `target`, which must be new or empty; raises Conflict, and then leaves nothing there."""
    _refuse_database(parts)
    await asyncio.to_thread(_refuse_full, target)
    draft = target.with_name(f".{target.name}.draft")
    proof = await parts.ledger.verify_audit()
    version = await parts.ledger.policy(parts.clock.now())
    try:
        await asyncio.to_thread(_copy, parts.settings.home, draft, parts.keys if with_keys else None)
        if version is not None:
            (draft / "policy.toml").write_text(version.document, "utf-8")
        backup = Backup(
            version=__version__,
            made_at=rfc3339(parts.clock.now()),
            policy_version=version.version if version else None,
            audit_lines=proof.lines,
            audit_head=proof.head,
            with_keys=with_keys,
            files=await asyncio.to_thread(_listed, draft),
        )
        (draft / MANIFEST).write_text(json.dumps(asdict(backup), indent=2) + "\n", "utf-8")
        draft.replace(target)
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    return backup


def _refuse_database(parts: Parts) -> None:
    if parts.settings.ledger_url:
        command = f"pg_dump --format=custom --schema={SCHEMA} --file=FILE"
        raise Conflict(
            "This installation keeps ledger and spool in PostgreSQL: its server's own tools copy them.",
            message_th="ระบบนี้เก็บสมุดงานกลางและที่พักข้อมูลไว้ใน PostgreSQL จึงต้องสำรองด้วยเครื่องมือของเซิร์ฟเวอร์นั้น",
            remedy_en=f"{command}; the keys, apart from it: --schema={KEYS_SCHEMA} (docs/operations.md).",
            remedy_th=f"{command} และสำรองกุญแจแยกต่างหากด้วย --schema={KEYS_SCHEMA} (docs/operations.md)",
        )


def _refuse_full(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(
            f"{target} is there already and is not an empty folder.",
            message_th=f"มี {target} อยู่แล้วและไม่ใช่โฟลเดอร์ว่าง",
            remedy_en="Name a new folder for each copy.",
            remedy_th="โปรดระบุโฟลเดอร์ใหม่",
        )


def _copy(home: Path, draft: Path, keys: KeyStore | None) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    copy_ledger(home, draft / "ledger.db")
    for file in sorted((home / "spool").rglob("*.chunk")):
        copy = draft / file.relative_to(home)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # erased meanwhile: it is gone for good, here too
            shutil.copyfile(file, copy)
    if keys is not None:
        keys.copy_to(draft / "keys.db")
        (draft / "keys.db").chmod(0o600)


def _listed(folder: Path) -> tuple[BackupFile, ...]:
    return tuple(
        BackupFile(str(file.relative_to(folder)), file.stat().st_size, _digest(file))
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    )


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
