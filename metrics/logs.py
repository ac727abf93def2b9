"""Logs: one line an event on standard error, readable or JSON; never personal data: events carry ids and numbers only.

What libraries log is cut to their fixed words: values and exceptions' texts may quote a row.
"""

import json
import logging
import sys
from dataclasses import fields
from datetime import UTC, datetime
from typing import cast

import structlog
from structlog.typing import EventDict, Processor

from domain import events
from metrics.labels import PUSHBACKS, closed

#: told at debug level: they come by the thousand
_QUIET = (
    events.RecordsSent,
    events.RecordsSettled,
    events.AnswerTimed,
    events.PermitsDrawn,
    events.RoundDecided,
    events.LedgerCommitted,
    events.MessageTaken,
)
_LOUD = (events.LoopFailed, events.AccountSetAside, events.GenerationBegun, events.Pushback)
#: whole pictures for the boards: never logged
_PICTURES = (events.RegistryLooked, events.LedgerLooked)
#: of a library's words, so many characters are kept
_LIBRARY_WORDS = 200


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
        _naming(process),
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LibraryWords(form, process))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _naming(process: str) -> Processor:
    """Name the process on each line; a context variable would be lost in threads that were there before."""

    def name(_: object, __: str, told: EventDict) -> EventDict:
        told["process"] = process
        return told

    return name


class LibraryWords(logging.Formatter):
    """A library's log line without its values: the fixed words of its first line, and the class of its exception."""

    def __init__(self, form: str, process: str) -> None:
        """Write lines of `process` as `form` says: text or json."""
        super().__init__()
        self._form = form
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        words = (str(record.msg).splitlines() or [""])[0][:_LIBRARY_WORDS]
        told = {"event": words, "library": record.name, "process": self._process}
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
        level = record.levelname.lower()
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        if self._form == "json":
            return json.dumps(told | {"level": level, "timestamp": at}, ensure_ascii=False)
        words = told.pop("event")
        return f"{at} [{level:<9}] {words} " + " ".join(f"{name}={value}" for name, value in told.items())


class LogEvents:
    """Writes each event as one line."""

    def __init__(self) -> None:
        """Log through structlog's present configuration."""
        self._log = structlog.get_logger()
        # Quiet ones come by the thousand: nothing is put together that nobody reads.
        is_debugging = self._log.is_enabled_for(logging.DEBUG)
        self._unheard = _PICTURES if is_debugging else (*_PICTURES, *_QUIET)

    def __call__(self, event: events.Event) -> None:
        """Log one event, by how much people care."""
        if isinstance(event, self._unheard):
            return
        told = {field.name: value for field in fields(event) if (value := getattr(event, field.name)) != ""}
        if isinstance(event, events.Pushback):
            # The registrar's own word: only those of the protocol are repeated.
            told["reason"] = closed(event.reason, PUSHBACKS)
        name = type(event).__name__
        if isinstance(event, _QUIET):
            self._log.debug(name, **told)
        elif isinstance(event, _LOUD):
            self._log.warning(name, **told)
        else:
            self._log.info(name, **told)
