"""The command line: `pratunam COMMAND`. Each command's module is loaded when it is asked for, so that `submit` starts fast."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from pratunam import __version__
from pratunam.commands.endings import open_streams, run_to_end

_COMMANDS = {
    "up": "processes:up",
    "worker": "processes:worker",
    "scheduler": "processes:scheduler",
    "registrar": "processes:registrar",
    "migrate": "migrating:migrate",
    "demo": "processes:demo",
    "policy": "policies:policy_group",
    "check": "submitting:check",
    "submit": "submitting:submit",
    "jobs": "jobs:jobs",
    "job": "jobs:job_group",
    "records": "records:records_group",
    "hold": "stopping:hold",
    "release": "stopping:release",
    "account": "accounts:account_group",
    "notices": "telling:notices",
    "audit": "telling:audit",
    "status": "state:status",
    "doctor": "upkeep:doctor",
    "backup": "upkeep:backup",
    "keys": "keys:keys_group",
}


class _Lazy(click.Group):
    """A group that knows its commands' names and loads the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click calls it so
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(f"pratunam.commands.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a misspelt one is told with the nearest name, though none of them is loaded."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=list(_COMMANDS), ctx=ctx) from None

    def main(self, args: Sequence[str] | None = None, **options: Any) -> NoReturn:  # type: ignore[override]  # it always exits
        """Read the command line and run it; what is wrong with it is told as every other error is, also as JSON."""
        words = sys.argv[1:] if args is None else list(args)

        def body() -> int | None:
            code: int | None = super(_Lazy, self).main(words, **options | {"standalone_mode": False})
            return code

        sys.exit(run_to_end(body, as_json="--json" in words))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def pratunam() -> None:
    """The gate between parties' files and a registrar's central system."""


def main() -> None:
    """Run the command line; the exit code is the command's."""
    open_streams()
    pratunam(prog_name="pratunam", args=sys.argv[1:])


if __name__ == "__main__":
    main()
