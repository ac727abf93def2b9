"""How many pieces of one kind of work a process does at once; what comes beyond that waits, party by party, each id once."""


class Slots:
    """A number of places and a queue before them. A queue that dies with its process is rung again from the ledger."""

    def __init__(self, places: int) -> None:
        """Begin with all places free."""
        self._free = places
        self._waiting: dict[str, dict[str, None]] = {}
        self._known: set[str] = set()

    def knows(self, name: str) -> bool:
        """Say whether `name` has a place, or waits for one."""
        return name in self._known

    def enter(self, name: str, party: str) -> bool:
        """Take a place for `name`; False when it has one already, or must wait (it is remembered)."""
        if name in self._known:
            return False
        self._known.add(name)
        if self._free <= 0:
            self._waiting.setdefault(party, {})[name] = None
            return False
        self._free -= 1
        return True

    def leave(self, name: str) -> str | None:
        """Give the place to the longest waiting of the party whose turn it is, and return its name; None frees it."""
        self._known.discard(name)
        for party, names in self._waiting.items():
            following = next(iter(names))
            del self._waiting[party], names[following]
            if names:  # its other files wait behind every other party's first
                self._waiting[party] = names
            return following
        self._free += 1
        return None
