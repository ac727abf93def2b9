"""A reference central system for demos and tests; imports nothing of ours, so that it can contradict us."""
