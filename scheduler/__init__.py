"""Who goes next and how fast: a pure decision, and the loop round it."""
