"""A request over raw sockets: what stands on the wire, what is cut, what silence and early answers mean."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

import registrar
from domain.clock import SystemClock
from domain.errors import WireFault
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import End, Line, OpenSession, Upload
from tests.workers.waiting import WAIT_S, until
from tests.workers.wires.heard import heard
from tests.workers.wires.raw import SESSION, Caller, answer, raw_registrar
from tests.workers.wires.test_contract import lines, send
from tests.workers.wires.test_http import certificate
from workers.wires.http import HttpWire

BOTH = pytest.mark.parametrize("shape", [Shape.STREAM, Shape.BATCH])


async def end_of(upload: Upload) -> End:
    """Listen to the end."""
    async with asyncio.timeout(WAIT_S):
        said = [handful async for handful in heard(upload)]
    assert isinstance(said[-1], End)
    return said[-1]


def until_reset(caller: socket.socket) -> int:
    """Read until the connection is reset; returns how many bytes came, -1 where it ended politely."""
    arrived = 0
    caller.settimeout(WAIT_S)
    with caller:
        try:
            while data := caller.recv(1 << 20):
                arrived += len(data)
        except ConnectionResetError:
            return arrived
    return -1


async def answer_in_full(caller: Caller) -> None:
    """Answer one request after the other, each with a 100 first."""
    while True:
        _, keys = await caller.request()
        caller.say(answer(*keys, interim=b"HTTP/1.1 100 Continue\r\n\r\n"))


@BOTH
async def test_a_request_stands_on_the_wire_as_it_should(shape: Shape) -> None:
    """Head, bearer and chunked lines, byte by byte; an interim answer before the answer says nothing."""
    async with raw_registrar(answer_in_full) as raw:
        wire = HttpWire(raw.rules(shape), SystemClock())
        upload = wire.open(SESSION)
        await until(upload.room)
        upload.write(lines("a", "b"))
        await upload.finish()
        assert await end_of(upload) == End("finished")
        said = next(caller.arrived for caller in raw.callers if caller.arrived)
        assert said == (
            b"POST /v1/registries/reg/records HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: pratunam\r\nAccept: */*\r\n"
            b"Accept-Encoding: identity\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
            b"Authorization: Bearer s-1\r\n\r\n"
            b'{"key":"a","record":{"n":0}}\n{"key":"b","record":{"n":1}}\n' % raw.port
        )
        await wire.close()


@BOTH
async def test_a_session_that_would_write_headers_of_its_own_sends_nothing(shape: Shape) -> None:
    """A registrar that names its session with a line break is not spoken to; nothing is unknown."""
    async with raw_registrar(answer_in_full) as raw:
        wire = HttpWire(raw.rules(shape), SystemClock())
        end = await end_of(wire.open(OpenSession("s\r\nX-Evil: 1", "A1", "P1", 900)))
        assert end == End("broken")
        assert not [caller for caller in raw.callers if caller.arrived]
        await wire.close()


@BOTH
async def test_what_the_other_side_does_not_take_never_leaves(shape: Shape) -> None:
    """While bytes wait in the transport nothing more is written, and an abort throws away what waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        rules = RegistryRules("reg", "p", f"http://127.0.0.1:{server.getsockname()[1]}", shape=shape)
        wire = HttpWire(rules, SystemClock())
        upload = wire.open(SESSION)
        await until(upload.room)
        upload.write([Line(0, "large", b'"%b"' % (b"x" * 20_000_000))])
        caller, _ = server.accept()
        if shape is Shape.STREAM:
            assert upload.room() == 0
            with pytest.raises(WireFault) as caught:
                upload.write(lines("more"))
            assert not caught.value.maybe_delivered
        upload.abort()
        assert await end_of(upload) == End("aborted", clean=False)
        await wire.close()
        assert 0 <= until_reset(caller) < 20_000_000


async def test_answers_without_an_end_are_silence() -> None:
    """Every line is answered and the request is whole: an answer that is not ended holds nothing up for ever, nothing is unknown."""

    async def serve(caller: Caller) -> None:
        _, keys = await caller.request()
        caller.say(answer(*keys).removesuffix(b"0\r\n\r\n"))
        await caller.reader.read()

    async with raw_registrar(serve) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH, answer_timeout_s=0.2), SystemClock())
        upload = wire.open(SESSION)
        await until(upload.room)
        upload.write(lines("a"))
        assert await end_of(upload) == End("silence")
        await wire.close()


async def test_an_answer_to_nothing_is_no_answer() -> None:
    """A server that answers before it was asked (a time-out of its own, say) is not believed."""

    async def serve(caller: Caller) -> None:
        caller.say(answer("a", headers="Connection: close\r\n"))
        await caller.reader.read()

    async with raw_registrar(serve) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        assert await end_of(wire.open(SESSION)) == End("broken")
        await wire.close()


@BOTH
async def test_tls_holds_for_uploads_too(tmp_path: Path, shape: Shape) -> None:
    """Records go over TLS and connections are used again; a stranger's authority is refused before a byte is said."""
    pem, secret = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    config = registrar.Config(registries={"reg": registrar.Registry(enrol=True)}, mode="watch")
    async with registrar.running(config, tls=context) as endpoint:
        rules = RegistryRules(
            "reg", "p", endpoint, shape=shape, batch=3, answer_timeout_s=5, ca_file=str(pem)
        )
        wire = HttpWire(rules, SystemClock())
        session = await wire.log_in("P1-01", "secret")
        assert isinstance(session, OpenSession)
        stranger = HttpWire(RegistryRules("reg", "p", endpoint, shape=shape), SystemClock())
        assert await end_of(stranger.open(session)) == End("unreachable")
        await stranger.close()
        records = [Line(n, f"k{n}", b'{"operation":"ADD","national_id":"%d"}' % n) for n in range(20)]
        assert await send(wire.open(session), records, []) == End("finished")
        await wire.close()
