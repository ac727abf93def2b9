"""Whether sessions that the registrar ended under live leases were ended by its restart, or by somebody else who uses a code.

A restart ends every account's session at about the same time; somebody else ends one account's, and again each time the gate logs
in anew. One memory a process and registry: an account that goes from process to process is found out once one of them has seen it
twice, so there are at most as many log-ins as processes, and one. It must not decide what follows.
"""

from domain.clock import Clock

#: a session ended again within this (ms) is no accident
AGAIN_MS = 600_000
#: sessions ended within this of each other (ms) were ended together
TOGETHER_MS = 5_000


class Endings:
    """Sessions of one registry that the registrar ended while their leases held."""

    def __init__(self, clock: Clock) -> None:
        """Nothing has ended yet."""
        self._clock = clock
        self._ended: list[tuple[int, str]] = []

    def note(self, account: str) -> bool:
        """Note that an account's session was ended now; say whether somebody else uses its code.

        That is so when it was ended alone before, within ten minutes, and is alone now.
        """
        now = self._clock.monotonic()
        self._ended = [(at, one) for at, one in self._ended if now - at <= AGAIN_MS]
        before = [at for at, one in self._ended if one == account]
        self._ended.append((now, account))
        return self._is_alone(account, now) and any(self._is_alone(account, at) for at in before)

    def _is_alone(self, account: str, when: int) -> bool:
        return all(one == account or abs(at - when) > TOGETHER_MS for at, one in self._ended)
