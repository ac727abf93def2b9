"""Forecasts and what-if, by the scheduler's own decision on a virtual clock; changes nothing."""
