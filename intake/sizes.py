"""How long a job's slices are: small enough that all of a party's accounts have work and a turn ends near a slice's end."""

FEWEST_LINES = 5
MOST_LINES = 500


def lines_of_a_slice(most: int, rows: int, lanes: int) -> int:
    """Return how many lines a slice has: at most `most`, fewer when that gives each of `lanes` some work, at least five."""
    return max(FEWEST_LINES, min(MOST_LINES, most, rows // max(1, lanes)))
