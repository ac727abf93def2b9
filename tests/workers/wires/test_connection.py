"""Reading an answer's bytes: wherever they are split, whatever they are, and however many."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.wires.connection import LONGEST_HEAD, Connection

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nX-Empty:\r\ndate: Wed, 21 Oct 2015 07:28:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4;why=not\r\n{a}\n\r\n5\r\n{bc}\n\r\n0\r\nRetry-After: 9\r\n\r\n"
)
SIZED = b"HTTP/1.1 429 Too Fast\r\nRetry-After: 3\r\nContent-Length: 9\r\n\r\n{a}\n{bc}\n"
INTERIM = b"HTTP/1.1 100 Continue\r\nRetry-After: 7\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + SIZED
BODY = b"{a}\n{bc}\n"


class Nowhere(asyncio.Transport):
    """A transport that leads nowhere and can be closed."""

    closed = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def __init__(self, unsent: int = 0) -> None:
        super().__init__()
        self.unsent = unsent

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Hearer:
    """Keeps what it is told, and lets go where a request would."""

    def __init__(self) -> None:
        """Stand on a connection of its own."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ends: list[str] = []
        self.transport = Nowhere()
        self.connection = Connection(lambda connection: None)
        self.connection.connection_made(self.transport)
        self.connection.serve(self)

    def on_head(self, status: int, headers: dict[str, str]) -> None:
        assert not self.status
        self.status, self.headers = status, headers

    def on_body(self, data: bytes) -> None:
        assert self.status
        self.body += data

    def on_complete(self, *, may_stay: bool) -> None:
        self.ends.append("stays" if may_stay else "closes")
        self.connection.serve(None)

    def on_broken(self, code: str) -> None:
        self.ends.append(code)
        self.connection.serve(None)


def hear(*parts: bytes, eof: bool = False) -> Hearer:
    """Read these parts one after the other, and perhaps the end."""
    hearer = Hearer()
    for part in parts:
        if not hearer.transport.closed:
            hearer.connection.data_received(part)
    if eof:
        hearer.connection.eof_received()
    return hearer


@pytest.mark.parametrize(
    ("data", "status", "headers"),
    [
        (CHUNKED, 200, {"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        (SIZED, 429, {"Retry-After": "3"}),
        (INTERIM, 429, {"Retry-After": "3"}),
    ],
    ids=["chunked", "sized", "interim"],
)
def test_an_answer_is_the_same_wherever_it_is_split(
    data: bytes, status: int, headers: dict[str, str]
) -> None:
    """At every byte boundary, and byte by byte: one head without trailers or interim headers, the whole body, one end."""
    splits: list[list[bytes]] = [[data[:at], data[at:]] for at in range(1, len(data))]
    for parts in [[data], *splits, [data[at : at + 1] for at in range(len(data))]]:
        heard = hear(*parts)
        assert (heard.status, heard.headers, heard.body, heard.ends) == (status, headers, BODY, ["stays"])


@pytest.mark.parametrize("data", [CHUNKED, SIZED], ids=["chunked", "sized"])
def test_an_answer_that_was_cut_is_never_whole(data: bytes) -> None:
    """Wherever the connection ends before the last byte, the answer is broken."""
    for at in range(len(data)):
        assert hear(data[:at], eof=True).ends == ["broken"]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 200 OK\r\n\r\n{a}\n{bc}\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{a}\n{bc}\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{a}\n{bc}\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{a}\n{bc}\n",
    ],
)
def test_a_server_that_closes_is_believed(data: bytes) -> None:
    """HTTP/1.0 and `Connection: close`: the answer is whole, and the connection is not used again."""
    heard = hear(data, eof=True)
    assert (heard.body, heard.ends) == (BODY, ["closes"])


def test_an_answer_without_a_length_is_not_whole_when_the_connection_breaks() -> None:
    """Only an end ends it, a reset does not."""
    heard = hear(b"HTTP/1.1 200 OK\r\n\r\n{a}\n")
    heard.connection.connection_lost(ConnectionResetError())
    assert heard.ends == ["broken"]


@pytest.mark.parametrize(
    "surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"garbage"], ids=["an answer", "garbage"]
)
def test_what_nobody_asked_for_ends_the_connection(surplus: bytes) -> None:
    """Behind a whole answer in the same read, or while nobody listens: nobody is told of it, and nothing more is sent there."""
    heard = hear(SIZED + surplus)
    assert (heard.body, heard.ends) == (BODY, ["closes"])
    idle = hear(SIZED, surplus)
    assert idle.ends == ["stays"]
    assert idle.transport.closed


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_unreadable(data: bytes) -> None:
    """Garbage, two lengths that contradict each other, another protocol: none of them is an answer."""
    assert hear(data).ends == ["unreadable"]


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (b"HTTP/1.1 200 OK\r\n", lambda n: b"X-%d: %b\r\n" % (n, b"y" * 1000)),
        (b"HTTP/1.1 200 OK\r\nX: ", lambda n: b"y" * 1000),
        (b"HTTP/1.1 ", lambda n: b"0" * 1000),
        (b"", lambda n: b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", lambda n: b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 1000 + b"\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", lambda n: b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", lambda n: b"y" * 1000),
    ],
    ids=["headers", "a header", "a status", "interim", "interim headers", "a trailer", "a chunk's name"],
)
def test_a_head_without_an_end_is_cut_off(before: bytes, again: Callable[[int], bytes]) -> None:
    """However it is spun out, reading stops at the limit: nothing without an end is kept in memory."""
    heard, read = hear(before), 0
    while not heard.ends and read < 3 * LONGEST_HEAD:
        heard.connection.data_received(again(read))
        read += len(again(read))
    assert heard.ends == ["unreadable"]
    assert read <= LONGEST_HEAD + 2000


def test_a_head_that_is_too_long_is_too_long_in_one_read() -> None:
    """A whole answer in one read is held to the same limit."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"X: y\r\n" * LONGEST_HEAD + b"\r\nab"
    heard = hear(head)
    assert (heard.status, heard.ends) == (0, ["unreadable"])


@given(st.binary(max_size=300), st.integers(0, len(CHUNKED)))
def test_noise_never_completes_an_answer(noise: bytes, at: int) -> None:
    """Bytes at random, alone, make no answer; behind the beginning of one they raise nothing."""
    assert not [end for end in hear(noise).ends if end != "unreadable"]
    hear(CHUNKED[:at] + noise, eof=True)


@pytest.mark.parametrize(("unsent", "below", "is_clear"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_a_connection_is_clear_when_nothing_waits_in_it_or_below_it(
    unsent: int, below: int, is_clear: bool
) -> None:
    """With TLS, bytes that were encrypted wait in the transport below: a record written now would leave after them."""
    transport = Nowhere(unsent)
    transport._ssl_protocol = SimpleNamespace(_transport=Nowhere(below))  # type: ignore[attr-defined]  # as asyncio's TLS has it
    connection = Connection(lambda connection: None)
    connection.connection_made(transport)
    assert connection.is_clear() is is_clear
