"""The kills benchmark: what a log says of a blow, and the row of several."""

from benchmarks.kills import Blow, options, summary
from benchmarks.town import Arrival


def test_a_blow_is_over_when_every_account_has_sent_again() -> None:
    """What was on its way at the blow itself is no sign of life; the longest silence counts to the second after its end."""
    blow = Blow("worker", at=1_000, over_at=4_000)
    log = [
        Arrival(at=at, party=0, account=account, key="", decision="accepted")
        for at, account in ((1_100, 0), (3_000, 0), (3_500, 1), (4_200, 0))
    ]
    assert (blow.back_s(log), blow.pause_s(log)) == (2.5, 1.9)


def test_several_blows_make_one_row() -> None:
    """Least, median and most, and the longest silence of all, beside what is promised."""
    row = summary("stream", "scheduler", [(0.3, 0.2), (0.5, 0.9), (0.4, 0.1)])
    assert list(row.values()) == ["stream", "scheduler", 3, 3, 0.3, 0.4, 0.5, 0.9]


def test_options_name_how_often_and_what() -> None:
    """Nothing named means all of it."""
    assert options([]) == {"rounds": 3}
    assert options(["--rounds", "20", "--what", "worker", "--shape", "batch"]) == {
        "rounds": 20, "what": ["worker"], "shape": ["batch"],
    }  # fmt: skip
