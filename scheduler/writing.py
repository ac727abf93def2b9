"""Which shares must be written: those that changed, and those about to lapse. Keeps what was written last; writes nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.quota import Share

#: a share is written again when less than this is left of it, in ms
REARM_MS = 2_500
#: an earlier end than the one written counts as a change from so many ms on
SOONER_MS = 20
#: a rate counts as changed from this part of it on
CHANGED_BY = 0.01


@dataclass(frozen=True, slots=True)
class _Written:
    share: Share
    ends_at: int


class WrittenShares:
    """The shares of one registry as Redis has them, in ms of the monotonic clock."""

    def __init__(self) -> None:
        """Nothing has been written."""
        self._written: dict[str, _Written] = {}
        self._rate: float | None = None

    def due(self, shares: Mapping[str, Share], now: int) -> dict[str, Share]:
        """Return what must be written now; parties that are no longer decided about are closed."""
        due = {party: share for party, share in shares.items() if self._is_due(party, share, now)}
        for party, written in self._written.items():
            if party not in shares and written.ends_at > now:
                due[party] = Share(rate=0.0, burst=written.share.burst, open_until_ms=0, sessions=0)
        return due

    def is_rate_due(self, rate: float) -> bool:
        """Return whether the registry's braked rate is not the one written."""
        return rate != self._rate

    def wrote(self, shares: Mapping[str, Share], rate: float, now: int) -> None:
        """Remember what was written; what is closed need not be remembered."""
        self._rate = rate
        for party, share in shares.items():
            if share.open_until_ms > 0:
                self._written[party] = _Written(share, now + share.open_until_ms)
            else:
                self._written.pop(party, None)

    def _is_due(self, party: str, share: Share, now: int) -> bool:
        written = self._written.get(party)
        if written is None or written.ends_at <= now:
            return share.open_until_ms > 0
        before, ends_at = written.share, now + share.open_until_ms
        if share.open_until_ms == 0 or ends_at < written.ends_at - SOONER_MS:
            return True
        if written.ends_at - now < REARM_MS and ends_at > written.ends_at + SOONER_MS:
            return True
        if share.sessions != before.sessions or share.burst != before.burst:
            return True
        return abs(share.rate - before.rate) > CHANGED_BY * before.rate
