"""One registry's endpoint over HTTP: log-in, log-out, asking, load, the `Date` listener, and the choice of a shape for uploads.

No redirects, no proxies from the environment, no cookies, no retries of its own. It must not know leases, permits or jobs.
Source: registrar-protocol.md sections 1 and 3.
"""

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import quote

import aiohttp
import msgspec

from domain.clock import Clock
from domain.errors import WireFault
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import (
    Answer,
    ClockSample,
    End,
    Load,
    LoginRefused,
    OpenSession,
    SessionLimits,
    Upload,
    Verdict,
)
from workers.wires.connecting import Connections
from workers.wires.reading import (
    Problem,
    Unreadable,
    http_date,
    read_line,
    read_problem,
    retry_after_ms,
    whole_request_end,
)
from workers.wires.short import ShortAnswer, exchange
from workers.wires.silence import SilenceWatch

#: an exchange longer than this says nothing useful about the clock (ms)
CLOCK_SAMPLE_MS = 2_000
#: clocks do not drift so fast that a sample would be worth more after less (ms)
CLOCK_PAUSE_MS = 100


@cache
def _path_of(registry: str) -> str:
    """Return the path of a registry's records; each request asks for it."""
    return f"/v1/registries/{quote(registry, safe='')}/records"


class _Limits(msgspec.Struct):
    """JSON knows no whole numbers: a registrar may well write 20.0."""

    records_per_second: float | None = None
    burst: float | None = None
    max_in_flight: float | None = None


class _Opened(msgspec.Struct):
    session: str
    account: str
    party: str = ""
    expires_in: float = 900.0
    limits: _Limits | None = None


class _Load(msgspec.Struct):
    state: str
    sessions: float | None = None
    records_per_second: float | None = None
    latency_ms_p95: float | None = None


