"""Which awaits of the product a process was stopped at: the lines, and how many of those in the rooms' files were never reached.

It looks at coroutines that wait; it must not run anything.
"""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.source import ROOT


class Awaits:
    """Lines of the product at which some task waited."""

    def __init__(self) -> None:
        """None yet."""
        self.seen: set[tuple[str, int]] = set()

    def look(self, tasks: Iterable[Any]) -> None:
        """Take in where these tasks wait now."""
        for task in tasks:
            if not task.done():
                self._follow(task.get_coro())

    def _follow(self, waiting: Any) -> None:
        while waiting is not None and hasattr(waiting, "cr_frame"):
            frame = waiting.cr_frame
            if frame is not None and frame.f_lineno is not None:
                self.seen.add((frame.f_code.co_filename, frame.f_lineno))
            waiting = waiting.cr_await

    def of(self, file: str) -> tuple[list[int], list[int]]:
        """Return the file's awaits that were reached, and those that were not, by line."""
        path = ROOT / file
        reached: list[int] = []
        missed: list[int] = []
        lines = {line for name, line in self.seen if Path(name) == path}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
                end = node.end_lineno if isinstance(node, ast.Await) else node.lineno
                is_reached = any(node.lineno <= line <= (end or node.lineno) for line in lines)
                (reached if is_reached else missed).append(node.lineno)
        return sorted(reached), sorted(missed)
