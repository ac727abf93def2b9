"""Reads what several commands take as an argument: a policy file, an instant, several words after one option."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from click.core import Parameter

from domain.errors import BadPolicy, NotFound
from pratunam.policy.moments import instant


def read_file(file: Path) -> str:
    """Read a policy file's text; raises BadPolicy or NotFound with what to do."""
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", message_th=f"ไม่พบไฟล์ {file}") from None
    except UnicodeDecodeError as error:
        raise BadPolicy(f"{file} is not UTF-8 (byte {error.start}).", remedy_en="Save it as UTF-8.") from None


def read_instant(text: str | None) -> int | None:
    """Read `--at` and `--deadline`; raises BadPolicy's command-line twin."""
    try:
        return instant(text or "")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


class SeveralWords(click.Command):
    """A command whose repeatable options also take several words at once behind the file: `FILE --ignore A B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the option out before each of its words, and go on as ever."""
        return super().parse_args(ctx, list(_spread(args, self.params)))


def _spread(args: Sequence[str], params: Sequence[Parameter]) -> Iterator[str]:
    options = [each for each in params if isinstance(each, click.Option) and not each.is_flag]
    with_word = {name for each in options for name in each.opts}
    with_words = {name for each in options if each.multiple for name in each.opts}
    option, has_file = "", False
    for place, word in enumerate(args):
        if word == "--":
            yield from args[place:]
            return
        if word.startswith("-") and word != "-":
            option = word if word in with_word else ""
            yield word
        elif option:
            # the first word belongs to the option anyway; what follows only where the file has been named
            yield from (word,) if args[place - 1] == option else (option, word)
            option = option if has_file and option in with_words else ""
        else:
            has_file = True
            yield word
