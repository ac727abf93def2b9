"""Logs: one readable line an event on standard error, or JSON; never personal data (events carry ids and numbers only)."""

import logging
import sys
from dataclasses import fields
from typing import cast

import structlog
from structlog.typing import Processor

from domain import events

#: told at debug level: they come by the thousand
_QUIET = (
    events.RecordsSent,
    events.RecordsSettled,
    events.AnswerTimed,
    events.PermitsDrawn,
    events.RoundDecided,
)
_LOUD = (events.LoopFailed, events.AccountSetAside, events.GenerationBegun, events.Pushback)


def configure_logs(level: str, form: str, process: str) -> None:
    """Set up logging for one process: `level` debug … error, `form` text or json; `process` stands on each line."""
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        cast("Processor", renderer),
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard library: warnings and worse, without their values' texts.
    logging.basicConfig(
        level=max(number, logging.WARNING),
        stream=sys.stderr,
        format=f"{process} %(name)s %(levelname)s %(message)s",
        force=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


class LogEvents:
    """Writes each event as one line."""

    def __init__(self) -> None:
        """Log through structlog's present configuration."""
        self._log = structlog.get_logger()

    def __call__(self, event: events.Event) -> None:
        """Log one event, by how much people care."""
        told = {field.name: value for field in fields(event) if (value := getattr(event, field.name)) != ""}
        name = type(event).__name__
        if isinstance(event, _QUIET):
            self._log.debug(name, **told)
        elif isinstance(event, _LOUD):
            self._log.warning(name, **told)
        else:
            self._log.info(name, **told)
