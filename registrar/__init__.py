"""A reference central system for demos and tests: its own limits, its own log, its own faults.

It imports nothing else of this project, so that it can contradict the gate.
"""

from registrar.app import make_app, running, serve
from registrar.config import (
    Account,
    Config,
    ConfigError,
    Fault,
    Membership,
    Party,
    Registry,
    Rule,
    Window,
    config_from,
    default_config,
    load_config,
)

__all__ = [
    "Account",
    "Config",
    "ConfigError",
    "Fault",
    "Membership",
    "Party",
    "Registry",
    "Rule",
    "Window",
    "config_from",
    "default_config",
    "load_config",
    "make_app",
    "running",
    "serve",
]
