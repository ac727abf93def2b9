"""The central system as one object: clock, rolls, sessions, records, log, faults, and who is being served.

It must know nothing of HTTP.
"""

from pathlib import Path

from registrar.arrivals import ArrivalLog
from registrar.clock import Clock
from registrar.config import Config
from registrar.faults import FaultBox
from registrar.pace import Pace
from registrar.records import RecordBook
from registrar.sessions import SessionBook
from registrar.state import PartyState, Rolls

#: How often idle streams are looked at, in seconds.
SWEEP_S = 0.05


class Central:
    """Everything that a reference registrar is."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self.config = config
        self.clock = clock or Clock(config.clock_offset_s)
        self.rolls = Rolls(config)
        self.sessions = SessionBook(self.rolls)
        self.books = {name: RecordBook(rules) for name, rules in config.registries.items()}
        self.pace = {name: Pace(rules) for name, rules in config.registries.items()}
        self.log = ArrivalLog(Path(config.log_file) if config.log_file else None)
        self.faults = FaultBox(config.seed)
        self.faults.arm(config.faults, self.clock.mono_ns())
        self.enforce = config.mode == "enforce"
        self.load_state: str | None = None
        self.strangers = 0  # records that came with no bearer that was ever ours

    def outside_us(self, party: PartyState, at_ns: int) -> int | None:
        """How far an instant lies outside a party's hours, by the registrar's clock; `None`: inside."""
        return party.hours.outside_us(self.clock.wall_us(at_ns))

    def sweep(self) -> None:
        """End expired sessions, and streams whose window has closed."""
        now_ns = self.clock.mono_ns()
        self.sessions.sweep(now_ns)
        for session in list(self.sessions.live()):
            if session.watchers and self.outside_us(session.account.party, now_ns) is not None:
                for stop in list(session.watchers):
                    stop("window-closed")

    def reset(self) -> None:
        """Begin a new log: arrivals, effects, counts and limits' histories go, open sessions stay."""
        now_ns = self.clock.mono_ns()
        self.log.reset()
        self.sessions.reset()
        self.strangers = 0
        for book in self.books.values():
            book.reset()
        for account in self.rolls.by_index:
            account.logins = 0
            account.limit.forget_before(now_ns)
        for registry in self.rolls.registries.values():
            registry.limit.forget_before(now_ns)
            for party in registry.parties.values():
                party.limit.forget_before(now_ns)
