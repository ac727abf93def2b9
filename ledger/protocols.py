"""The ledger's verbs, one small protocol a subject; `Ledger` is all of them. One verb per state change; SQL stays behind them.

Every changing verb takes `by` (who, through what) and `now` (ms) last. All are idempotent where a crash could repeat them.
`ledger/sqlite.py` and `ledger/postgres.py` keep the promises; `tests/ledger/` holds both to them.
By subject they stand in `job_protocols` and `rule_protocols`.
"""

from typing import Protocol

from ledger.job_protocols import Jobs, Work
from ledger.rule_protocols import Accounts, Audit, Generations, Holds, Notices, PolicyBook


class Ledger(PolicyBook, Accounts, Holds, Jobs, Work, Notices, Audit, Generations, Protocol):
    """All of it."""

    async def close(self) -> None:
        """Let go of connections; everything promised is already on disk."""
        ...
