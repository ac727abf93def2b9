"""Where in a TOML text a key stands. TOML readers give no line numbers, so this asks the reader itself about parts of the text.

The text is cut at its headers once, and a key is looked for in its own table only: a policy of thousands of parties, each with something
to warn of, is read in one go.
"""

import tomllib
from collections.abc import Sequence
from itertools import accumulate

Path = Sequence[str | int]
_Whole = tuple[str | int, ...]


class LineFinder:
    """Finds the line (from 1) on which a path is complete."""

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is read until a line is asked for."""
        self._text = text
        self._is_cut = False
        self._headers: dict[_Whole, int] = {}
        self._bodies: dict[_Whole, _Body] = {}
        self._newest: dict[_Whole, int] = {}

    def line_of(self, path: Path) -> int:
        """Return the line of `path` (keys, and indices of arrays of tables); the nearest known parent's where it is absent."""
        if not self._is_cut:
            self._cut()
            self._is_cut = True
        whole = tuple(path)
        while whole:
            line = self._headers.get(whole) or self._line_in_body(whole)
            if line is not None:
                return line
            whole = whole[:-1]
        return 1

    def _line_in_body(self, path: _Whole) -> int | None:
        for cut in range(len(path) - 1, -1, -1):
            body = self._bodies.get(path[:cut])
            line = body.line_of(path[cut:]) if body is not None else None
            if line is not None:
                return line
        return None

    def _cut(self) -> None:
        """Find the headers, and the lines below each."""
        table: _Whole = ()
        lines: list[str] = []
        begins_at = 1
        for number, line in enumerate(self._text.splitlines(keepends=True), 1):
            header = _read(line) if line.lstrip().startswith("[") else None
            # what looks like a header may stand in the middle of a value, and what is above it cannot be read then
            if not header or _read("".join(lines)) is None:
                lines.append(line)
                continue
            self._bodies[table] = _Body(lines, begins_at)
            table, lines, begins_at = self._open(header), [], number + 1
            for length in range(1, len(table) + 1):
                self._headers.setdefault(table[:length], number)
        self._bodies[table] = _Body(lines, begins_at)

    def _open(self, header: dict[str, object]) -> _Whole:
        """Return the whole path of a header's table; in an array of tables it is the newest one's."""
        path: list[str | int] = []
        inside: object = header
        while isinstance(inside, dict) and inside:
            key, inside = next(iter(inside.items()))
            path.append(key)
            array = tuple(path)
            if isinstance(inside, list):
                self._newest[array] = self._newest.get(array, -1) + 1
            if array in self._newest:
                path.append(self._newest[array])
        return tuple(path)


class _Body:
    """The lines below one header, without those of other tables."""

    def __init__(self, lines: Sequence[str], begins_at: int) -> None:
        self._text = "".join(lines)
        self._ends = list(accumulate(len(line) for line in lines))
        self._begins_at = begins_at

    def line_of(self, path: _Whole) -> int | None:
        """Return the line of a path by halving: a path once there stays there in longer prefixes. None where it is absent."""
        if not self._has(len(self._ends), path):
            return None
        low, high = 1, len(self._ends)
        while low < high:
            middle = (low + high) // 2
            if self._has(middle, path):
                high = middle
            else:
                low = middle + 1
        return self._begins_at + low - 1

    def _has(self, lines: int, path: _Whole) -> bool:
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
            document = _read(self._text[: self._ends[lines - 1]])
            if document is not None:
                return document
            lines -= 1
        return {}


def _read(text: str) -> dict[str, object] | None:
    """Read some TOML; None where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
