"""How long a job's slices are: small enough that all of a party's accounts have work and a turn ends near a slice's end."""

#: a slice is work for one account for so long (s), and a job is cut into so many for each of them
SLICE_S, SLICES_AN_ACCOUNT = 2, 4
FEWEST_LINES, MOST_LINES = 3, 500
#: an account's part with fewer lines than this is done in a second or two, and its last slice is a good part of that: it is cut in two
SHORT_LANE = 10


def lines_of_a_slice(account_rate: float, rows: int, accounts: int) -> int:
    """Return how many lines a slice of a job of `rows` has whose party works with so many accounts of so many records a second."""
    each = rows // (max(1, accounts) * SLICES_AN_ACCOUNT)
    return max(
        FEWEST_LINES, min(MOST_LINES, int(account_rate * SLICE_S), each if each > SHORT_LANE else each // 2)
    )
