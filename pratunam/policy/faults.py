"""What is wrong with a policy file, line by line: collects everything before it refuses."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import BadPolicy
from pratunam.policy.locate import LineFinder, Path


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One thing that is wrong (or, as a warning, unwise): the file's line, the name that it is about, and what to do."""

    line: int
    name: str
    message_en: str
    message_th: str


class Faults:
    """Collects faults and warnings, each with its line."""

    def __init__(self, finder: LineFinder) -> None:
        """Begin with nothing wrong."""
        self._finder = finder
        self.faults: list[PolicyFault] = []
        self.warnings: list[PolicyFault] = []

    def add(self, path: Path, message_en: str, message_th: str) -> None:
        """Note a fault at `path`."""
        self.faults.append(self._made(path, message_en, message_th))

    def warn(self, path: Path, message_en: str, message_th: str) -> None:
        """Note a warning at `path`."""
        self.warnings.append(self._made(path, message_en, message_th))

    def unknown(self, path: Path, known: Iterable[str]) -> None:
        """Note an unknown name, with the nearest known one."""
        name = str(path[-1])
        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
        ask_en, ask_th = (f": did you mean `{near[0]}`?", f" หมายถึง `{near[0]}` หรือไม่") if near else ("", "")
        self.add(path, f"unknown name `{name}`{ask_en}", f"ไม่รู้จักชื่อ `{name}`{ask_th}")

    def refuse_if_any(self) -> None:
        """Raise BadPolicy with every fault, in the file's order."""
        if not self.faults:
            return
        ordered = sorted(self.faults, key=lambda fault: fault.line)
        raise BadPolicy(
            "\n".join(f"line {fault.line}: {fault.name}: {fault.message_en}" for fault in ordered),
            message_th="\n".join(
                f"บรรทัด {fault.line}: {fault.name}: {fault.message_th}" for fault in ordered
            ),
            remedy_en="Correct these lines and check again; nothing was changed.",
            remedy_th="โปรดแก้ไขบรรทัดเหล่านี้แล้วตรวจอีกครั้ง ยังไม่มีการเปลี่ยนแปลงใด ๆ",
        )

    def _made(self, path: Path, message_en: str, message_th: str) -> PolicyFault:
        name = ".".join(str(step + 1) if isinstance(step, int) else step for step in path) or "file"
        return PolicyFault(self._finder.line_of(path), name, message_en, message_th)
