"""Accounts as events leave them."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import Conflict, NotFound
from domain.states import AccountKind, AccountState
from ledger.keystore import KeyStore
from ledger.protocols import Ledger
from tests.ledger.scene import BY, NOW, REGISTRY, Scene, notice_draft, policy, policy_draft

BASE, ADDED = "P001-01", "P001-02"


@pytest.fixture
async def applied(ledger: Ledger, keys: KeyStore) -> Scene:
    """A ledger with a policy of two parties in force."""
    draft = policy_draft(policy("P001", "P002"), secrets={(REGISTRY, BASE): "hunter2"})
    await ledger.apply_policy(draft, BY, NOW)
    return Scene(ledger, keys)


async def state_of(scene: Scene, account: str) -> AccountState:
    """The present state of one account."""
    return next(row.state for row in await scene.ledger.accounts() if row.account == account)


def everything_under(folder: Path) -> bytes:
    """The bytes of every file."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


async def test_accounts_are_listed_by_registry_and_party(applied: Scene) -> None:
    """With their kinds, in the policy's order."""
    rows = await applied.ledger.accounts(REGISTRY, "P001")
    assert [(row.account, row.kind, row.state) for row in rows] == [
        (BASE, AccountKind.BASE, AccountState.ACTIVE),
        (ADDED, AccountKind.ADDED, AccountState.ACTIVE),
    ]
    assert len(await applied.ledger.accounts()) == 4
    assert await applied.ledger.accounts("other") == []


async def test_a_secret_lies_sealed_and_is_given_for_log_in(applied: Scene, tmp_path: Path) -> None:
    """No file of the home holds it; an account without one says what to do."""
    assert await applied.ledger.secret(REGISTRY, BASE) == "hunter2"
    assert b"hunter2" not in everything_under(tmp_path)
    with pytest.raises(NotFound, match=f"account secret {ADDED}"):
        await applied.ledger.secret(REGISTRY, ADDED)
    with pytest.raises(NotFound):
        await applied.ledger.secret(REGISTRY, "nobody")


@pytest.mark.parametrize(
    ("suspended", "state"), [(False, AccountState.SET_ASIDE), (True, AccountState.SUSPENDED)]
)
async def test_an_account_is_set_aside_once(applied: Scene, suspended: bool, state: AccountState) -> None:
    """The first time it is audited and told; the second time nothing happens."""
    took = [
        await applied.ledger.set_aside(
            REGISTRY, BASE, "bad-credentials", [notice_draft()], BY, NOW + 5, suspended=suspended
        )
        for _ in range(2)
    ]
    assert took == [True, False]
    row = (await applied.ledger.accounts(REGISTRY, "P001"))[0]
    assert (row.state, row.reason, row.since_at) == (state, "bad-credentials", NOW + 5)
    assert len(await applied.ledger.notices(party="P001")) == 1
    assert [line.action for line in await applied.ledger.audit(subject=BASE)] == [f"account.{state.value}"]


async def test_load_rests_added_accounts_only(applied: Scene) -> None:
    """A base account among them refuses all of it."""
    with pytest.raises(Conflict):
        await applied.ledger.rest_accounts(REGISTRY, [ADDED, BASE], "load", BY, NOW)
    assert await state_of(applied, ADDED) is AccountState.ACTIVE
    await applied.ledger.rest_accounts(REGISTRY, [ADDED], "load", BY, NOW)
    assert await state_of(applied, ADDED) is AccountState.RESTED


async def test_resting_does_not_bring_back_what_people_must_see_to(applied: Scene) -> None:
    """An account that was set aside stays so, whatever the load."""
    await applied.ledger.set_aside(REGISTRY, ADDED, "bad-credentials", [], BY, NOW)
    await applied.ledger.rest_accounts(REGISTRY, [ADDED], "load", BY, NOW)
    assert await state_of(applied, ADDED) is AccountState.SET_ASIDE


async def test_people_bring_an_account_back(applied: Scene) -> None:
    """By restoring it, or by a new secret."""
    await applied.ledger.set_aside(REGISTRY, BASE, "bad-credentials", [], BY, NOW)
    await applied.ledger.restore_account(REGISTRY, BASE, BY, NOW)
    assert await state_of(applied, BASE) is AccountState.ACTIVE
    await applied.ledger.set_aside(REGISTRY, BASE, "bad-credentials", [], BY, NOW)
    await applied.ledger.rekey_account(REGISTRY, BASE, "new-word", BY, NOW)
    assert await state_of(applied, BASE) is AccountState.ACTIVE
    assert await applied.ledger.secret(REGISTRY, BASE) == "new-word"
    assert "new-word" not in str(await applied.ledger.audit())


async def test_what_the_policy_withdrew_only_the_policy_brings_back(applied: Scene) -> None:
    """Neither restoring nor a new secret does; a policy that names it again does, with its old secret."""
    await applied.ledger.apply_policy(policy_draft(policy("P002")), BY, NOW)
    with pytest.raises(Conflict):
        await applied.ledger.restore_account(REGISTRY, BASE, BY, NOW)
    with pytest.raises(Conflict):
        await applied.ledger.rekey_account(REGISTRY, BASE, "x", BY, NOW)
    assert not await applied.ledger.set_aside(REGISTRY, BASE, "late", [], BY, NOW)
    await applied.ledger.apply_policy(policy_draft(policy("P001", "P002")), BY, NOW)
    assert await state_of(applied, BASE) is AccountState.ACTIVE
    assert await applied.ledger.secret(REGISTRY, BASE) == "hunter2"


async def test_accounts_that_are_not_there_are_not_found(applied: Scene) -> None:
    """By every verb that names one."""
    with pytest.raises(NotFound):
        await applied.ledger.set_aside(REGISTRY, "x", "", [], BY, NOW)
    with pytest.raises(NotFound):
        await applied.ledger.rest_accounts(REGISTRY, ["x"], "", BY, NOW)
    with pytest.raises(NotFound):
        await applied.ledger.restore_account(REGISTRY, "x", BY, NOW)


async def test_a_party_s_base_accounts_come_first_whatever_the_file_s_order(scene: Scene) -> None:
    """Sessions take the first that is free: added ones only once all base ones are in use."""
    rules = policy("P001", "P002")
    parties = {
        name: replace(party, accounts=tuple(reversed(party.accounts)))
        for name, party in rules.parties.items()
    }
    await scene.ledger.apply_policy(policy_draft(replace(rules, parties=parties)), BY, NOW)
    assert [row.account for row in await scene.ledger.accounts(REGISTRY)] == [
        "P001-01", "P001-02", "P002-01", "P002-02",
    ]  # fmt: skip
