"""How long a job's slices are: small enough that all of a party's accounts have work and a turn ends near a slice's end."""

FEWEST_LINES = 3
#: a lane with fewer lines than this is done in a second or two, and its last slice is a good part of that: it is cut in two
SHORT_LANE = 10
MOST_LINES = 500


def lines_of_a_slice(most: int, rows: int, lanes: int) -> int:
    """Return how many lines a slice has: at most `most`, fewer when that gives each of `lanes` some work, never under FEWEST_LINES."""
    each = rows // max(1, lanes)
    return max(FEWEST_LINES, min(MOST_LINES, most, each if each > SHORT_LANE else each // 2))
