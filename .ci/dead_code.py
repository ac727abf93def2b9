"""Dead code by vulture, judged for functions, methods, classes, properties and imports (docs/decisions/0006-checks.md).

Fields and enum members are left out: msgspec, dataclasses and rows of SQL use them without naming them.
Unused arguments and local names are left to the linter, which knows protocols.
"""

import sys
from pathlib import Path

from vulture.config import make_config
from vulture.core import Vulture

ROOT = Path(__file__).resolve().parent.parent
FILLED_BY_NAME = {"variable", "attribute"}


def main() -> int:
    """Print each unused part with its place; 1 when there is one."""
    config = make_config([f"--config={ROOT / 'pyproject.toml'}"])
    finder = Vulture(ignore_names=config["ignore_names"], ignore_decorators=config["ignore_decorators"])
    finder.scavenge([path for path in config["paths"] if Path(path).exists()])
    unused = [
        item
        for item in finder.get_unused_code(min_confidence=config["min_confidence"])
        if item.typ not in FILLED_BY_NAME
    ]
    for item in unused:
        print(item.get_report())
    return 1 if unused else 0


if __name__ == "__main__":
    sys.exit(main())
