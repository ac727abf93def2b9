"""Tests of the wire clients: one contract for all three shapes."""
