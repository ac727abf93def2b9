"""Versions of the registrar's rules."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from domain.errors import Conflict, NotFound
from domain.policy import BrakeRules, PartyLimits, PartyRules, Policy, RegistryRules
from domain.states import AccountState, Shape
from domain.windows import ClosedRule, WindowRule
from ledger.policy_code import decode_policy, encode_policy
from tests.ledger.scene import ACCEPTED, BY, NOW, REGISTRY, UNKNOWN, Scene, notice_draft, policy, policy_draft


def test_a_policy_value_is_kept_without_loss() -> None:
    """Numbers, words, dates, sets and everything in between come back equal."""
    rules = Policy(
        registries={
            "r": RegistryRules(
                "r", "p", "https://x.example", shape=Shape.SINGLE, rate=0.1, burst=3, deadline_at=7, idempotent=False,
                brake=BrakeRules(0.25, latency=False),
                windows=(
                    WindowRule(30_600, 59_400, weekdays=frozenset(range(5)), since=date(2026, 11, 1)),
                    WindowRule(72_000, 21_600, first_date=date(2026, 12, 1), last_date=date(2026, 12, 7), parties=("P",)),
                ),
                closed=(ClosedRule(date(2026, 12, 5), date(2026, 12, 5), reason="วันพ่อแห่งชาติ"),),
            )
        },
        parties={
            "P": PartyRules(
                "P", "พรรค", limits={"r": PartyLimits(2, 5, 60, 60)}, windows={"r": (WindowRule(0, 86_400),)}
            )
        },
        results_days=0.5,
    )  # fmt: skip
    assert decode_policy(encode_policy(rules)) == rules


async def test_a_new_home_has_no_policy(scene: Scene) -> None:
    """Neither a version in force nor a history."""
    assert await scene.ledger.policy(NOW) is None
    assert await scene.ledger.policy_history() == []
    with pytest.raises(NotFound):
        await scene.ledger.policy_version(1)


async def test_applying_writes_version_accounts_audit_and_notices_at_once(scene: Scene) -> None:
    """All of it belongs to one version, and says who and why."""
    rules = policy("P001", "P002")
    draft = policy_draft(rules, notices=(notice_draft("P001"), notice_draft("P002")), document="# text")
    version = await scene.ledger.apply_policy(draft, BY, NOW)
    assert (version.version, version.author, version.reason, version.document) == (
        1,
        "somchai",
        "test",
        "# text",
    )
    assert (version.applied_at, version.effective_at, version.policy) == (NOW, NOW, rules)
    assert await scene.ledger.policy(NOW) == version == await scene.ledger.policy_version(1)
    assert len(await scene.ledger.accounts()) == 4
    assert {notice.version for notice in await scene.ledger.notices()} == {1}
    assert len(await scene.ledger.notices()) == 2
    (line,) = await scene.ledger.audit()
    assert (line.action, line.subject, line.detail["reason"]) == ("policy.applied", "1", "test")


async def test_versions_are_kept_newest_first(scene: Scene) -> None:
    """None is ever lost or changed."""
    for reason in ("first", "second"):
        await scene.ledger.apply_policy(policy_draft(policy("P001"), reason=reason), BY, NOW)
    assert [(one.version, one.reason) for one in await scene.ledger.policy_history()] == [
        (2, "second"),
        (1, "first"),
    ]


async def test_a_change_planned_on_an_older_version_is_refused(scene: Scene) -> None:
    """When another version has come between, nothing at all is written."""
    await scene.ledger.apply_policy(policy_draft(policy("P001"), base=0), BY, NOW)
    draft = policy_draft(policy("P002"), base=0, notices=(notice_draft(),))
    with pytest.raises(Conflict, match="come between"):
        await scene.ledger.apply_policy(draft, BY, NOW)
    assert len(await scene.ledger.policy_history()) == 1
    assert await scene.ledger.notices() == []
    assert {row.party for row in await scene.ledger.accounts()} == {"P001"}
    await scene.ledger.apply_policy(policy_draft(policy("P002"), base=1), BY, NOW)


async def test_of_two_changes_on_one_base_one_wins(scene: Scene) -> None:
    """However close together they come."""
    drafts = [policy_draft(policy("P001"), base=0) for _ in range(5)]
    results = await asyncio.gather(
        *(scene.ledger.apply_policy(draft, BY, NOW) for draft in drafts), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in results) == 4


async def test_a_version_for_later_takes_effect_at_its_time(scene: Scene) -> None:
    """Until then the old rules and accounts hold; from then on the new ones, secrets included."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    later = policy_draft(
        policy("P001", "P002"), effective_at=NOW + 100, secrets={(REGISTRY, "P002-01"): "word"}
    )
    assert (await scene.ledger.apply_policy(later, BY, NOW)).version == 2
    before = await scene.ledger.policy(NOW + 99)
    assert before is not None
    assert before.version == 1
    assert {row.party for row in await scene.ledger.accounts()} == {"P001"}
    for _ in range(2):
        after = await scene.ledger.policy(NOW + 100)
        assert after is not None
        assert after.version == 2
    assert {row.party for row in await scene.ledger.accounts()} == {"P001", "P002"}
    assert await scene.ledger.secret(REGISTRY, "P002-01") == "word"
    actions = [line.action for line in await scene.ledger.audit()]
    assert actions == ["policy.in-force", "policy.applied", "policy.applied"]


