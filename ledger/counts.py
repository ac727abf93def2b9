"""What the boards count in the ledger: jobs by state, records that people must decide, deliveries that have not arrived. All of them."""

from sqlalchemy import Connection, func, select

from ledger.notices import DELIVERED
from ledger.tables import deliveries, jobs
from ledger.values import LedgerCounts


def counts(connection: Connection) -> LedgerCounts:
    """Count everything; the engine does it by its indexes."""
    by_state = select(jobs.c.registry, jobs.c.state, func.count()).group_by(jobs.c.registry, jobs.c.state)
    doubtful = (
        select(jobs.c.registry, jobs.c.party, func.sum(jobs.c.doubtful))
        .where(jobs.c.doubtful > 0)
        .group_by(jobs.c.registry, jobs.c.party)
    )
    waiting = (
        select(deliveries.c.channel, deliveries.c.state, func.count())
        .where(deliveries.c.state != DELIVERED)
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    return LedgerCounts(
        jobs={(registry, state): count for registry, state, count in connection.execute(by_state)},
        doubtful={(registry, party): int(count) for registry, party, count in connection.execute(doubtful)},
        notices={(channel, state): count for channel, state, count in connection.execute(waiting)},
    )
