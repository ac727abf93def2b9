"""Log lines: readable or JSON, one an event, and nothing of a person in them."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import fields

import pytest
import structlog

from domain import events
from metrics.logs import LogEvents, configure_logs
from tests.metrics.events import EVERY_KIND, PARTY, REGISTRY

PERSON = "สมชาย ใจดี 1101700203451"
#: pictures for the boards are not logged
PICTURES = (events.RegistryLooked, events.LedgerLooked)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """What a test sets up for logs ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_each_event_is_one_json_line_with_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    """At debug level every event is one JSON object with name, level, time and process; pictures are left out."""
    configure_logs("debug", "json", "worker-1")
    log = LogEvents()
    for event in EVERY_KIND:
        log(event)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    wanted = [type(event).__name__ for event in EVERY_KIND if not isinstance(event, PICTURES)]
    assert [line["event"] for line in lines] == wanted
    assert all(line["process"] == "worker-1" and line["timestamp"].endswith("Z") for line in lines)
    assert lines[0] | {"timestamp": ""} == {
        "event": "RecordsSent",
        "registry": REGISTRY,
        "party": PARTY,
        "account": "P001-01",
        "count": 7,
        "level": "debug",
        "process": "worker-1",
        "timestamp": "",
    }


def test_a_line_of_another_thread_names_the_process_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Actors run in threads of their own; their lines say whose they are."""
    configure_logs("info", "json", "worker-1")
    event = events.NoticeTried(party=PARTY, channel="folder", delivered=True)
    thread = threading.Thread(target=LogEvents(), args=(event,))
    thread.start()
    thread.join()
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["process"] == "worker-1"


def test_what_comes_by_the_thousand_is_quiet_and_what_needs_people_is_loud(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At level info records and rounds say nothing; failures, pushback and accounts set aside are warnings."""
    configure_logs("info", "json", "worker-1")
    log = LogEvents()
    for event in EVERY_KIND:
        log(event)
    levels = {line["event"]: line["level"] for line in map(json.loads, capsys.readouterr().err.splitlines())}
    assert not {"RecordsSent", "RecordsSettled", "AnswerTimed", "PermitsDrawn", "RoundDecided"} & set(levels)
    loud = {name for name, level in levels.items() if level == "warning"}
    assert loud == {"LoopFailed", "AccountSetAside", "GenerationBegun", "Pushback"}
    assert levels["SessionStarted"] == "info"


def test_text_lines_are_readable(capsys: pytest.CaptureFixture[str]) -> None:
    """In text form a line has name, level and `key=value` pairs, without escapes where nobody looks at a terminal."""
    configure_logs("info", "text", "worker-1")
    LogEvents()(events.SessionEnded(REGISTRY, PARTY, account="P001-01", reason="turn"))
    (line,) = capsys.readouterr().err.splitlines()
    for part in ("SessionEnded", "info", "party=P001", "reason=turn", "process=worker-1"):
        assert part in line
    assert "\x1b" not in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_library_cannot_bring_a_person_into_the_logs(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Values, tracebacks and further lines of a library's message are left out; its words and the error's class stay."""
    configure_logs("debug", form, "worker-1")
    library = logging.getLogger("aiohttp.server")
    try:
        raise ValueError(PERSON)
    except ValueError:
        library.exception("Error handling request for %s", PERSON)
    library.error("Task was never retrieved\nfuture: <Task exception=ValueError('%s')>" % PERSON)  # noqa: UP031 -- as libraries do
    library.info("below a warning: %s", PERSON)
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 2
    for part in PERSON.split():
        assert part not in told
        assert json.dumps(part).strip('"') not in told
    for part in ("Error handling request", "aiohttp.server", "ValueError", "worker-1", "never retrieved"):
        assert part in told
    if form == "json":
        assert json.loads(told.splitlines()[0])["level"] == "error"


def test_what_the_registrar_says_freely_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """A code that is not of the protocol is logged as `other`."""
    configure_logs("info", "json", "worker-1")
    LogEvents()(events.Pushback(REGISTRY, PARTY, scope="registry", reason=PERSON, retry_after_ms=1))
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["reason"] == "other"
    assert PERSON not in line


def test_events_that_are_logged_hold_ids_and_numbers_only() -> None:
    """No event has a field for a text, a row or an error's message: only plain numbers and short words."""
    plain = {"str", "int", "float", "bool"}
    logged = [event for event in EVERY_KIND if not isinstance(event, PICTURES)]
    counts = {"bound", "latencies_ms"}  # how often each word of a closed set stood, and plain numbers
    assert {
        str(getattr(f.type, "__name__", f.type))
        for event in logged
        for f in fields(event)
        if f.name not in counts
    } <= plain
    told = {f.name for event in logged for f in fields(event)}
    assert not told & {"message", "text", "body", "name", "person", "record", "row", "field", "key", "secret"}
