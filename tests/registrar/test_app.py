"""The registrar as a program: it says when it is ready, and ends cleanly."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from registrar import serve


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
    """Another program on the port is said in a sentence."""
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
    assert str(port).encode() in said
