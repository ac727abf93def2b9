"""What a session does about an end or a refusal: slows the gate down, logs in later, or sets the account aside until people act.

What an end means is read in `workers/ending.py`. Bad credentials are tried once. It must write nothing to the wire.
"""

import secrets

from domain.events import AccountSetAside, Pushback
from domain.jobs import By
from domain.quota import Lease
from domain.wire import Scope
from ledger.values import NoticeDraft
from workers.ending import Reason, Verdict
from workers.station import Station

#: before an account whose session the registrar ended logs in again: this, and up to as much by chance (ms)
LOG_IN_AGAIN_MS = 2_000
#: why an account was set aside, for its party: what happened and what to do
_WORDS = {
    "bad-credentials": (
        "The registrar refused the password of account {account}. Ask for it to be checked, and give the gate the right one.",
        "นายทะเบียนไม่รับรหัสผ่านของรหัสผู้ใช้งาน {account} โปรดตรวจสอบและแจ้งรหัสผ่านที่ถูกต้อง",
    ),
    "account-suspended": (
        "The registrar has suspended account {account}. Please contact the registrar.",
        "นายทะเบียนระงับรหัสผู้ใช้งาน {account} โปรดติดต่อนายทะเบียน",
    ),
    "session-ended": (
        "Somebody else logged in with account {account} while the gate was using it. Change its password, and give the gate the new one.",
        "มีผู้อื่นเข้าใช้งานด้วยรหัสผู้ใช้งาน {account} ในขณะที่ระบบกำลังใช้อยู่ โปรดเปลี่ยนรหัสผ่านและแจ้งรหัสใหม่",
    ),
}


async def heed(station: Station, lease: Lease, verdict: Verdict, code: str) -> Reason | None:
    """Tell the gate and the people what an end or a refusal means; returns why to leave, if so. Raises GateLost."""
    if verdict.push is not None:
        push = verdict.push
        await _push_back(station, lease, push.scope, push.pause_ms, code)
        if verdict.is_pushback:
            station.signals.pushbacks += 1
    if verdict.set_aside == "session-ended":
        # Without a live lease, the next holder has fenced us.
        if not await station.quotas.renew(lease):
            return Reason.LEASE
        if not station.endings.note(lease.account):
            # Not as long for all: a registrar that restarts ends every session at once.
            pause_ms = LOG_IN_AGAIN_MS + secrets.randbelow(LOG_IN_AGAIN_MS)
            await _push_back(station, lease, Scope.ACCOUNT, pause_ms, "session-ended")
            return Reason.FAULT
    if verdict.set_aside:
        await _set_aside(station, lease, verdict.set_aside)
    return verdict.leave


async def pause(station: Station, lease: Lease, scope: Scope, pause_ms: int) -> None:
    """Tell the gate alone: it counts, for brake and boards, with the end that it is told ahead of. Raises GateLost."""
    who = {Scope.ACCOUNT: lease.account, Scope.PARTY: lease.party, Scope.REGISTRY: ""}[scope]
    await station.quotas.push_back(station.registry, scope, who, pause_ms)


async def _push_back(station: Station, lease: Lease, scope: Scope, pause_ms: int, code: str) -> None:
    await pause(station, lease, scope, pause_ms)
    station.emit(Pushback(station.registry, lease.party, scope.value, code, pause_ms))


async def _set_aside(station: Station, lease: Lease, reason: str) -> None:
    """Take the account out of use until people act, and tell its party and the operators, once."""
    english, thai = _WORDS[reason]
    notice = NoticeDraft(
        lease.party,
        "account-set-aside",
        f"Account {lease.account} is out of use",
        f"รหัสผู้ใช้งาน {lease.account} ใช้งานไม่ได้",
        english.format(account=lease.account),
        thai.format(account=lease.account),
    )
    by = By(f"worker:{station.holder}", "session")
    suspended = reason == "account-suspended"
    now = station.clock.now()
    if await station.ledger.set_aside(
        station.registry, lease.account, reason, [notice], by, now, suspended=suspended
    ):
        station.emit(AccountSetAside(station.registry, lease.party, lease.account, reason))
