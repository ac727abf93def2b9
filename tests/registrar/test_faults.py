"""When a scripted fault strikes."""

import pytest

from registrar import Config, ConfigError, Fault, Registry, make_app
from registrar.clock import NS_PER_S
from registrar.faults import FaultBox
from registrar.state import Rolls
from tests.registrar.wire import config


def strikes(box: FaultBox, times: int, now_ns: int = 0) -> int:
    """How many of so many draws strike."""
    return sum(box.draw(("busy",), "records", None, now_ns) is not None for _ in range(times))


def test_a_count_is_spent() -> None:
    """A fault with a count strikes so often and is gone."""
    box = FaultBox(1)
    box.arm([Fault(kind="busy", count=2)], 0)
    assert strikes(box, 5) == 2
    assert not box.armed


def test_a_duration_runs_out() -> None:
    """A fault with a duration strikes until its instant, not at it."""
    box = FaultBox(1)
    box.arm([Fault(kind="busy", duration_s=2)], 10)
    assert strikes(box, 3, 2 * NS_PER_S + 9) == 3
    assert strikes(box, 3, 2 * NS_PER_S + 10) == 0


def test_a_probability_is_a_share_and_repeats_with_its_seed() -> None:
    """One in four strikes, more or less, and the same ones again with the same seed."""

    def pattern() -> list[bool]:
        box = FaultBox(7)
        box.arm([Fault(kind="busy", probability=0.25)], 0)
        return [box.draw(("busy",), "records", None, 0) is not None for _ in range(1000)]

    assert 200 < sum(pattern()) < 300
    assert pattern() == pattern()


def test_some_pass_before_it_strikes_each_time() -> None:
    """`after` counts what passes before each strike, other faults' strikes among them."""
    box = FaultBox(1)
    box.arm([Fault(kind="busy", after=2)], 0)
    assert [strikes(box, 1) for _ in range(6)] == [0, 0, 1, 0, 0, 1]


def test_a_fault_concerns_whom_it_names() -> None:
    """Registry, party and account each narrow it; other kinds and other doors are not struck."""
    rolls = Rolls(config())
    ours, other = rolls.accounts["P001-01"], rolls.accounts["P002-01"]
    for fault in (Fault(kind="busy", party="P001"), Fault(kind="busy", account="P001-01")):
        box = FaultBox(1)
        box.arm([fault], 0)
        assert box.draw(("busy",), "records", other, 0) is None
        assert box.draw(("end",), "records", ours, 0) is None
        assert box.draw(("busy",), "sessions", ours, 0) is None
        assert box.draw(("busy",), "records", ours, 0) is fault


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    """A slip in a script is an error, not a fault that never strikes."""
    with pytest.raises(ConfigError, match=r"'bsy'.*busy"):
        FaultBox(1).arm([Fault(kind="bsy")], 0)


def test_an_unknown_kind_in_the_configuration_is_found_at_the_start() -> None:
    """The registrar does not start with a fault that it does not know."""
    with pytest.raises(ConfigError):
        make_app(Config(registries={"r": Registry()}, faults=(Fault(kind="x"),)))
