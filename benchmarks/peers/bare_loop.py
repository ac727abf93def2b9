"""A peer: an aiohttp loop with the `limits` package, written by hand in a day; one process, one request a record, nothing durable.

It is a program of its own: it reads `work.json`, says `ready`, waits for a line, sends all, and prints what became of it.
It keeps what ours keeps: one session an account, the limits of each account and of the registry (this registrar sets a party
none); who has the biggest file logs in first. It must import nothing of the project: whoever writes such a loop
has none of it.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

#: what is waited after a failure that names no time (s), and how often a record is tried
RETRY_S, MOST_TRIES = 1.0, 100

#: waits until one record of this account may be sent
Permit = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Share:
    """One party's part of the work: its accounts, and a file with one record a line, ready to be sent."""

    party: str
    accounts: Sequence[str]
    file: str


@dataclass(frozen=True, slots=True)
class Work:
    """All that is to be done, and the limits to keep (records/s, records)."""

    endpoint: str
    registry: str
    secret: str
    rate: float
    burst: int
    account_rate: float
    account_burst: int
    shares: Sequence[Share]


@dataclass(slots=True)
class Tally:
    """What became of the records: receipts by key, and how often each other status was answered."""

    receipts: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)


def read_work(file: Path) -> Work:
    """Read the plan."""
    told = json.loads(file.read_bytes())
    return Work(**(told | {"shares": [Share(**each) for each in told["shares"]]}))


def permits_of(work: Work) -> Permit:
    """Return the waiting for permits by the `limits` package.

    Its documentation: memory storage where one process keeps the limit; the sliding window counter where a fixed window's double
    burst at the boundary will not do and a moving window's log of every request is too dear (tried: the same pace, 1.6 times the
    processor time); after a refused `hit`, sleep until `reset_time` of `get_window_stats`. A window as long as a burst is worth
    lets no more through in any interval than `burst + rate x t`, so that the registrar has nothing to refuse. All wait for the
    registry in one line: 50 who wake at the same instant for one permit would cost more, and the line is fair.
    """
    from limits.aio.storage import MemoryStorage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter

    limiter: Any = SlidingWindowCounterRateLimiter(MemoryStorage())
    registry = window(work.burst, work.burst / work.rate)
    account = window(work.account_burst, work.account_burst / work.account_rate)
    line = asyncio.Lock()

    async def fits(item: Any, name: str) -> None:
        while not await limiter.hit(item, name):
            reset_at = (await limiter.get_window_stats(item, name)).reset_time
            await asyncio.sleep(max(0.0, reset_at - time.time()))

    async def permit(name: str) -> None:
        await fits(account, name)
        async with line:
            await fits(registry, "registry")

    return permit


def window(amount: int, seconds: float) -> Any:
    """Return the limit `amount` in any `seconds`; the package has whole seconds ready, and lets a shorter unit be defined."""
    from limits import RateLimitItem, RateLimitItemPerSecond
    from limits.limits import Granularity

    if seconds == int(seconds):
        return RateLimitItemPerSecond(amount, int(seconds))
    unit: Any = type(RateLimitItem)("Short", (RateLimitItem,), {"GRANULARITY": Granularity(seconds, "short")})
    return unit(amount)


class Loop:
    """Sends all of a work: one coroutine an account, which takes its party's next record when the one before is answered."""

    def __init__(self, work: Work, permit: Permit, session: aiohttp.ClientSession) -> None:
        """Read all records into memory; nothing is sent yet."""
        self.tally = Tally()
        self._work = work
        self._permit = permit
        self._session = session
        self._left = {
            share.party: deque(
                (f"{share.party}-{number}", body)
                for number, body in enumerate(Path(share.file).read_bytes().splitlines())
            )
            for share in work.shares
        }

    async def run(self) -> Tally:
        """Send everything, biggest file first."""
        async with asyncio.TaskGroup() as group:
            for share in sorted(self._work.shares, key=lambda share: -len(self._left[share.party])):
                for account in share.accounts:
                    group.create_task(self._send(share.party, account))
        return self.tally

    async def _send(self, party: str, account: str) -> None:
        left = self._left[party]
        headers = await self._log_in(account)
        while left:
            key, body = left.popleft()
            for _ in range(MOST_TRIES):
                await self._permit(account)
                wait_s = await self._put(key, body, headers)
                if wait_s is None:
                    break
                await asyncio.sleep(wait_s)
            else:
                self.tally.others["given up"] += 1

    async def _log_in(self, account: str) -> dict[str, str]:
        wish = {"account": account, "secret": self._work.secret}
        async with self._session.post(f"{self._work.endpoint}/v1/sessions", json=wish) as answer:
            answer.raise_for_status()
            token = (await answer.json())["session"]
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def _put(self, key: str, body: bytes, headers: dict[str, str]) -> float | None:
        """Send one record; returns the seconds until it may be tried again, None when it is decided."""
        url = f"{self._work.endpoint}/v1/registries/{self._work.registry}/records/{key}"
        try:
            async with self._session.put(url, data=body, headers=headers) as answer:
                if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
                    self.tally.receipts[key] = (await answer.json())["receipt"]
                    return None
                self.tally.others[str(answer.status)] += 1
                if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                    return None
                return await _wait_s(answer)
        except (aiohttp.ClientError, TimeoutError) as failure:
            self.tally.others[type(failure).__name__] += 1
            return RETRY_S


async def _wait_s(answer: aiohttp.ClientResponse) -> float:
    """Return how long a refusal asks to wait: to the millisecond in its body, else in whole seconds in its header."""
    told = await answer.json(content_type=None) if "json" in answer.content_type else {}
    return float(told.get("retry_after", answer.headers.get("Retry-After", RETRY_S)))


async def main(file: Path) -> None:
    """Do the work of a file.

    aiohttp's documentation: one `ClientSession` for everything, so that connections are kept; no limit of connections below the
    number of requests at once; no cookie jar where no cookies are wanted.
    """
    work = read_work(file)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        loop = Loop(work, permits_of(work), session)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        tally = await loop.run()
    print(json.dumps({"accepted": len(tally.receipts), "others": dict(tally.others)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
