"""`python -m registrar --port N [--config FILE.toml] [--host H]`."""

import argparse
import sys

from registrar.app import serve


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="registrar", description="The reference central system.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--config", help="TOML file; without it, whoever comes is enrolled")
    parser.add_argument("--host", default="127.0.0.1")
    return parser


def main() -> int:
    """Read the command line and serve."""
    wish = command_line().parse_args()
    return serve(wish.port, wish.config, wish.host)


if __name__ == "__main__":
    sys.exit(main())
