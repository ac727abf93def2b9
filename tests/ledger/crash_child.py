"""A process that claims and settles on a ledger until it is killed or there is nothing left: `python -m tests.ledger.crash_child`.

Arguments: home or database, key store, first token. It prints each slice that it has claimed, one a line, once the claim is committed.
"""

import asyncio
import sys
from pathlib import Path

from domain.jobs import Outcome, Settlement
from domain.states import RecordState
from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from tests.ledger.scene import NOW, lease


async def work(where: Path | Database, keys: Path, token: int) -> None:
    """Claim, settle line by line, go on."""
    ledger = await open_ledger(where, KeyStore(keys, b"m" * 32))
    while (claimed := await ledger.claim(lease(token), NOW)) is not None:
        print(claimed.slice_id, flush=True)
        for line in range(claimed.lines):
            await ledger.settle([Settlement(claimed.slice_id, (Outcome(line, RecordState.ACCEPTED),))], NOW)
    await ledger.close()


if __name__ == "__main__":
    first = sys.argv[1]
    place = Database(first) if "://" in first else Path(first)
    asyncio.run(work(place, Path(sys.argv[2]), int(sys.argv[3])))
