"""A pacer on a manual clock, a gate that keeps its own books, and sessions that want what a test says."""

import random
from collections.abc import Callable
from typing import cast

from domain.clock import ManualClock
from domain.events import Event
from domain.quota import Lease, Quotas
from tests.workers.fake_gate import FakeGate
from workers.pacer import Pacer
from workers.seat import Seat


class Desk:
    """A pacer on a manual clock, and sessions that want what a test says."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.gate = FakeGate()
        self.events: list[Event] = []
        self.pacer = Pacer(
            "reg", "host:1", cast("Quotas", self.gate), self.clock, self.events.append, random.Random(1)
        )
        self.wants: dict[str, int] = {}

    def sit(self, account: str, want: int, on_permit: Callable[[], None] = lambda: None) -> Seat:
        """Take a seat for an account."""
        self.wants[account] = want
        lease = Lease("reg", "P1", account, "host:1", len(self.wants), 1)
        return self.pacer.take_seat(lease, lambda: self.wants[account], on_permit, 6_000)

    async def draws_again(self, *accounts: str) -> list[int]:
        """Tick every 10 ms until each account has asked for permits again; returns after how long each did."""
        asked: dict[str, int] = {}
        before = len(self.gate.ticks)
        for waited in range(10, 1_000, 10):
            self.clock.advance(10)
            await self.pacer.run_once()
            for _, lines in self.gate.ticks[before:]:
                for line in lines:
                    if line.want:
                        asked.setdefault(line.lease.account, waited)
            if set(accounts) <= set(asked):
                break
        return [asked[account] for account in accounts]
