"""The arrival log: every record that reached the door, when, from whom, and what became of it.

Columns in plain arrays, so that a million arrivals cost tens of megabytes. It must hold no personal data:
of a record it knows its key and a digest of its natural key.
"""

from array import array
from collections import Counter
from enum import IntEnum
from pathlib import Path

import msgspec


class Decision(IntEnum):
    """What became of one arrival."""

    ACCEPTED = 0
    DUPLICATE = 1
    REJECTED = 2
    RETRY = 3  # a `retry` line: not recorded
    TOO_FAST = 4  # over a limit: not recorded
    REFUSED = 5  # in a request that was refused as a whole
    AFTER_END = 6  # came after the `end` line was written
    ASKED = 7  # a question about a key
    FAULT = 8  # dropped by a scripted fault before it was recorded


#: Stands for "inside the window" in the column of microseconds outside.
INSIDE = -(1 << 62)


class ArrivalLog:
    """Columns of arrivals, ascending by `at_ns`."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = None if path is None else path.open("ab")
        self._encode = msgspec.json.Encoder().encode
        self.reset()

    def reset(self) -> None:
        """Forget every arrival; a file that was appended to keeps its lines."""
        self.at_ns = array("q")
        self.wall_us = array("q")
        self.outside_us = array("q")
        self.account = array("l")
        self.session = array("l")
        self.decision = array("B")
        self.natural = array("Q")
        self.keys: list[str] = []
        self.codes: Counter[tuple[int, str]] = Counter()  # (account, code of a rejection)
        self.pushbacks: Counter[tuple[int, str]] = Counter()  # (account, what was answered)

    def __len__(self) -> int:
        """Whole rows; the last column is written last."""
        return len(self.decision)

    def add(
        self,
        at_ns: int,
        wall_us: int,
        outside_us: int | None,
        account: int,
        session: int,
        rows: list[tuple[str, int, int]],
    ) -> None:
        """Append a handful that arrived at one instant: rows of (key, natural digest, decision)."""
        outside = INSIDE if outside_us is None else outside_us
        many = len(rows)
        if many == 1:
            self.at_ns.append(at_ns)
            self.wall_us.append(wall_us)
            self.outside_us.append(outside)
            self.account.append(account)
            self.session.append(session)
        else:
            self.at_ns.extend((at_ns,) * many)
            self.wall_us.extend((wall_us,) * many)
            self.outside_us.extend((outside,) * many)
            self.account.extend((account,) * many)
            self.session.extend((session,) * many)
        for key, natural, decision in rows:
            self.keys.append(key)
            self.natural.append(natural)
            self.decision.append(decision)
        if self._file is not None:
            self._append_to_file(at_ns, wall_us, outside_us, account, session, rows)

    def _append_to_file(
        self,
        at_ns: int,
        wall_us: int,
        outside_us: int | None,
        account: int,
        session: int,
        rows: list[tuple[str, int, int]],
    ) -> None:
        lines = [
            self._encode(
                {
                    "at_ns": at_ns,
                    "wall_us": wall_us,
                    "outside_us": outside_us,
                    "account": account,
                    "session": session,
                    "key": key,
                    "natural": f"{natural:016x}",
                    "decision": Decision(decision).name.lower(),
                }
            )
            for key, natural, decision in rows
        ]
        if self._file is not None:
            self._file.write(b"\n".join(lines) + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