async def test_a_version_for_now_is_in_force_also_for_a_reader_whose_clock_is_behind(scene: Scene) -> None:
    """Whoever applied it said now, by its own clock; what was applied for later waits for the reader's."""
    behind = NOW - 5_000
    for rules in (policy("P001", "P002"), policy("P002")):
        applied = await scene.ledger.apply_policy(policy_draft(rules), BY, NOW)
        assert await scene.ledger.policy(behind) == applied
    draft = policy_draft(policy("P003"), effective_at=NOW - 1)
    overdue = await scene.ledger.apply_policy(draft, BY, NOW)
    assert await scene.ledger.policy(behind) == overdue
    await scene.ledger.apply_policy(policy_draft(policy("P001"), effective_at=NOW + 1), BY, NOW)
    assert await scene.ledger.policy(NOW) == overdue
    found = await scene.ledger.policy(NOW + 1)
    assert found is not None
    assert found.version == 4


async def test_a_newer_version_in_force_is_not_overtaken_by_an_older_one(scene: Scene) -> None:
    """What was scheduled before an immediate change does not come back over it."""
    await scene.ledger.apply_policy(policy_draft(policy("P001"), effective_at=NOW + 100), BY, NOW)
    await scene.ledger.apply_policy(policy_draft(policy("P002")), BY, NOW)
    found = await scene.ledger.policy(NOW + 200)
    assert found is not None
    assert found.version == 2
    assert {row.party for row in await scene.ledger.accounts()} == {"P002"}


async def test_a_party_or_account_with_open_jobs_goes_only_when_it_is_named(scene: Scene) -> None:
    """The refusal names them all; naming them lets them go, and their accounts are withdrawn."""
    await scene.ledger.apply_policy(policy_draft(policy("P001", "P002")), BY, NOW)
    await scene.submit("J1", party="P001")
    without = policy("P002")
    with pytest.raises(Conflict, match="P001"):
        await scene.ledger.apply_policy(policy_draft(without), BY, NOW)
    await scene.ledger.apply_policy(policy_draft(without, removed=frozenset({"P001"})), BY, NOW)
    states = {row.account: row.state for row in await scene.ledger.accounts()}
    assert states["P001-01"] is AccountState.WITHDRAWN
    assert states["P002-01"] is AccountState.ACTIVE


async def test_one_account_of_a_party_at_work_goes_only_when_it_is_named(scene: Scene) -> None:
    """Also when the party keeps another."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.submit("J1", party="P001")
    whole = policy("P001")
    fewer = Policy(
        whole.registries, {"P001": PartyRules("P001", accounts=whole.parties["P001"].accounts[:1])}
    )
    with pytest.raises(Conflict, match="P001-02"):
        await scene.ledger.apply_policy(policy_draft(fewer), BY, NOW)
    await scene.ledger.apply_policy(policy_draft(fewer, removed=frozenset({"P001-02"})), BY, NOW)
    assert (await scene.ledger.accounts())[-1].state is AccountState.WITHDRAWN


async def test_a_party_without_open_jobs_goes_without_a_word(scene: Scene) -> None:
    """There is nothing of it to lose."""
    await scene.ledger.apply_policy(policy_draft(policy("P001", "P002")), BY, NOW)
    await scene.submit("J1", party="P001")
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)


async def test_the_endpoint_stays_while_records_are_unknown(scene: Scene) -> None:
    """An answer can only be asked for where the record was sent; once it is known, the endpoint may change."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.submit(lines=(1,))
    await scene.settle("J1.0", {0: UNKNOWN})
    moved = policy("P001", endpoint="https://two.example")
    gone = Policy({}, moved.parties)
    for rules in (moved, gone):
        with pytest.raises(Conflict, match="unknown"):
            await scene.ledger.apply_policy(policy_draft(rules), BY, NOW)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    await scene.ledger.resolve("J1", "J1.0", 0, None, BY, NOW)
    await scene.ledger.apply_policy(policy_draft(moved), BY, NOW)


async def test_events_outlast_a_new_version(scene: Scene) -> None:
    """An account that was set aside stays so when the policy is applied again."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.ledger.set_aside(REGISTRY, "P001-01", "bad-credentials", [], BY, NOW)
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    assert (await scene.ledger.accounts())[0].state is AccountState.SET_ASIDE


async def test_the_endpoint_stays_while_records_are_in_hand(scene: Scene) -> None:
    """What is on its way now may be unknown in a moment."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.submit(lines=(1,))
    await scene.claim()
    moved = policy("P001", endpoint="https://two.example")
    with pytest.raises(Conflict, match="1 in hand"):
        await scene.ledger.apply_policy(policy_draft(moved), BY, NOW)
    await scene.settle("J1.0", {0: ACCEPTED})
    await scene.ledger.apply_policy(policy_draft(moved), BY, NOW)


async def test_no_time_is_set_for_another_endpoint(scene: Scene) -> None:
    """Nobody can say now what will be unknown then: it changes at once or not at all, also for a registry that goes."""
    first = policy("P001")
    await scene.ledger.apply_policy(policy_draft(first), BY, NOW)
    moved = policy("P001", endpoint="https://two.example")
    for rules in (moved, Policy({}, first.parties)):
        with pytest.raises(Conflict, match="at once"):
            await scene.ledger.apply_policy(policy_draft(rules, effective_at=NOW + 1), BY, NOW)
    await scene.ledger.apply_policy(policy_draft(policy("P001", "P002"), effective_at=NOW + 1), BY, NOW)


async def test_the_profile_stays_while_records_are_unknown(scene: Scene) -> None:
    """As the endpoint does: what is asked about must mean the same as what was sent."""
    rules = policy("P001")
    await scene.ledger.apply_policy(policy_draft(rules), BY, NOW)
    await scene.submit(lines=(1,))
    await scene.claim()
    await scene.settle("J1.0", {0: UNKNOWN})
    other = replace(
        rules, registries={REGISTRY: replace(rules.registries[REGISTRY], profile="local-elections")}
    )
    with pytest.raises(Conflict, match="1 records are unknown"):
        await scene.ledger.apply_policy(policy_draft(other), BY, NOW)
