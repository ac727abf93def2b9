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
    console = Console(width=200)
    for name in names or NAMES:
        console.print(f"\n{name}", style="bold")
        asyncio.run(measured(name, options, console))
    return 0


async def measured(name: str, options: list[str], console: Console) -> None:
    """Run one measurement; ends the program where it takes no such option."""
    found = importlib.import_module(f"benchmarks.{name}")
    if options and not hasattr(found, "options"):
        sys.exit(f"{name} takes no options.")
    await found.main(console, **(found.options(options) if options else {}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
