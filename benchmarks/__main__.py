"""`python3 run.py bench [NAME …]`: run measurements and print their tables."""

import asyncio
import importlib
import sys

from rich.console import Console

NAMES = ("pace", "ceiling", "intake", "windows", "withdrawal", "kills", "forecast", "ledger", "overload")


def main(names: list[str]) -> int:
    """Run the named measurements, or all; a wrong name is told with those there are."""
    wrong = [name for name in names if name not in NAMES]
    if wrong:
        print(f"There is no benchmark {', '.join(wrong)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    console = Console(width=200)
    for name in names or NAMES:
        console.print(f"\n{name}", style="bold")
        asyncio.run(importlib.import_module(f"benchmarks.{name}").main(console))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
