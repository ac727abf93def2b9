"""`python3 -m tests.gauntlet.page FILE…`: writes the table of docs/faults.md from runs. A kind that was not run says so."""

import json
import sys
from collections import Counter
from pathlib import Path

from tests.gauntlet.deck import APART, KINDS

PAGE = Path("docs") / "faults.md"
BEGIN, END = "<!-- gauntlet -->", "<!-- /gauntlet -->"
HEAD = (
    "| # | fault | how it is injected | at stake | covers | result |\n| --- | --- | --- | --- | --- | --- |"
)


def main(files: list[str]) -> int:
    """Put the table of these runs into the page."""
    kept, broken = tally([json.loads(Path(file).read_text("utf-8")) for file in files])
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{HEAD}\n{rows(kept, broken)}\n{END}{after}", "utf-8")
    return 0


def tally(runs: list[dict[str, object]]) -> tuple[Counter[str], Counter[str]]:
    """Count how often each kind was done in clean runs and in others; kinds on homes of their own judge themselves."""
    kept, broken = Counter[str](), Counter[str]()
    for run in runs:
        verdict, counts, faults = run["verdict"], run["counts"], run["broken"]
        assert isinstance(verdict, dict)
        assert isinstance(counts, dict)
        assert isinstance(faults, dict)
        is_clean = not any(verdict["counts"].values()) and "the end" not in faults
        for name, count in counts.items():
            is_kept = name not in faults and (is_clean or any(kind.name == name for kind in APART))
            (kept if is_kept else broken)[name] += count
    return kept, broken


def rows(kept: Counter[str], broken: Counter[str]) -> str:
    """Return one row a kind."""
    lines = []
    for number, (name, kind) in enumerate(KINDS.items(), 1):
        said = [f"kept, {kept[name]} ×"] if kept[name] else []
        said += [f"*broken*, {broken[name]} ×"] if broken[name] else []
        cells = (str(number), name, kind.how, kind.stake, kind.covers or "–", "; ".join(said) or "*not run*")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
