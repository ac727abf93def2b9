"""Hot statements say the same as the library's own way of running them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    select,
    update,
)

from ledger.driver import HotStatement

THINGS = Table("things", MetaData(), Column("name", Text, primary_key=True), Column("count", Integer))


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory with two things in it."""
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        THINGS.metadata.create_all(opened)
        opened.execute(THINGS.insert(), [{"name": "one", "count": 1}, {"name": "two", "count": None}])
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_parameters_go_by_name_and_constants_stay(connection: Connection) -> None:
    """Whatever the order in which they are given; a name may stand twice."""
    found = HotStatement(
        select(THINGS.c.name, bindparam("said"), bindparam("said")).where(
            THINGS.c.count == 1, THINGS.c.name == bindparam("at_name")
        )
    )
    assert found.rows(connection, said="so", at_name="one") == [("one", "so", "so")]
    assert found.first(connection, at_name="two", said="so") is None


def test_none_is_a_value(connection: Connection) -> None:
    """A parameter that is None is written as nothing, and the count of changed rows comes back."""
    write = HotStatement(update(THINGS).values({THINGS.c.count: bindparam("new_count")}))
    assert write.change(connection, new_count=None) == 2
    assert connection.execute(select(THINGS.c.count)).scalars().all() == [None, None]


def test_a_forgotten_parameter_is_an_error(connection: Connection) -> None:
    """It is never taken for nothing."""
    with pytest.raises(KeyError, match="at_name"):
        HotStatement(select(THINGS).where(THINGS.c.name == bindparam("at_name"))).rows(connection)


def test_it_is_part_of_the_transaction(connection: Connection) -> None:
    """What it wrote goes when the transaction is rolled back."""
    begun = connection.begin()
    HotStatement(update(THINGS).values({THINGS.c.count: 7})).change(connection)
    begun.rollback()
    assert HotStatement(select(THINGS.c.count)).rows(connection) == [(1,), (None,)]
