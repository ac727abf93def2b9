"""How busy the registrar says it is."""

from registrar.config import Registry
from registrar.pace import Pace

S = 1_000_000_000


def test_the_pace_is_that_of_the_last_second() -> None:
    """Records older than a second are forgotten."""
    pace = Pace(Registry())
    pace.count(30, 0)
    pace.count(10, S // 2)
    assert pace.records_per_second(S - 1) == 40
    assert pace.records_per_second(S) == 10


def test_answers_take_longer_above_the_knee() -> None:
    """At twice the knee and a slope of 4, five times the service time; and the load page calls it busy."""
    pace = Pace(Registry(service_ms=10, knee_rate=100, knee_slope=4))
    assert pace.delay_ns(1.0) == 10_000_000
    pace.count(200, 0)
    assert pace.delay_ns(1.0) == 50_000_000
    assert pace.is_busy(0)
    assert not pace.is_busy(S)


def test_a_fault_multiplies_the_service_time() -> None:
    """Ten times slower is ten times slower, and shows in the 95th percentile."""
    pace = Pace(Registry(service_ms=2))
    assert pace.delay_ns(10) == 20_000_000
    assert pace.p95_ms() == 20
    assert not pace.is_busy(0)
