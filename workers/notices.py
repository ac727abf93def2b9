"""Delivering notices: a file in a folder always, mail and a signed webhook where the policy sets them; each channel for itself.

What fails is tried again, later each time; `error` is a class of failure, never a text from outside. Nothing is delivered twice by one
process; another process may repeat a delivery, so each carries the notice's id.
"""

import asyncio
import hashlib
import hmac
import os
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import aiohttp
import msgspec

from domain.clock import Clock
from domain.errors import PratunamError
from domain.events import Emit, NoticeTried
from domain.policy import Policy
from ledger.protocols import Ledger
from ledger.values import DeliveryRow, NoticeRow

#: before the second try (ms); doubled each time, up to the longest
FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 3_600_000
#: a mail server or webhook that takes longer is tried again (s)
PATIENCE_S = 15


class Undelivered(PratunamError):
    """A channel has not taken a notice."""

    code = "undelivered"


@dataclass(frozen=True, slots=True)
class NoticeParts:
    """What delivering works with; `home` is where a relative folder lies, `webhook_key` signs, `sender` writes the mails."""

    ledger: Ledger
    clock: Clock
    emit: Emit
    home: Path
    policy: Callable[[], Awaitable[Policy]]
    sender: str = "pratunam@localhost"
    webhook_key: bytes = b""


class Notices:
    """Delivers one notice at a time by every channel that is due."""

    def __init__(self, parts: NoticeParts) -> None:
        """Open nothing yet."""
        self._parts = parts
        self._under_way: set[str] = set()
        self._channels: dict[str, Callable[[NoticeRow, Policy], Awaitable[None]]] = {
            "folder": self._to_folder, "smtp": self._by_mail, "webhook": self._by_webhook,
        }  # fmt: skip

    async def deliver(self, notice: str) -> None:
        """Try every channel of a notice that is due; the ledger learns how each went."""
        if notice in self._under_way:
            return
        self._under_way.add(notice)
        try:
            row = await self._parts.ledger.notice(notice)
            policy = await self._parts.policy()
            for delivery in row.deliveries:
                if is_due(delivery, self._parts.clock.now()):
                    await self._try(row, delivery, policy)
        finally:
            self._under_way.discard(notice)

    async def _try(self, row: NoticeRow, delivery: DeliveryRow, policy: Policy) -> None:
        ledger, clock = self._parts.ledger, self._parts.clock
        error = ""
        try:
            await self._channels[delivery.channel](row, policy)
        except Undelivered as failure:
            error = failure.message_en
        except (OSError, smtplib.SMTPException, aiohttp.ClientError, TimeoutError) as failure:
            error = type(failure).__name__
        if error:
            pause = min(FIRST_PAUSE_MS * 2**delivery.attempts, LONGEST_PAUSE_MS)
            await ledger.undelivered(row.notice, delivery.channel, error, clock.now() + pause, clock.now())
        else:
            await ledger.delivered(row.notice, delivery.channel, clock.now())
        self._parts.emit(NoticeTried(party=row.party, channel=delivery.channel, delivered=not error))

    async def _to_folder(self, row: NoticeRow, policy: Policy) -> None:
        folder = self._parts.home / policy.notice.folder
        name = f"{row.notice}-{quote(row.party, safe='')}.txt"
        await asyncio.to_thread(write_whole, folder / name, text_of(row).encode())

    async def _by_mail(self, row: NoticeRow, policy: Policy) -> None:
        contact = policy.parties[row.party].contact if row.party in policy.parties else ""
        if not policy.notice.smtp:
            raise Undelivered("no-server")
        if not contact:
            raise Undelivered("no-contact")
        await asyncio.to_thread(send_mail, policy.notice.smtp, mail_of(row, self._parts.sender, contact))

    async def _by_webhook(self, row: NoticeRow, policy: Policy) -> None:
        if not policy.notice.webhook:
            raise Undelivered("no-address")
        if not self._parts.webhook_key:
            raise Undelivered("no-key")
        body = webhook_body(row)
        headers = signed_headers(row.notice, body, self._parts.webhook_key, self._parts.clock.now() // 1000)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.post(policy.notice.webhook, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status // 100 != 2:
                raise Undelivered(f"status-{answer.status}")


def is_due(delivery: DeliveryRow, now: int) -> bool:
    """Say whether a channel should be tried at `now`."""
    return delivery.state != "delivered" and (delivery.next_at is None or delivery.next_at <= now)


def text_of(row: NoticeRow) -> str:
    """Return a notice as a text in both languages."""
    return f"{row.title_th}\n\n{row.body_th}\n\n--\n\n{row.title_en}\n\n{row.body_en}\n"


def mail_of(row: NoticeRow, sender: str, to: str) -> EmailMessage:
    """Return a notice as a mail; its id is the notice's, so that a repeat is known as one."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = " ".join(f"{row.title_th} / {row.title_en}".split())
    mail["Date"] = datetime.fromtimestamp(row.created_at / 1000, UTC)
    mail["Message-ID"] = f"<{row.notice}.{quote(row.party, safe='')}@{sender.rpartition('@')[2]}>"
    mail.set_content(text_of(row))
    return mail


def send_mail(address: str, mail: EmailMessage) -> None:
    """Hand a mail to `smtp://[user:password@]host[:port]` (or `smtps://`); blocks, raises OSError or SMTPException."""
    server = urlsplit(address)
    host = server.hostname or "localhost"
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, server.port or 465, timeout=PATIENCE_S, context=context)
    else:
        client = smtplib.SMTP(host, server.port or 25, timeout=PATIENCE_S)
    with client:
        client.ehlo()
        if (
            server.scheme != "smtps"
            and client.has_extn("starttls")
            and host not in ("localhost", "127.0.0.1", "::1")
        ):
            client.starttls(context=context)
            client.ehlo()
        if server.username:
            client.login(unquote(server.username), unquote(server.password or ""))
        client.send_message(mail)


def webhook_body(row: NoticeRow) -> bytes:
    """Return a notice as the JSON that a webhook gets."""
    names = ("notice", "party", "kind", "created_at", "version", "title_en", "title_th", "body_en", "body_th")
    return msgspec.json.encode({name: getattr(row, name) for name in names})


def signed_headers(notice: str, body: bytes, key: bytes, at: int) -> dict[str, str]:
    """Sign `timestamp.body` with HMAC-SHA-256; the receiver refuses old timestamps and signatures that differ."""
    signature = hmac.new(key, str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Pratunam-Notice": notice,
        "Pratunam-Timestamp": str(at),
        "Pratunam-Signature": f"sha256={signature}",
    }


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it, and it is there after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
