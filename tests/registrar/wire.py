"""A small client of the upload protocol over real sockets, and a clock that tests move by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from registrar import Account, Config, Party, Registry, running
from registrar.clock import NS_PER_MS, Clock

REGISTRY = "party-members"
RECORDS = f"/v1/registries/{REGISTRY}/records"
NDJSON = {"Content-Type": "application/x-ndjson"}


class ManualClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, wall_ms: int = 1_800_000_000_000, offset_s: float = 0.0) -> None:
        super().__init__(offset_s)
        self._wall_zero_us = wall_ms * 1000
        self._now_ns = 0

    def mono_ns(self) -> int:
        return self._now_ns

    def move(self, ms: float) -> None:
        """So many milliseconds later."""
        self._now_ns += round(ms * NS_PER_MS)


def config(**changes: Any) -> Config:
    """Two parties with two accounts and one account; changes are of the registry, or of the whole by name."""
    whole = {
        name: changes.pop(name)
        for name in ("mode", "faults", "clock_offset_s", "log_file")
        if name in changes
    }
    parties = {
        "P001": Party(accounts=(Account(id="P001-01"), Account(id="P001-02"))),
        "P002": Party(accounts=(Account(id="P002-01"),)),
    }
    return Config(registries={REGISTRY: Registry(**{"parties": parties, **changes})}, **whole)


def record(number: int = 1, operation: str = "ADD", **more: Any) -> dict[str, Any]:
    """A record of a person who does not exist."""
    return {"operation": operation, "national_id": f"0{number:012d}", "first_name": "ตัวอย่าง", **more}


def line(key: str, content: dict[str, Any] | None = None) -> bytes:
    """One line of a request."""
    return msgspec.json.encode({"key": key, "record": content or record()}) + b"\n"


def lines(count: int, start: int = 0) -> bytes:
    """Lines of different persons under different keys."""
    return b"".join(line(f"k{n}", record(n)) for n in range(start, start + count))


def parsed(body: bytes) -> list[dict[str, Any]]:
    """The lines of an answer."""
    return [msgspec.json.decode(one) for one in body.splitlines()]


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return parsed(self.body)


class Stream:
    """One long request: lines go in one by one, answers are read as they come."""

    def __init__(self) -> None:
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._response: aiohttp.ClientResponse | None = None

    async def _body(self) -> AsyncIterator[bytes]:
        while (part := await self._out.get()) is not None:
            yield part

    async def begin(self, http: aiohttp.ClientSession, headers: dict[str, str], path: str = RECORDS) -> None:
        """Send the head; the answer's head comes back at once."""
        # The client holds the head back until the first part of the body, unless it waits for "100 Continue".
        everything = headers | NDJSON
        self._response = await http.post(path, data=self._body(), headers=everything, expect100=True)

    @property
    def response(self) -> aiohttp.ClientResponse:
        assert self._response is not None
        return self._response

    def send(self, part: bytes) -> None:
        """Send a part of the body."""
        self._out.put_nowait(part)

    def finish(self) -> None:
        """End the body."""
        self._out.put_nowait(None)

    async def read(self) -> dict[str, Any]:
        """The next answer line."""
        return dict(msgspec.json.decode(await self.response.content.readline()))

    async def rest(self) -> list[dict[str, Any]]:
        """All lines that are still to come."""
        return parsed(await self.response.content.read())


class RawStream:
    """A stream of a client that goes on writing after it has read the answer's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str, token: str) -> "RawStream":
        """Connect and send the head."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {RECORDS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        head += "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        return cls(reader, writer)

    def send(self, part: bytes) -> None:
        """Send one chunk."""
        self._writer.write(b"%x\r\n%s\r\n" % (len(part), part))

    async def read_until(self, part: bytes) -> bytes:
        """Read up to and with a part of the answer."""
        return await self._reader.readuntil(part)

    async def close(self) -> None:
        """Break off."""
        self._writer.close()
        await self._writer.wait_closed()


@dataclass
class Door:
    """A client at the registrar's door."""

    url: str
    http: aiohttp.ClientSession
    streams: list[Stream] = field(default_factory=list)

    async def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> Answer:
        """One request and its whole answer."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, path, headers=headers, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    async def log_in(self, account: str = "P001-01", secret: str = "secret") -> str:
        """A session's token."""
        answer = await self.try_log_in(account, secret)
        assert answer.status == 201, answer.body
        return str(answer.json["session"])

    async def try_log_in(self, account: str = "P001-01", secret: str = "secret") -> Answer:
        """A log-in that may be refused."""
        return await self.ask("POST", "/v1/sessions", json={"account": account, "secret": secret})

    async def batch(self, token: str, body: bytes, **more: Any) -> Answer:
        """One request with a body of a known length."""
        return await self.ask("POST", RECORDS, token, data=body, **{"headers": NDJSON, **more})

    async def put(self, token: str, key: str, content: dict[str, Any]) -> Answer:
        """One record by itself."""
        return await self.ask("PUT", f"{RECORDS}/{key}", token, json=content)

    async def stream(self, token: str) -> Stream:
        """A stream that has begun."""
        stream = Stream()
        self.streams.append(stream)
        await stream.begin(self.http, {"Authorization": f"Bearer {token}"})
        return stream

    async def control(self, **wish: Any) -> None:
        """Turn the registrar's knobs."""
        answer = await self.ask("POST", "/control", json=wish)
        assert answer.status == 204, answer.body

    async def report(self, query: str = "bins=0") -> dict[str, Any]:
        """The registry's part of the report, with the verdict beside it."""
        whole = (await self.ask("GET", f"/report?{query}")).json
        return {**whole["registries"][REGISTRY], "verdict": whole["verdict"], "whole": whole}

    async def until(self, seen: Callable[[dict[str, Any]], bool]) -> None:
        """Ask for the report until it shows what is waited for; the client's time-out bounds it."""
        async with asyncio.timeout(10):
            while not seen(await self.report()):
                pass  # each report is a round trip

    async def settled(self, arrivals: int) -> None:
        """Wait until so many records have arrived."""
        await self.until(lambda report: report["arrivals"] >= arrivals)


@contextlib.asynccontextmanager
async def door(settings: Config | None = None, clock: Clock | None = None) -> AsyncIterator[Door]:
    """A registrar in this process and a client of it."""
    async with (
        running(settings or config(), clock=clock) as url,
        aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        opened = Door(url, http)
        yield opened
        for stream in opened.streams:
            stream.finish()
            stream.response.close()
