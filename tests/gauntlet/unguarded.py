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
        return re.sub(r"b\.v - b\.o \* UNIT", "b.v", text(name))

    scripts._text = forget


BUILDS = {
    "retry taken for success": Build(retry_taken_for_success, "busy records", "lost"),
    "silence taken for failure": Build(
        silence_taken_for_failure, "reset after the effect", "not exactly once", idempotent=False
    ),
    "nothing reserved": Build(nothing_reserved, "stop registrar", "over limits"),
}


def begin(name: str) -> None:
    """Put this process into a build."""
    BUILDS[name].take_out()
