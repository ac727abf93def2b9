"""`pratunam up`, `scheduler`, `worker`, `registrar`, `demo`: what runs for long."""

import asyncio
from pathlib import Path

import click

from domain.errors import Refused
from pratunam.commands.arguments import PORT
from pratunam.commands.endings import FAILED
from pratunam.commands.frame import Frame, framed


@click.command("up")
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path),
    default=None,
    help="For a home that has no policy yet.",
)
@click.option("--port", type=PORT, default=None, help="Port of metrics and /healthz (default: a free one).")
@framed
def up(frame: Frame, file: Path | None, port: int | None) -> None:
    """Run everything on this machine. Prints `ready URL`; ends on SIGTERM or Ctrl-C."""
    from dataclasses import replace

    from pratunam.commands.policies import sound_text
    from pratunam.up import run_up

    settings = frame.settings if port is None else replace(frame.settings, port=port)
    first_policy = None if file is None else sound_text(frame, file)
    asyncio.run(run_up(settings, first_policy, lambda url: click.echo(f"ready {url}")))


@click.command("scheduler")
@click.option("--name", default="scheduler", help="Its name in logs and metrics.")
@framed
def scheduler(frame: Frame, name: str) -> None:
    """Run one scheduler; several may run, one acts."""
    from pratunam.scheduler_process import run_scheduler

    asyncio.run(run_scheduler(frame.settings, name))


@click.command("worker")
@click.option("--name", default="worker", help="Its name in logs and metrics.")
@framed
def worker(frame: Frame, name: str) -> None:
    """Run one worker process."""
    from pratunam.worker_process import run_worker

    asyncio.run(run_worker(frame.settings, name))


@click.command("registrar")
@click.option("--port", type=PORT, required=True, help="0 takes a free one.")
@click.option("--config", "file", type=click.Path(path_type=Path), default=None, help="Its rules, TOML.")
@framed
def registrar(frame: Frame, port: int, file: Path | None) -> int:  # noqa: ARG001 -- it has no home, as every command it may be given one
    """Run the reference central system; GET /report is what it saw."""
    from registrar.app import serve
    from registrar.config import ConfigError, load_config

    if file is not None:
        try:
            load_config(file)
        except ConfigError as error:
            raise Refused(
                f"The registrar's rules cannot be used: {error}.",
                message_th=f"ใช้กฎของนายทะเบียนจำลองไม่ได้: {file}",
                remedy_en="registrar/README.md tells what may stand in the file.",
                remedy_th="ดูรูปแบบแฟ้มใน registrar/README.md",
            ) from None
    return serve(port, file)


@click.command("demo")
@click.option("--exit", "leave", is_flag=True, help="End when the story is told, also on a terminal.")
@framed
def demo(frame: Frame, leave: bool) -> int | None:
    """Tell the whole story on sample parties. The reference registrar judges it."""
    from pratunam.demo.story import run_demo

    passed = asyncio.run(run_demo(leave=leave or not frame.is_terminal))
    return None if passed else FAILED
