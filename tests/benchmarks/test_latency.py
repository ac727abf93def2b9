"""The latency benchmark: what the accounts' rate demands is not the gate's."""

from benchmarks.latency import demanded_s


def test_what_the_accounts_demand_of_a_small_file_is_what_their_buckets_do_not_hold() -> None:
    """Four accounts hold 80 of 100 records; the other 20 take a quarter of a second at 80 a second."""
    assert demanded_s() == 0.25
