"""How many pieces of one kind of work a process does at once; what comes beyond that waits in order, each id once."""


class Slots:
    """A number of places and a queue before them. A queue that dies with its process is rung again from the ledger."""

    def __init__(self, places: int) -> None:
        """Begin with all places free."""
        self._free = places
        self._waiting: dict[str, None] = {}
        self._inside: set[str] = set()

    def enter(self, name: str) -> bool:
        """Take a place for `name`; False when it has one already, or must wait (it is remembered)."""
        if name in self._inside:
            return False
        if self._free <= 0:
            self._waiting[name] = None
            return False
        self._free -= 1
        self._inside.add(name)
        return True

    def leave(self, name: str) -> str | None:
        """Give the place to the one that has waited longest, and return its name; None frees it."""
        self._inside.discard(name)
        for following in self._waiting:
            del self._waiting[following]
            self._inside.add(following)
            return following
        self._free += 1
        return None