class HttpWire:
    """`domain.wire.Wire` over HTTP; the shape of its uploads is the registry's."""

    def __init__(self, rules: RegistryRules, clock: Clock) -> None:
        """Remember where the registrar is; connections are made when first used."""
        self.rules = rules
        self.clock = clock
        #: most lines a request for `batch`; the registrar's own 413 halves it
        self.batch = rules.batch
        self.silence = SilenceWatch(clock)
        self._origin = rules.endpoint.rstrip("/")
        self._listeners: list[Callable[[ClockSample], None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._connections: Connections | None = None
        self._heeded_at = -CLOCK_PAUSE_MS
        self._upload = _upload_of(rules.shape)

    @property
    def answer_timeout_ms(self) -> int:
        """How long an answer may be awaited (ms)."""
        return int(self.rules.answer_timeout_s * 1000)

    def records_path(self, key: str = "") -> str:
        """Return the path of the registry's records, or of one key."""
        path = _path_of(self.rules.name)
        return f"{path}/{quote(key, safe='')}" if key else path

    async def log_in(self, account: str, secret: str) -> OpenSession | LoginRefused:
        """Open a session; raises WireFault when the registrar cannot be reached or does not answer."""
        body = msgspec.json.encode({"account": account, "secret": secret})
        answer = await self.call("POST", "/v1/sessions", body=body)
        if answer.status == 201:
            return _opened(answer.content, account)
        return self._login_refused(answer, read_problem(answer.content))

    def _login_refused(self, answer: ShortAnswer, problem: Problem) -> LoginRefused:
        end = whole_request_end(answer.status, problem, self.pause_of(answer.headers))
        code = end.code
        if answer.status == 401:
            code = "bad-credentials"
        elif answer.status == 429:
            code = problem.code or "too-many-sessions"
        elif answer.status == 503:
            code = problem.code or "overloaded"
        elif answer.status != 403 or not problem.code:
            code = "unreachable"
        return LoginRefused(
            code,
            retry_after_ms=end.retry_after_ms,
            opens_at=end.opens_at,
            maybe_open=answer.status not in (400, 401, 403, 404, 413, 415, 429) and not problem.code,
            scope=end.scope if problem.scope else None,
        )

    async def log_out(self, session: OpenSession) -> bool:
        """Close a session; say whether the registrar confirmed it. Never raises for the transport's sake."""
        try:
            path = f"/v1/sessions/{quote(session.session, safe='')}"
            answer = await self.call("DELETE", path, bearer=session.session)
            return answer.status in (204, 401, 404)
        except WireFault:
            return False

    def open(self, session: OpenSession) -> Upload:
        """Begin an exchange of records in the registry's shape."""
        return self._upload(self, session)

    async def ask(self, session: OpenSession, key: str) -> Answer | End:
        """Ask what became of one key; an answer that cannot be read is an End that is not clean."""
        answer = await self.call("GET", self.records_path(key), bearer=session.session)
        if answer.status == 404:
            return Answer(key, Verdict.ABSENT)
        if answer.status == 200:
            return _asked(answer.content, key)
        if answer.status in (405, 501):
            return End("not-offered")
        return whole_request_end(answer.status, read_problem(answer.content), self.pause_of(answer.headers))

    async def load(self) -> Load | None:
        """Ask for the registrar's load; None when it does not tell."""
        answer = await self.call("GET", "/v1/load")
        if answer.status != 200:
            return None
        try:
            told = msgspec.json.decode(answer.content, type=_Load)
        except msgspec.DecodeError:
            return None
        return Load(told.state, _whole(told.sessions), told.records_per_second, told.latency_ms_p95)

    def on_clock(self, listener: Callable[[ClockSample], None]) -> None:
        """Have every useful `Date` header told to `listener`."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Let go of connections."""
        self.silence.close()
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._connections is not None:
            await self._connections.close()

    @property
    def connections(self) -> Connections:
        """The connections for uploads; once closed, none is made any more."""
        if self._connections is None:
            self._connections = Connections(
                self._origin,
                lambda: ssl.create_default_context(cafile=self.rules.ca_file or None),
                self.rules.answer_timeout_s,
            )
        return self._connections

    @property
    def http(self) -> aiohttp.ClientSession:
        """The connections of this endpoint, opened on first use inside the loop that uses them."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=_trust(self.rules.ca_file), ttl_dns_cache=60)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.rules.answer_timeout_s),
                auto_decompress=False,
                trust_env=False,
                headers={"Accept-Encoding": "identity"},
                read_bufsize=2**18,
            )
        return self._session

    def url(self, path: str) -> str:
        """Return the address of a path at this endpoint."""
        return self._origin + path

    async def call(self, method: str, path: str, *, body: bytes = b"", bearer: str = "") -> ShortAnswer:
        """Send one short request within the answer time-out; raises WireFault."""
        headers = {"Content-Type": "application/json"} if body else {}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        sent_at = self.clock.now()
        answer = await exchange(self.connections, method, path, headers, body, self.rules.answer_timeout_s)
        self.heed_clock(answer.headers, sent_at)
        return answer

    def heed_clock(self, headers: Mapping[str, str], sent_at: int) -> None:
        """Tell the listeners what an answer's `Date` says, unless the exchange took too long to be of use."""
        read_at = self.clock.now()
        if 0 <= read_at - self._heeded_at < CLOCK_PAUSE_MS or not 0 <= read_at - sent_at <= CLOCK_SAMPLE_MS:
            return
        date_at = http_date(headers.get("Date"))
        if date_at is not None:
            self._heeded_at = read_at
            for listener in self._listeners:
                listener(ClockSample(date_at, sent_at, read_at))

    def pause_of(self, headers: Mapping[str, str]) -> int | None:
        """Return what an answer's Retry-After header asks for, in ms."""
        return retry_after_ms(headers.get("Retry-After"), headers.get("Date"), self.clock.now())


def _upload_of(shape: Shape) -> Callable[[HttpWire, OpenSession], Upload]:
    """Return what speaks a shape; the three know this file, so they are not imported with it."""
    from workers.wires.batch import BatchUpload
    from workers.wires.single import SingleUpload
    from workers.wires.stream import StreamUpload

    uploads: dict[Shape, Callable[[HttpWire, OpenSession], Upload]] = {
        Shape.STREAM: StreamUpload, Shape.BATCH: BatchUpload, Shape.SINGLE: SingleUpload,
    }  # fmt: skip
    return uploads[shape]


def _opened(content: bytes, account: str) -> OpenSession | LoginRefused:
    try:
        told = msgspec.json.decode(content, type=_Opened)
    except msgspec.DecodeError:
        return LoginRefused("unreachable", maybe_open=True)
    if told.account != account or not told.session:
        return LoginRefused("unreachable", maybe_open=True)
    limits = told.limits or _Limits()
    told_limits = SessionLimits(limits.records_per_second, _whole(limits.burst), _whole(limits.max_in_flight))
    return OpenSession(told.session, told.account, told.party, told.expires_in, told_limits)


def _whole(count: float | None) -> int | None:
    """Round a told count down; nonsense says nothing."""
    return int(count) if count is not None and 0 <= count < 2**53 else None


def _asked(content: bytes, key: str) -> Answer | End:
    try:
        answer = read_line(content.strip())
    except Unreadable:
        return End("unreadable", clean=False)
    if isinstance(answer, End) or answer.key == key:
        return answer
    return End("unreadable", clean=False)


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=ca_file) if ca_file else True
