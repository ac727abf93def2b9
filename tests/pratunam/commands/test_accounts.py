"""`pratunam account …`."""

from pathlib import Path

import pytest

from domain.jobs import By
from pratunam.parts import Parts
from tests.pratunam.desk import REGISTRY, Desk


def set_aside(desk: Desk) -> None:
    """Set P001-01 aside, as a worker does after a refused log-in."""

    async def work(parts: Parts) -> bool:
        return await parts.ledger.set_aside(
            REGISTRY, "P001-01", "bad credentials", (), By("worker", "test"), parts.clock.now()
        )

    assert desk.within(work)


def state(desk: Desk) -> str:
    """The state of P001-01."""
    return str({each["account"]: each["state"] for each in desk.json("account", "list")}["P001-01"])


def secret(desk: Desk) -> str:
    """The sealed secret of P001-01, opened."""

    async def work(parts: Parts) -> str:
        return await parts.ledger.secret(REGISTRY, "P001-01")

    return desk.within(work)


def test_accounts_are_listed_with_their_states(desk: Desk) -> None:
    """All of them, or one party's; a set-aside one with its reason."""
    set_aside(desk)
    told = {each["account"]: each for each in desk.json("account", "list")}
    assert (told["P001-01"]["state"], told["P001-01"]["reason"]) == ("set_aside", "bad credentials")
    assert [each["account"] for each in desk.json("account", "list", "--party", "P002")] == ["P002-01"]
    assert "bad credentials" in desk.run("account", "list").out


def test_an_account_is_restored(desk: Desk) -> None:
    """It is active again, and the audit says who did it."""
    set_aside(desk)
    desk.json("account", "restore", "P001-01")
    assert state(desk) == "active"


def test_a_new_secret_comes_from_standard_input_or_a_file(desk: Desk) -> None:
    """The account is active with the new secret, which is shown nowhere."""
    set_aside(desk)
    told = desk.run("account", "secret", "P001-01", "--json", say="from-input\n")
    assert told.code == 0
    assert "from-input" not in told.out + told.err
    assert (state(desk), secret(desk)) == ("active", "from-input")
    Path(desk.folder / "new").write_text("from-file\n", "utf-8")
    desk.json("account", "secret", "P001-01", "--file", str(desk.folder / "new"))
    assert secret(desk) == "from-file"


@pytest.mark.usefixtures("on_a_terminal")
def test_a_person_types_a_new_secret_twice(desk: Desk) -> None:
    """What is typed is not shown."""
    told = desk.run("account", "secret", "P001-01", say="typed\ntyped\n")
    assert told.code == 0
    assert "typed" not in told.out
    assert secret(desk) == "typed"


def test_an_unknown_account_and_an_empty_secret_are_refused(desk: Desk) -> None:
    """Exit 2 with what to do; the old secret stays."""
    before = secret(desk)
    for arguments, word in ((("restore", "P001-09"), "account list"), (("secret", "P001-01"), "empty")):
        told = desk.run("account", *arguments, say="\n")
        assert told.code == 2
        assert word in told.err
    assert secret(desk) == before
