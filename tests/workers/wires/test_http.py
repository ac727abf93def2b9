"""The HTTP side of every shape: log-in, log-out, asking, load, clocks, TLS, and what must not leak."""

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import registrar
from domain.clock import ManualClock, SystemClock
from domain.errors import WireFault
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import Answer, ClockSample, End, Line, Load, LoginRefused, OpenSession, Verdict
from tests.workers.waiting import until
from tests.workers.wires.heard import heard
from tests.workers.wires.scripted import Refusal, Scripted
from workers.wires.http import HttpWire
from workers.wires.single import SingleUpload

SECRET = "hunter2-secret"


@pytest.fixture
async def wire(server: Scripted) -> AsyncIterator[HttpWire]:
    """A wire to it."""
    made = HttpWire(RegistryRules("reg", "p", server.endpoint, answer_timeout_s=1), SystemClock())
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("refusal", "code", "maybe_open"),
    [
        (Refusal(401, {"code": "bad-credentials"}), "bad-credentials", False),
        (Refusal(401), "bad-credentials", False),
        (Refusal(403, {"code": "account-suspended"}), "account-suspended", False),
        (Refusal(403, body=b"<html>"), "unreachable", False),
        (Refusal(429, {"code": "too-many-sessions"}), "too-many-sessions", False),
        (Refusal(503, {"code": "overloaded"}), "overloaded", False),
        (Refusal(500), "unreachable", True),
        (Refusal(302, headers={"Location": "http://127.0.0.1:9/"}), "unreachable", True),
        (Refusal(201, body=b"not json"), "unreachable", True),
    ],
)
async def test_each_refused_log_in_is_told_apart(
    wire: HttpWire, server: Scripted, refusal: Refusal, code: str, *, maybe_open: bool
) -> None:
    """A refusal is what the registrar said it is; where nobody can know, a session may stand open."""
    server.login = refusal
    answer = await wire.log_in("A1", SECRET)
    assert isinstance(answer, LoginRefused)
    assert (answer.code, answer.maybe_open) == (code, maybe_open)


async def test_a_session_for_another_account_is_not_ours(wire: HttpWire, server: Scripted) -> None:
    """A log-in answered for somebody else is not believed."""
    server.login_body = {"session": "s", "account": "B1", "party": "P2"}
    assert await wire.log_in("A1", SECRET) == LoginRefused("unreachable", maybe_open=True)


async def test_no_secret_and_no_address_in_an_error(server: Scripted) -> None:
    """What goes wrong is told by its kind alone."""
    lost = HttpWire(RegistryRules("reg", "p", "http://127.0.0.1:9", answer_timeout_s=1), SystemClock())
    with pytest.raises(WireFault) as caught:
        await lost.log_in("A1", SECRET)
    await lost.close()
    told = repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    assert not [word for word in (SECRET, "127.0.0.1", "sessions", "A1") if word in told]
    assert not caught.value.maybe_delivered


async def test_log_out_says_whether_it_was_confirmed(wire: HttpWire, server: Scripted) -> None:
    """A registrar that cannot be reached has confirmed nothing."""
    session = OpenSession("s-9", "A1", "P1", 900)
    assert await wire.log_out(session)
    assert server.logouts == ["s-9"]
    nowhere = HttpWire(replace(wire.rules, endpoint="http://127.0.0.1:9"), wire.clock)
    assert not await nowhere.log_out(session)
    await nowhere.close()


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (None, Answer("k1", Verdict.ABSENT)),
        (Refusal(405), End("not-offered")),
        (Refusal(500), End("status-500", clean=False)),
        (Refusal(200, body=b"nonsense"), End("unreadable", clean=False)),
        (Refusal(200, {"key": "other", "status": "accepted"}), End("unreadable", clean=False)),
        (
            Refusal(200, {"key": "k1", "status": "accepted", "receipt": "R"}),
            Answer("k1", Verdict.ACCEPTED, receipt="R"),
        ),
    ],
)
async def test_asking_believes_only_what_it_can_read(
    wire: HttpWire, server: Scripted, ask: Refusal | None, expected: Answer | End
) -> None:
    """An answer about another key, or none at all, says nothing about the record."""
    server.ask = ask
    assert await wire.ask(OpenSession("s", "A1", "P1", 900), "k1") == expected


async def test_load_may_be_absent(wire: HttpWire, server: Scripted) -> None:
    """A registrar that does not tell its load is not an error."""
    assert await wire.load() is None
    server.load = {"state": "busy", "sessions": 12, "records_per_second": 340.5, "latency_ms_p95": 18.0}
    assert await wire.load() == Load("busy", 12, 340.5, 18.0)


async def test_every_date_is_told(wire: HttpWire, server: Scripted) -> None:
    """Whoever listens for clocks hears each answer's Date."""
    heard: list[ClockSample] = []
    wire.on_clock(heard.append)
    server.headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    await wire.log_in("A1", SECRET)
    assert [sample.date_at for sample in heard] == [1_445_412_480_000]
    assert heard[0].sent_at <= heard[0].read_at


async def test_a_record_whose_permit_lapsed_before_it_could_leave_is_not_sent(server: Scripted) -> None:
    """`single` looks once more as the bytes go: too late, and nothing leaves."""
    clock = ManualClock()
    rules = RegistryRules("reg", "p", server.endpoint, shape=Shape.SINGLE, answer_timeout_s=1)
    wire = HttpWire(rules, clock)
    upload = SingleUpload(wire, OpenSession("s", "A1", "P1", 900))
    upload.write([Line(0, "late", b"{}")], until=clock.monotonic())
    upload.write([Line(1, "good", b"{}")], until=clock.monotonic() + 100)
    answers: list[Answer] = []
    async for handful in heard(upload):
        assert not isinstance(handful, End)
        answers.extend(handful)
        if len(answers) == 2:
            break
    assert {answer.key: answer.verdict for answer in answers} == {
        "late": Verdict.RETRY,
        "good": Verdict.ACCEPTED,
    }
    assert server.arrived == ["good"]
    await wire.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registrar")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = folder / "ca.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pem, secret


async def test_a_certificate_authority_of_its_own_is_trusted_and_nothing_else(tmp_path: Path) -> None:
    """With `ca_file` the stream runs over TLS; without it the same registrar is refused before a byte is said."""
    pem, secret = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    config = registrar.Config(registries={"reg": registrar.Registry(enrol=True)})
    async with registrar.running(config, tls=context) as endpoint:
        rules: dict[str, Any] = {"name": "reg", "profile": "p", "endpoint": endpoint, "answer_timeout_s": 2}
        stranger = HttpWire(RegistryRules(**rules), SystemClock())
        with pytest.raises(WireFault) as caught:
            await stranger.log_in("P1-01", "secret")
        await stranger.close()
        assert not caught.value.maybe_delivered
        wire = HttpWire(RegistryRules(**rules, ca_file=str(pem)), SystemClock())
        session = await wire.log_in("P1-01", "secret")
        assert isinstance(session, OpenSession)
        upload = wire.open(session)
        await until(upload.room)
        upload.write([Line(0, "k1", b'{"operation":"ADD","national_id":"1"}')])
        async for handful in heard(upload):
            assert not isinstance(handful, End)
            assert [answer.key for answer in handful] == ["k1"]
            break
        await upload.finish()
        await wire.close()
