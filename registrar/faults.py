"""Scripted faults: what goes wrong, for whom, how often. Drawn, never timed, by those who take records.

It must do nothing itself: the doors act on what it draws.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from registrar.clock import NS_PER_S
from registrar.config import ConfigError, Fault
from registrar.state import AccountState

#: Kinds that strike a request before any of it is read.
REQUEST_KINDS = frozenset({"overloaded", "too-fast", "error", "reset"})
#: Kinds that spoil the answer of a request whose records took effect.
ANSWER_KINDS = frozenset({"error-after", "reset-after", "garbage", "truncate", "charset"})
#: Kinds that strike single records in an answer that has begun.
RECORD_KINDS = frozenset({"busy", "end"})
#: Kinds that cost time only.
TIME_KINDS = frozenset({"latency", "stall", "slow-login", "late-effect"})
#: Kinds that befall the account or the registrar after a handful of records; `after` counts handfuls.
MISFORTUNES = frozenset({"restart", "hijack", "suspend", "password"})
KINDS = REQUEST_KINDS | ANSWER_KINDS | RECORD_KINDS | TIME_KINDS | MISFORTUNES


@dataclass(slots=True)
class _Armed:
    fault: Fault
    until_ns: int | None
    left: int | None
    passed: int = 0


class FaultBox:
    """The faults that are armed; `armed` is false when nothing needs to be drawn."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._armed: list[_Armed] = []

    @property
    def armed(self) -> bool:
        """Whether anything can strike at all."""
        return bool(self._armed)

    def arm(self, faults: Iterable[Fault], now_ns: int) -> None:
        """Add faults; raises `ConfigError` for an unknown kind."""
        for fault in faults:
            if fault.kind not in KINDS:
                raise ConfigError(f"fault: unknown kind {fault.kind!r}; known: {', '.join(sorted(KINDS))}")
            lasts = fault.duration_s
            until = None if lasts is None else now_ns + round(lasts * NS_PER_S)
            self._armed.append(_Armed(fault, until, fault.count))

    def clear(self) -> None:
        """Take all faults out."""
        self._armed.clear()

    def draw(self, kinds: Iterable[str], on: str, account: AccountState | None, now_ns: int) -> Fault | None:
        """The first fault of these kinds that strikes now; spends one of its count."""
        struck: Fault | None = None
        for one in list(self._armed):
            fault = one.fault
            if fault.kind not in kinds or fault.on != on or not _concerns(fault, account):
                continue
            if (one.until_ns is not None and now_ns >= one.until_ns) or one.left == 0:
                self._armed.remove(one)
            elif one.passed < fault.after:
                one.passed += 1
            elif struck is None and self._dice_fall(fault):
                struck = fault
                one.passed = 0
                one.left = None if one.left is None else one.left - 1
        return struck

    def _dice_fall(self, fault: Fault) -> bool:
        return fault.probability >= 1.0 or self._random.random() < fault.probability


def _concerns(fault: Fault, account: AccountState | None) -> bool:
    if account is None:
        return not (fault.registry or fault.party or fault.account)
    party = account.party
    return (
        fault.registry in (None, party.registry.name)
        and fault.party in (None, party.id)
        and fault.account in (None, account.id)
    )
