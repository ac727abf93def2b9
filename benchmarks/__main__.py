"""`python3 run.py bench [NAME …]`: run measurements and print their tables; a single one takes options (`bench pace --rounds 3`)."""

import asyncio
import importlib
import sys

from rich.console import Console

NAMES = (
    "pace",
    "ceiling",
    "intake",
    "scheduler",
    "latency",
    "windows",
    "withdrawal",
    "kills",
    "forecast",
    "ledger",
    "overload",
    "pauses",
    "counts",
)


def main(words: list[str]) -> int:
    """Run the named measurements, or all; a wrong name is told with those there are."""
    first_option = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    names, options = words[:first_option], words[first_option:]
    wrong = [name for name in names if name not in NAMES]
    if wrong:
        print(f"There is no benchmark {', '.join(wrong)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    if options and len(names) != 1:
        print("Options go to one benchmark: name it before them.", file=sys.stderr)
        return 2
    parts = {name: importlib.import_module(f"benchmarks.{name}") for name in names or NAMES}
    if options and not hasattr(parts[names[0]], "options"):
        print(f"{names[0]} takes no options.", file=sys.stderr)
        return 2
    console = Console(width=200)
    for name, part in parts.items():
        chosen = part.options(options) if options else {}
        console.print(f"\n{name}", style="bold")
        asyncio.run(part.main(console, **chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
