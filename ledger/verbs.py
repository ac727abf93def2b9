"""All verbs of `ledger.protocols` on one engine."""

from ledger.job_verbs import JobVerbs
from ledger.rule_verbs import RuleVerbs


class SqlLedger(RuleVerbs, JobVerbs):
    """`ledger.protocols.Ledger` over SQL."""

    async def close(self) -> None:
        await self.engine.close()
