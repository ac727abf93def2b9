"""What a value of the policy file must be, and what stands there instead, in English and in Thai; taken from the schema's own types.

A value itself is never repeated: it may be a secret.
"""

from typing import Literal, get_args, get_origin

import msgspec
from msgspec import inspect

#: what stands there, by its Python type
_STANDS: dict[type, tuple[str, str]] = {
    bool: ("true or false", "true หรือ false"),
    int: ("a number", "ตัวเลข"),
    float: ("a number", "ตัวเลข"),
    str: ("text in quotes", "ข้อความในเครื่องหมายคำพูด"),
    list: ("a list", "รายการ"),
    dict: ("a table", "ตาราง"),
}
_NUMBERS = (int, float)


def wrong_value(value: object, kind: object) -> tuple[str, str] | None:
    """Return what is wrong with a value for a place of this type; None when it may stand there."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return must_be(value, kind)
    return None


def missing(name: str) -> tuple[str, str]:
    """Return the words for a name that a table must have."""
    return f"`{name}` is missing here: write {name} = …", f"ขาด `{name}` โปรดเขียน {name} = …"


def must_be(value: object, given: object) -> tuple[str, str]:
    """Return the words for a value that may not stand in a place of this type."""
    kind = _not_none(inspect.type_info(given))
    must_en, must_th = _one_of(get_args(given)) if get_origin(given) is Literal else _described(kind)
    stands = _STANDS.get(type(value))
    if isinstance(kind, inspect.LiteralType) and isinstance(value, str):
        stands = None  # text it is, only another
    elif isinstance(kind, inspect.IntType | inspect.FloatType) and type(value) in _NUMBERS:
        stands = (f"{value:,}", f"{value:,}")
    elif isinstance(kind, inspect.ListType) and isinstance(value, list):
        stands = ("something else among them", "ค่าชนิดอื่นปนอยู่")
    if stands is None:
        return f"must be {must_en}", f"ต้องเป็น{must_th}"
    return f"must be {must_en}; here stands {stands[0]}", f"ต้องเป็น{must_th} แต่ที่นี่เป็น {stands[1]}"


def _not_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind


def _one_of(words: tuple[str, ...]) -> tuple[str, str]:
    listed = ", ".join(words)
    return f"one of {listed}", f"หนึ่งใน {listed}"


def _described(kind: inspect.Type) -> tuple[str, str]:
    match kind:
        case inspect.IntType():
            english, thai = _range(kind)
            return f"a whole number{english}, without quotes", f"จำนวนเต็ม{thai} โดยไม่ใส่เครื่องหมายคำพูด"
        case inspect.FloatType():
            english, thai = _range(kind)
            return f"a number{english}, without quotes", f"ตัวเลข{thai} โดยไม่ใส่เครื่องหมายคำพูด"
        case inspect.BoolType():
            return "true or false, without quotes", " true หรือ false โดยไม่ใส่เครื่องหมายคำพูด"
        case inspect.StrType():
            return "text in double quotes", "ข้อความในเครื่องหมายคำพูดคู่"
        case inspect.ListType(item_type=inspect.StrType()):
            return 'a list of texts: ["…", "…"]', 'รายการข้อความ: ["…", "…"]'
        case inspect.ListType():
            return (
                "tables of their own, each under a name in double brackets: [[…]]",
                "ตารางที่ขึ้นต้นด้วยชื่อในวงเล็บเหลี่ยมสองชั้น [[…]]",
            )
        case _:
            return "a table, under a name in brackets: […]", "ตารางที่ขึ้นต้นด้วยชื่อในวงเล็บเหลี่ยม […]"


def _range(kind: inspect.IntType | inspect.FloatType) -> tuple[str, str]:
    english, thai = [], []
    if kind.ge is not None:
        english, thai = [f"from {kind.ge:,}"], [f"ตั้งแต่ {kind.ge:,}"]
    elif kind.gt is not None:
        english, thai = [f"above {kind.gt:,}"], [f"มากกว่า {kind.gt:,}"]
    if kind.le is not None:
        english.append(f"to {kind.le:,}")
        thai.append(f"ถึง {kind.le:,}")
    return "".join(f" {word}" for word in english), "".join(f" {word}" for word in thai)
