"""Settings, wiring, the policy file, the command line, and everything on one machine."""

#: as in pyproject.toml; the clone is linked, not installed, so no metadata tells it
__version__ = "0.1.0"
