"""The watch on one registry: asks the registrar for its load, keeps the clock offset, and reports this process's signals to the gate."""

from domain.errors import GateLost, WireFault
from domain.quota import Signals
from domain.wire import ClockSample
from workers.clock_offset import OffsetMeter
from workers.station import Station

#: between two rounds (s)
EVERY_S = 1.0
#: between two questions for the load: while the registrar answers them, and while it does not (ms)
LOAD_EVERY_MS = 2_000
NO_LOAD_EVERY_MS = 60_000
#: signals that did not change are told again after so long (ms)
REPORT_EVERY_MS = 5_000


class Watch:
    """One per station."""

    def __init__(self, station: Station) -> None:
        """Listen to the wire's `Date` headers from now on."""
        self._station = station
        self._meter = OffsetMeter()
        self._load_at = 0
        self._told: Signals | None = None
        self._told_at = 0
        self.listen(station)

    def listen(self, station: Station) -> None:
        """Heed another wire of the same registry (its endpoint was changed)."""
        self._station = station
        station.wire.on_clock(self._hear)

    async def run_once(self) -> float:
        """Look once; returns the seconds until the next time."""
        now = self._station.clock.monotonic()
        if now >= self._load_at:
            await self._ask_load(now)
        self._note_offset()
        await self._report(now)
        return EVERY_S

    def _hear(self, sample: ClockSample) -> None:
        """Take a header; one that begins a new measurement tells what to make of our clock as it is now, stepped or not."""
        if self._meter.take(sample):
            self._note_offset()
            self._station.trust_clock()

    def _note_offset(self) -> None:
        measured = self._meter.offset(self._station.clock.now())
        if measured is not None:
            self._station.offset.offset_ms, self._station.offset.error_ms = measured

    async def _ask_load(self, now: int) -> None:
        signals = self._station.signals
        try:
            load = await self._station.wire.load()
        except WireFault:
            signals.load_state = ""
            self._load_at = now + NO_LOAD_EVERY_MS // 10
            return
        signals.load_state = load.state if load is not None else ""
        self._load_at = now + (LOAD_EVERY_MS if load is not None else NO_LOAD_EVERY_MS)

    async def _report(self, now: int) -> None:
        """Tell totals when they changed, and now and then anyway; a lost gate hears them next time."""
        station = self._station
        totals = station.signals.totals(station.offset.offset_ms, station.offset.error_ms)
        if totals == self._told and now - self._told_at < REPORT_EVERY_MS:
            return
        try:
            await station.quotas.report(station.registry, station.holder, totals)
        except GateLost:
            return
        self._told, self._told_at = totals, now
