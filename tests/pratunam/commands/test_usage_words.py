"""What is wrong with a command line is told in both languages with its place, and help fits a narrow terminal."""

from collections.abc import Iterator

import click
import pytest

from pratunam.cli import pratunam
from tests.pratunam.desk import Desk


@pytest.mark.parametrize(
    ("words", "english", "thai"),
    [
        ("submit", "Missing argument 'FILE'", "ขาด FILE"),
        ("hold", "Missing option '--reason'", "ขาด --reason"),
        ("bogus", "No such command 'bogus'", "ไม่มีคำสั่ง bogus"),
        ("job shwo J1", "No such command 'shwo'", "ไม่มีคำสั่ง shwo"),
        ("jobs --nonsense", "No such option '--nonsense'", "ไม่มีตัวเลือก --nonsense"),
        ("jobs --limt 3", "Did you mean '--limit'?", "หมายถึง --limit หรือไม่"),
        ("jobs --limit x", "'x' is not a valid whole number", "ค่าของ --limit ไม่ถูกต้อง ต้องเป็นจำนวนเต็ม ตั้งแต่ 1"),
        ("up --port 99999", "0<=x<=65535", "ค่าของ --port ไม่ถูกต้อง ต้องเป็นจำนวนเต็ม ตั้งแต่ 0 ถึง 65,535"),
        ("policy roll-back x --reason y", "VERSION", "ค่าของ VERSION ไม่ถูกต้อง ต้องเป็นจำนวนเต็ม"),
        (
            "records resolve J1 2 --as maybe --reason y",
            "'maybe' is not one of",
            "ค่าของ --as ไม่ถูกต้อง ต้องเป็นหนึ่งใน accepted, rejected, resend",
        ),
        ("records resolve J1 x --as accepted --reason y", "`x` is no row", "ค่าของ ROW ไม่ถูกต้อง: `x` ไม่ใช่แถว"),
        (
            "policy apply {policy} --reason y --at tomorrow",
            "Invalid value for --at: `tomorrow` is not an instant",
            "ค่าของ --at ไม่ถูกต้อง: `tomorrow` ไม่ใช่วันเวลา",
        ),
        (
            "submit {members} --party P001 --operation ADE",
            "did you mean ADD?",
            "ค่าของ --operation ไม่ถูกต้อง: ไม่มีรายการ `ADE` หมายถึง ADD หรือไม่",
        ),
    ],
)
def test_a_wrong_command_line_is_told_with_its_place(desk: Desk, words: str, english: str, thai: str) -> None:
    """On standard error in both languages, as JSON where that was asked for; exit 2."""
    line = words.format(policy=desk.policy(), members=desk.members(2)).split()
    told = desk.run(*line)
    assert (told.code, told.out) == (2, "")
    assert english in told.err
    assert thai in told.err
    as_json = desk.run(*line, "--json").json
    assert english in as_json["message_en"]
    assert thai in as_json["message_th"]


def test_every_command_s_line_in_a_list_of_commands_is_whole() -> None:
    """No group's help breaks a sentence off, on a terminal of 80 columns; every command says what it does."""
    for command, ctx in _all(pratunam, click.Context(pratunam, info_name="pratunam", terminal_width=80)):
        text = command.get_help(ctx)
        listed = text.partition("Commands:")[2]
        assert "..." not in listed, text
        assert command.help, ctx.command_path


def _all(command: click.Command, ctx: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, ctx
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from _all(found, click.Context(found, parent=ctx, info_name=name, terminal_width=80))
