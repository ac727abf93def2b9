"""The registrar as a program: it says when it is ready, and ends cleanly."""

import asyncio
import datetime as dt
import ipaddress
import signal
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registrar import running, serve
from tests.registrar.wire import config


async def test_the_program_says_ready_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    """Standard output carries the one line `ready URL`; port 0 is a free one; SIGTERM is exit code 0."""
    settings = tmp_path / "registrar.toml"
    settings.write_text("[registries.party-members]\nenrol = true\n", encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "registrar", "--port", "0", "--config", str(settings)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert program.stdout is not None
    word, url = (await program.stdout.readline()).decode().split()
    async with aiohttp.ClientSession(url) as http, http.get("/v1/load") as answer:
        assert (word, answer.status) == ("ready", 200)
    program.send_signal(signal.SIGTERM)
    rest, _ = await program.communicate()
    assert (rest, program.returncode) == (b"", 0)


def test_a_configuration_that_cant_be_used_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the place; nothing is served."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[registries.x]\nrat = 5\n", encoding="utf-8")
    assert serve(0, wrong) == 2
    assert "registries.x: unknown name 'rat'" in capsys.readouterr().err


async def test_a_port_in_use_is_exit_code_1() -> None:
    """Another program on the port is said in a sentence, in both languages, with what to do."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "registrar", "--port", str(port)),
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    _, said = await program.communicate()
    server.close()
    assert program.returncode == 1
    english, thai = said.decode().splitlines()
    assert f"127.0.0.1:{port}" in english
    assert "0 takes one" in english
    assert f"เปิดพอร์ต 127.0.0.1:{port} ไม่ได้" in thai


async def test_it_can_be_served_over_tls(tmp_path: Path) -> None:
    """With a certificate the address is https, and a client that trusts its maker gets an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    trust = ssl.create_default_context(cafile=str(tmp_path / "both.pem"))
    async with running(config(), tls=context) as url, aiohttp.ClientSession(url) as http:
        assert url.startswith("https://")
        async with http.get("/v1/load", ssl=trust) as answer:
            assert answer.status == 200


def own_certificate(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registrar")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "both.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
