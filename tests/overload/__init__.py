"""Overload of ourselves, small: the large one is `python3 run.py bench overload`."""
