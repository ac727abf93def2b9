"""Where in a TOML text a key stands. TOML readers give no line numbers, so this asks the reader itself about prefixes of the text."""

import tomllib
from collections.abc import Sequence
from itertools import accumulate

Path = Sequence[str | int]


class LineFinder:
    """Finds the line (from 1) on which a path is complete, by halving: a path once there stays there in longer prefixes."""

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is read until a line is asked for."""
        self._text = text
        self._ends = list(accumulate(len(line) for line in text.splitlines(keepends=True)))

    def line_of(self, path: Path) -> int:
        """Return the line of `path` (keys, and indices of arrays of tables); the nearest known parent's where it is absent."""
        while path and not self._has(len(self._ends), path):
            path = path[:-1]
        if not path:
            return 1
        low, high = 1, len(self._ends)
        while low < high:
            middle = (low + high) // 2
            if self._has(middle, path):
                high = middle
            else:
                low = middle + 1
        return low

    def _has(self, lines: int, path: Path) -> bool:
        document = self._read_prefix(lines)
        for step in path:
            if isinstance(step, int):
                if not isinstance(document, list) or len(document) <= step:
                    return False
                document = document[step]
            elif isinstance(document, dict) and step in document:
                document = document[step]
            else:
                return False
        return True

    def _read_prefix(self, lines: int) -> object:
        # A prefix that ends inside a value that spans lines cannot be read; the value is not there yet then.
        while lines > 0:
            try:
                return tomllib.loads(self._text[: self._ends[lines - 1]])
            except tomllib.TOMLDecodeError:
                lines -= 1
        return {}
