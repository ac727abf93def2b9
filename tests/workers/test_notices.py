"""Notices are really delivered: files in a folder, mails to a real SMTP sink, signed posts to a real webhook."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP

from domain.clock import ManualClock
from domain.events import Event, NoticeTried
from domain.policy import NoticeRules, PartyRules, Policy
from ledger.protocols import Ledger
from ledger.values import DeliveryRow, NoticeRow
from workers.notices import FIRST_PAUSE_MS, LONGEST_PAUSE_MS, NoticeParts, Notices, webhook_body

KEY = b"webhook-key"


@dataclass
class Books:
    """The ledger's verbs about notices."""

    row: NoticeRow
    delivered_by: list[str] = field(default_factory=list)
    failed: list[tuple[str, str, int]] = field(default_factory=list)

    async def notice(self, notice: str) -> NoticeRow:
        """The one notice."""
        return self.row

    async def delivered(self, notice: str, channel: str, now: int) -> None:
        """Note it."""
        self.delivered_by.append(channel)

    async def undelivered(self, notice: str, channel: str, error: str, next_at: int, now: int) -> None:
        """Note it."""
        self.failed.append((channel, error, next_at - now))


class Sink:
    """An SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - the library's name
        """Keep a mail."""
        self.mails.append(envelope.content)
        return "250 OK"


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, str]]:
    """A running SMTP sink and its address."""
    sink = Sink()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(sink, hostname="sink"), "127.0.0.1", 0
    )
    async with server:
        yield sink, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@dataclass
class Hook:
    """A webhook that keeps what it gets."""

    url: str = ""
    status: int = 200
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@asynccontextmanager
async def hook_running() -> AsyncIterator[Hook]:
    """Run one."""
    hook = Hook()

    async def take(request: web.Request) -> web.Response:
        hook.posts.append((dict(request.headers), await request.read()))
        return web.Response(status=hook.status)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


def notice(*channels: str, attempts: int = 0) -> NoticeRow:
    """A notice of a change of hours, due on these channels."""
    ways = tuple(DeliveryRow(channel, "waiting", attempts, 0, None) for channel in channels)
    return NoticeRow(
        "N000007",
        "P1",
        "window",
        1_767_225_600_000,
        "Hours change",
        "เวลาเปลี่ยน",
        "From Monday",
        "ตั้งแต่วันจันทร์",
        3,
        ways,
    )


def desk(books: Books, home: Path, events: list[Event], **rules: str) -> Notices:
    """Notices under these rules."""
    policy = Policy({}, {"P1": PartyRules("P1", contact="p1@party.example")}, NoticeRules(**rules))

    async def in_force() -> Policy:
        return policy

    parts = NoticeParts(
        cast("Ledger", books), ManualClock(), events.append, home, in_force, "gate@registrar.example", KEY
    )
    return Notices(parts)


async def test_a_notice_becomes_one_whole_file_in_both_languages(tmp_path: Path) -> None:
    """The folder holds one file a notice and party, and nothing half written."""
    books, events = Books(notice("folder")), list[Event]()
    await desk(books, tmp_path, events).deliver("N000007")
    files = list((tmp_path / "notices").iterdir())
    assert [file.name for file in files] == ["N000007-P1.txt"]
    text = files[0].read_text("utf-8")
    assert [words in text for words in ("เวลาเปลี่ยน", "ตั้งแต่วันจันทร์", "Hours change", "From Monday")] == [
        True
    ] * 4
    assert books.delivered_by == ["folder"]
    assert events == [NoticeTried(party="P1", channel="folder", delivered=True)]


async def test_a_mail_reaches_the_party(sink: tuple[Sink, str], tmp_path: Path) -> None:
    """One mail to the party's contact, readable in both languages, with the notice's id."""
    books = Books(notice("smtp"))
    await desk(books, tmp_path, [], smtp=sink[1]).deliver("N000007")
    assert books.delivered_by == ["smtp"]
    (raw,) = sink[0].mails
    mail = message_from_bytes(raw, policy=default)
    body = mail.get_body()
    assert body is not None
    assert (mail["To"], mail["From"]) == ("p1@party.example", "gate@registrar.example")
    assert mail["Subject"] == "เวลาเปลี่ยน / Hours change"
    assert mail["Message-ID"] == "<N000007.P1@registrar.example>"
    assert "ตั้งแต่วันจันทร์" in body.get_content()


async def test_a_webhook_gets_a_signed_post(tmp_path: Path) -> None:
    """The receiver can tell by the signature over time and body that it is the gate who speaks."""
    async with hook_running() as hook:
        books = Books(notice("webhook"))
        await desk(books, tmp_path, [], webhook=hook.url).deliver("N000007")
    ((headers, body),) = hook.posts
    signed = headers["Pratunam-Timestamp"].encode() + b"." + body
    assert headers["Pratunam-Signature"] == "sha256=" + hmac.new(KEY, signed, hashlib.sha256).hexdigest()
    assert json.loads(body)["title_th"] == "เวลาเปลี่ยน"
    assert body == webhook_body(books.row)
    assert books.delivered_by == ["webhook"]


async def test_a_channel_that_is_down_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Each channel succeeds or fails for itself; a failure is a class, never a text from outside, and has a next time."""
    async with hook_running() as hook:
        hook.status = 500
        books = Books(notice("folder", "smtp", "webhook"))
        await desk(books, tmp_path, [], webhook=hook.url, smtp="smtp://127.0.0.1:9").deliver("N000007")
    assert books.delivered_by == ["folder"]
    assert books.failed == [
        ("smtp", "ConnectionRefusedError", FIRST_PAUSE_MS),
        ("webhook", "status-500", FIRST_PAUSE_MS),
    ]


@pytest.mark.parametrize(("attempts", "pause"), [(1, 2 * FIRST_PAUSE_MS), (30, LONGEST_PAUSE_MS)])
async def test_tries_come_later_each_time(tmp_path: Path, attempts: int, pause: int) -> None:
    """The pause doubles, up to an hour."""
    books = Books(notice("smtp", attempts=attempts))
    await desk(books, tmp_path, [], smtp="smtp://127.0.0.1:9").deliver("N000007")
    assert [failed[2] for failed in books.failed] == [pause]


async def test_what_is_delivered_or_not_due_is_left_alone(tmp_path: Path) -> None:
    """A repeated ring delivers nothing twice."""
    later = DeliveryRow("smtp", "failing", 2, ManualClock().now() + 1, None, "x")
    done = DeliveryRow("folder", "delivered", 1, None, 5)
    books = Books(NoticeRow("N1", "P1", "window", 0, "a", "b", "c", "d", None, (done, later)))
    await desk(books, tmp_path, []).deliver("N1")
    assert (books.delivered_by, books.failed) == ([], [])


async def test_a_webhook_without_a_key_is_not_posted_unsigned(tmp_path: Path) -> None:
    """Without a key nothing leaves, and the ledger says why."""
    async with hook_running() as hook:
        books = Books(notice("webhook"))
        made = desk(books, tmp_path, [], webhook=hook.url)
        made._parts = NoticeParts(made._parts.ledger, ManualClock(), print, tmp_path, made._parts.policy)
        await made.deliver("N000007")
    assert (hook.posts, books.failed) == ([], [("webhook", "no-key", FIRST_PAUSE_MS)])
