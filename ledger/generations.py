"""The generations of each registry's gate: a new one begins whenever Redis was lost, so that nothing of the old one counts."""

from sqlalchemy import Connection, bindparam, func, insert, select

from domain.jobs import By
from ledger.audit import note
from ledger.locks import lock_chain
from ledger.tables import generations

_PRESENT = select(func.max(generations.c.generation)).where(
    generations.c.registry == bindparam("at_registry")
)


def begin_generation(connection: Connection, registry: str, reason: str, by: By, now: int) -> int:
    """Begin the next generation and return its number."""
    lock_chain(connection)
    generation = present_generation(connection, registry) + 1
    connection.execute(
        insert(generations).values(registry=registry, generation=generation, reason=reason, begun_at=now)
    )
    note(connection, "generation.begun", registry, {"generation": generation, "reason": reason}, by, now)
    return generation


def present_generation(connection: Connection, registry: str) -> int:
    """Return the present generation, 0 before the first."""
    return connection.execute(_PRESENT, {"at_registry": registry}).scalar() or 0
