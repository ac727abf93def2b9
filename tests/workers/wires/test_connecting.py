"""Where a registrar stands and how it is reached: addresses, names, time-outs, connections that are kept."""

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.workers.waiting import until
from tests.workers.wires.raw import Caller, raw_registrar
from tests.workers.wires.test_http import certificate
from workers.wires.connecting import Connections, door_of


@pytest.mark.parametrize(
    ("origin", "authority", "path"),
    [
        ("http://registrar.example", "registrar.example", "/x"),
        ("http://registrar.example:80/", "registrar.example", "/x"),
        ("https://registrar.example:443/gate/", "registrar.example", "/gate/x"),
        ("https://Registrar.Example:80/a b", "registrar.example:80", "/a%20b/x"),
        ("http://[::1]:8099", "[::1]:8099", "/x"),
        ("https://ทะเบียน.ไทย", "xn--o3cec6a6d5a5e.xn--o3cw4h", "/x"),
    ],
)
def test_an_endpoint_is_said_as_http_wants_it(origin: str, authority: str, path: str) -> None:
    """Brackets, default ports, prefixes and Thai names stand in the head as they should."""
    head = door_of(origin).head("POST", "/x", {"Accept": "*/*"})
    assert head == f"POST {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\n\r\n".encode()


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "ก", "a\x85b", "a\tb"])
def test_no_value_leaves_its_line(value: str) -> None:
    """What could begin another header is refused before a byte is written."""
    with pytest.raises(ValueError, match="printable ASCII"):
        door_of("http://h").head("POST", "/x", {"Authorization": value})


@pytest.mark.parametrize("origin", ["ftp://h", "h:80", "http://", "http://h:99999"])
def test_what_is_no_address_is_refused(origin: str) -> None:
    """An endpoint is an HTTP address."""
    with pytest.raises(ValueError, match=r"."):
        door_of(origin)


async def stay(caller: Caller) -> None:
    """Keep the connection until the other side leaves."""
    await caller.reader.read()


async def test_a_connection_that_was_given_back_is_handed_out_again() -> None:
    """The last one first; one that the server closed meanwhile is not."""
    async with raw_registrar(stay) as raw:
        connections = raw.connections(f"http://localhost:{raw.port}")
        first, second = await connections.make(), await connections.make()
        await until(lambda: len(raw.callers) == 2)
        connections.keep(first)
        connections.keep(second)
        raw.callers[1].writer.close()
        await until(lambda: not second.is_open())
        assert connections.kept() is first
        assert connections.kept() is None
        await connections.close()
        assert not first.is_open()


async def test_nothing_is_made_or_kept_after_the_end() -> None:
    """Once closed, connections that come back are closed too, and none is made."""
    async with raw_registrar(stay) as raw:
        connections = raw.connections()
        late = await connections.make()
        await connections.close()
        connections.keep(late)
        assert connections.kept() is None
        with pytest.raises(ConnectionAbortedError):
            await connections.make()


async def test_a_registrar_that_never_says_hello_is_not_waited_for() -> None:
    """Connecting has a time-out, TLS and all."""
    async with raw_registrar(stay) as raw:
        connections = raw.connections(f"https://127.0.0.1:{raw.port}", timeout_s=0.1)
        with pytest.raises(TimeoutError):
            await connections.make()
        await connections.close()


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    """A trusted authority is not enough: the name must be the one that was called."""
    pem, secret = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    for host, is_trusted in (("127.0.0.1", True), ("localhost", False)):
        connections = Connections(
            f"https://{host}:{port}", lambda: ssl.create_default_context(cafile=str(pem)), 5
        )
        if is_trusted:
            assert (await connections.make()).is_open()
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await connections.make()
        await connections.close()
    server.close()
