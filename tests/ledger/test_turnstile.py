"""Taking turns at one file: between threads, between processes, and past one that never gives its turn back."""

import fcntl
import threading
from pathlib import Path

import pytest

from domain.errors import Busy
from ledger.turnstile import Turnstile

PATIENT_S = 30.0


def test_only_one_has_the_turn_and_all_get_it(tmp_path: Path) -> None:
    """Eight threads, two hundred turns each: nobody meets another inside, and nobody is left out."""
    inside: list[int] = []
    met: list[int] = []
    turns = [0] * 8

    def take(number: int) -> None:
        stile = Turnstile(tmp_path / "lock", PATIENT_S)
        for _ in range(200):
            with stile.turn():
                inside.append(number)
                met.extend(inside[1:])
                turns[number] += 1
                inside.remove(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (met, turns) == ([], [200] * 8)


def test_a_wait_that_was_given_up_keeps_nobody_out(tmp_path: Path) -> None:
    """The turn comes after its caller was told Busy: it is passed on at once, and nothing stays open or locked."""
    impatient, patient = Turnstile(tmp_path / "lock", 0.01), Turnstile(tmp_path / "lock", PATIENT_S)
    with (tmp_path / "lock").open("rb+") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        with pytest.raises(Busy), impatient.turn():
            pass
        left_behind = [thread for thread in threading.enumerate() if thread.name == "ledger-turn"]
        assert len(left_behind) == 1
    with patient.turn():
        pass
    left_behind[0].join(PATIENT_S)
    with impatient.turn():
        assert not left_behind[0].is_alive()


def test_what_fails_in_its_turn_gives_it_back(tmp_path: Path) -> None:
    """An error passes through, and the next one is not kept waiting."""
    stile = Turnstile(tmp_path / "lock", 0.01)
    with pytest.raises(ZeroDivisionError), stile.turn():
        raise ZeroDivisionError
    with stile.turn():
        assert (tmp_path / "lock").stat().st_mode & 0o077 == 0
