"""Which leases' claims must be left alone when slices of dead ones are fetched back. Computes only.

A lease that is no more cannot write: its holder stops before its next record. So its slices may go to others at once where
a key has one effect. Where it has not, a record of a dead session may surface for as long as its account is quarantined, and
its slices stay where they are for so long.

Between reading the usage and fetching back, a new session may take a lease and claim: tokens only grow, so a stretch of
tokens above the newest seen is left alone as well, while anybody may come.
"""

from collections.abc import Iterable

from domain.quota import SessionUse

#: tokens above the newest one that may be given out while the rescue is on its way
TO_COME = 1_024
#: a generation's tokens begin at its number times this
TOKENS_A_GENERATION = 2**32


class Rescuer:
    """Remembers the newest tokens of one registry."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._newest = 0
        self._last_of: dict[str, int] = {}

    def note(self, generation: int, sessions: Iterable[SessionUse]) -> None:
        """Take in the sessions of one round."""
        self._newest = max(self._newest, generation * TOKENS_A_GENERATION)
        for session in sessions:
            if not session.quarantined:
                self._last_of[session.account] = session.token
                self._newest = max(self._newest, session.token)

    def live_tokens(
        self, sessions: Iterable[SessionUse], *, idempotent: bool, expects_more: bool
    ) -> frozenset[int] | None:
        """Return the tokens whose claims stand; None when it cannot be told yet (a quarantined lease from before our time)."""
        live = {session.token for session in sessions if not session.quarantined}
        if not idempotent:
            for session in sessions:
                if session.quarantined:
                    if session.account not in self._last_of:
                        return None
                    live.add(self._last_of[session.account])
        if expects_more or live:
            live.update(range(self._newest + 1, self._newest + 1 + TO_COME))
        return frozenset(live)
