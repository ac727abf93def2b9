"""Builds of the gate without a guard, for showing that the judges of a gauntlet would see what the guard prevents.

A process of a host puts itself into such a build when it starts (`own_address/sitecustomize.py`), and stays in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Build:
    """A build: how the guard is taken out, the fault that needs it, and what the judges must say."""

    take_out: Callable[[], None]
    fault: str
    word: str
    idempotent: bool = True


def retry_taken_for_success() -> None:
    """A record that was answered `retry` is settled as accepted."""
    from domain.jobs import Outcome
    from domain.states import RecordState
    from domain.wire import Verdict
    from workers.answers import Answers

    decide = Answers.decide

    def believe(self: Answers, hand: Any, line: int, answer: Any, now: int) -> Outcome | None:
        if answer.verdict is Verdict.RETRY:
            hand.answer(line)
            return Outcome(line, RecordState.ACCEPTED, receipt="-")
        return decide(self, hand, line, answer, now)

    Answers.decide = believe  # type: ignore[method-assign]  # the build is meant to be wrong


def silence_taken_for_failure() -> None:
    """A record whose answer never came is sent again without a question, where a key may have two effects."""
    from workers.stock import Hand

    Hand.lose = Hand.put_back  # type: ignore[method-assign]  # the build is meant to be wrong


def nothing_reserved() -> None:
    """Buckets forget what was sent and not answered yet."""
    from quotas import scripts

    text = scripts._text

    def forget(name: str) -> str:
        forgotten, times = re.subn(r"level_now\(b\) - b\.o \* UNIT", "level_now(b)", text(name))
        assert times or name != "parts/buckets"
        return forgotten

    scripts._text = forget  # type: ignore[assignment]  # the build is meant to be wrong


def debts_untold() -> None:
    """What was sent before Redis was lost is forgotten with it."""
    from workers.owed import Owed

    async def nothing(self: Owed, told: Any, now: int) -> bool:
        return True

    Owed._tell = nothing  # type: ignore[method-assign]  # the build is meant to be wrong


BUILDS = {
    "retry taken for success": Build(retry_taken_for_success, "busy records", "lost"),
    "silence taken for failure": Build(
        silence_taken_for_failure, "reset after the effect", "not exactly once", idempotent=False
    ),
    "nothing reserved": Build(nothing_reserved, "stop registrar", "over limits"),
    "debts untold": Build(debts_untold, "registrar stopped while redis dies", "over limits"),
}


def begin(name: str) -> None:
    """Put this process into a build."""
    BUILDS[name].take_out()
