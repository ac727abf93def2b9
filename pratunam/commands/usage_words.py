"""What is wrong with a command line, for Thai readers: the place by its name, and what may stand there."""

import math
from typing import Any

import click
from click.core import Parameter


class WrongWord(click.BadParameter):
    """A word of the command line that we refuse ourselves, with our own words in both languages."""

    def __init__(self, message_en: str, message_th: str, *, param_hint: str | None = None) -> None:
        """Say what was expected, and at which place."""
        super().__init__(message_en, param_hint=param_hint)
        self.message_th = message_th


class WholeNumber(click.IntRange):
    """A whole number within bounds, named so in messages."""

    name = "whole number"


class PerCent(click.FloatRange):
    """A share of a hundred; `nan` lies within no bounds."""

    name = "number"

    def convert(self, value: Any, param: Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fails for what is none."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


def usage_th(error: click.UsageError) -> str:
    """Return the words for one error; the English ones stand beside them."""
    match error:
        case click.MissingParameter():
            return f"ขาด {_place(error)}"
        case click.NoSuchOption():
            return f"ไม่มีตัวเลือก {error.option_name}" + _near(error.possibilities)
        case click.NoSuchCommand():
            return f"ไม่มีคำสั่ง {error.command_name}" + _near(error.possibilities)
        case WrongWord():
            return f"ค่าของ {_place(error)} ไม่ถูกต้อง: {error.message_th}"
        case click.BadParameter():
            return f"ค่าของ {_place(error)} ไม่ถูกต้อง" + _expected(error.param.type if error.param else None)
    return "คำสั่งไม่ถูกต้อง"


def _place(error: click.BadParameter) -> str:
    hint = error.param_hint
    if isinstance(hint, str):
        return hint.strip("'")
    if hint:
        return " / ".join(hint)
    if isinstance(error.param, click.Option):
        return error.param.opts[0]
    return error.param.human_readable_name if error.param else "คำสั่ง"


def _near(names: object) -> str:
    listed = ", ".join(map(str, names)) if isinstance(names, list | tuple) else ""
    return f" หมายถึง {listed} หรือไม่" if listed else ""


def _expected(kind: object) -> str:
    if isinstance(kind, click.Choice):
        return f" ต้องเป็นหนึ่งใน {', '.join(map(str, kind.choices))}"
    if isinstance(kind, click.IntRange):
        least = f" ตั้งแต่ {kind.min:,}" if kind.min is not None else ""
        most = f" ถึง {kind.max:,}" if kind.max is not None else ""
        return f" ต้องเป็นจำนวนเต็ม{least}{most}"
    if isinstance(kind, PerCent):
        return f" ต้องเป็นตัวเลข ตั้งแต่ {kind.min:g} ถึง {kind.max:g}"
    return " ต้องเป็นตัวเลข" if isinstance(kind, click.types.FloatParamType) else ""
