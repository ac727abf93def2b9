"""Changing the master key: every key of the store is wrapped anew under another one, all or none.

Safe against a kill anywhere: the new key is on the disk before the first key is wrapped with it; the store changes in one transaction;
repeated, it goes on where it was, or says that it was done. Neither key file is ever deleted, and nothing is sealed anew but the keys.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from domain.errors import BadSetting, Conflict
from domain.jobs import By
from pratunam.master_key import make_master_key, read_master_key
from pratunam.parts import Parts, open_parts
from pratunam.settings import Settings
from pratunam.standstill import held_still


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What was done, or would be: how many job keys, from which file to which; `made`: the new key was made just now."""

    jobs: int
    present: Path
    new: Path
    made: bool = False
    already: bool = False
    dry_run: bool = False


async def rewrap(settings: Settings, new: Path, by: By, *, dry_run: bool) -> Rewrapped:
    """Wrap all keys with the master key in `new`, made where there is none; raises Conflict while anything runs, BadSetting."""
    present = settings.master_key_path
    _refuse_place(settings, new)
    with held_still(settings, _runs()):
        if await asyncio.to_thread(new.exists) and await _opens(settings, new):
            return await _note(settings, Rewrapped(0, present, new, already=True, dry_run=dry_run), by)
        async with open_parts(settings, make_home=False) as parts:
            jobs = await asyncio.to_thread(_look_over, parts)
            if dry_run:
                return Rewrapped(jobs, present, new, dry_run=True)
            made = await asyncio.to_thread(_make, new)
            await asyncio.to_thread(parts.keys.rewrap, read_master_key(new))
        return await _note(settings, Rewrapped(jobs, present, new, made=made), by)


def _look_over(parts: Parts) -> int:
    """Open every job's key, so that one that does not open is found before anything is changed; return how many there are."""
    names = parts.keys.jobs()
    for name in names:
        parts.keys.sealer(name)
    return len(names)


def _make(new: Path) -> bool:
    """Make the new key; where a killed try has left one, take that."""
    made = make_master_key(new)
    read_master_key(new)
    return made


async def _opens(settings: Settings, new: Path) -> bool:
    """Say whether the store is wrapped with that key already; raises BadSetting for a file that is no master key."""
    read_master_key(new)
    try:
        async with open_parts(replace(settings, master_key_file=new), make_home=False):
            return True
    except BadSetting:
        return False


async def _note(settings: Settings, done: Rewrapped, by: By) -> Rewrapped:
    """Write the audit line; also after a try that was killed before it could."""
    if done.dry_run:
        return done
    async with open_parts(replace(settings, master_key_file=done.new), make_home=False) as parts:
        detail = {"keys": len(parts.keys.jobs()), "again": done.already}
        await parts.ledger.note("keys.rewrapped", "keys", detail, by, parts.clock.now())
        return replace(done, jobs=len(parts.keys.jobs()))


def _refuse_place(settings: Settings, new: Path) -> None:
    if new.resolve().is_relative_to(settings.home.resolve()):
        raise BadSetting(
            "The master key must lie outside the home, or a copy of the home opens itself.",
            message_th="กุญแจหลักต้องอยู่นอกโฟลเดอร์ระบบ",
            remedy_en="Name a file elsewhere: --to FILE",
            remedy_th="ระบุแฟ้มที่อื่น: --to FILE",
        )
    if new.resolve() == settings.master_key_path.resolve():
        raise Conflict(
            f"{new} is the present master key.",
            message_th=f"{new} เป็นกุญแจหลักที่ใช้อยู่",
            remedy_en="Name a new file: --to FILE",
            remedy_th="ระบุแฟ้มใหม่: --to FILE",
        )


def _runs() -> Conflict:
    return Conflict(
        "This home is in use: its master key is changed only while nothing works on it.",
        message_th="ระบบนี้กำลังทำงานอยู่ จึงยังเปลี่ยนกุญแจหลักไม่ได้",
        remedy_en="Stop `pratunam up`, and every scheduler and worker, then try again.",
        remedy_th="หยุด `pratunam up` และกระบวนการทั้งหมดก่อน แล้วลองใหม่",
    )
