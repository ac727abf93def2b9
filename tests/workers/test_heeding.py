"""What a session does about ends and refusals: whom it tells to slow down, what counts as a word of load, who logs in later."""

import secrets

import pytest

from domain.clock import ManualClock
from domain.policy import RegistryRules
from domain.quota import Lease
from domain.wire import Scope
from tests.workers.bench import Bench, bench
from tests.workers.wires.scripted import Scripted
from workers.ending import Push, Reason, Verdict
from workers.heeding import LOG_IN_AGAIN_MS, heed
from workers.wires.http import HttpWire

LEASE = Lease("reg", "P1", "A1", "host:1", 1, 1)


@pytest.fixture
def work(server: Scripted) -> Bench:
    """A station on a manual clock."""
    clock = ManualClock()
    rules = RegistryRules("reg", "party-members", server.endpoint)
    return bench(rules, HttpWire(rules, clock), clock=clock)


@pytest.mark.parametrize(("scope", "who"), [(Scope.ACCOUNT, "A1"), (Scope.PARTY, "P1"), (Scope.REGISTRY, "")])
async def test_whoever_is_named_is_pushed_back(work: Bench, scope: Scope, who: str) -> None:
    """The gate pauses the account, its party, or all, for as long as was said."""
    assert await heed(work.station, LEASE, Verdict(None, Push(scope, 700)), "busy") is None
    assert [(named, pause) for _, named, pause in work.gate.pushes] == [(who, 700)]


@pytest.mark.parametrize("is_pushback", [True, False])
async def test_only_a_word_of_load_counts_as_one(work: Bench, *, is_pushback: bool) -> None:
    """A fault of the line pauses the account, too; the brake must not take it for load."""
    await heed(
        work.station, LEASE, Verdict(Reason.FAULT, Push(Scope.ACCOUNT, 9), is_pushback=is_pushback), "x"
    )
    assert work.station.signals.pushbacks == int(is_pushback)


async def test_accounts_whose_sessions_ended_together_log_in_again_at_instants_of_their_own(
    work: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds, and up to two more by chance."""
    drawn = iter([0, LOG_IN_AGAIN_MS - 1])
    monkeypatch.setattr(
        secrets, "randbelow", lambda below: next(drawn) if below == LOG_IN_AGAIN_MS else below
    )
    verdict = Verdict(Reason.REFUSED, set_aside="session-ended")
    for account in ("A1", "A2"):
        lease = Lease("reg", "P1", account, "host:1", 1, 1)
        assert await heed(work.station, lease, verdict, "session-ended") is Reason.FAULT
    assert [pause for _, _, pause in work.gate.pushes] == [LOG_IN_AGAIN_MS, 2 * LOG_IN_AGAIN_MS - 1]
    assert work.ledger.aside == []
