"""Writes the boards' JSON beside this file: `python -m metrics.boards.build`. A test holds the files to the code."""

import json
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from metrics.boards import gate, load, parties

FOLDER = Path(__file__).resolve().parent


def boards() -> Mapping[str, str]:
    """Return every board's JSON by the name of its file."""
    made = {"load": load.build(), "parties": parties.build(), "gate": gate.build()}
    texts: dict[str, str] = {}
    for name, board in made.items():
        tree = board.build()
        for number, panel in enumerate(tree.panels or [], 1):
            panel.id_val = number
        texts[f"{name}.json"] = (
            json.dumps(tree, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        )
    return texts


def main() -> None:
    """Write all files."""
    for name, text in boards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
