"""Dramatiq actors and the sessions they run; the only room that speaks to a registrar."""
