"""One fault at the n-th point of a way, for n = 1, 2, … until a run without it."""
