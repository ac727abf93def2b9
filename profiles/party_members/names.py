"""What a person's name may be made of, in whole columns. Never splits a name and never guesses a title."""

import polars as pl

LONGEST_NAME, LONGEST_TITLE = 100, 30
#: Titles that people leave before a first name; a title counts as one only when a space follows (นายิกา is a name).
TITLES = (
    "นาย", "นาง", "นางสาว", "น.ส.", "นส.", "ด.ช.", "ด.ญ.", "เด็กชาย", "เด็กหญิง", "ดร.", "ผศ.", "รศ.", "ศ.", "คุณ", "คุณหญิง", "ท่านผู้หญิง",
    "ม.ร.ว.", "ม.ล.", "หม่อมราชวงศ์", "หม่อมหลวง", "หม่อม", "พระ", "พลเอก", "พลโท", "พลตรี", "พันเอก", "พันโท", "พันตรี", "ร้อยเอก", "ร้อยโท",
    "ร้อยตรี", "พล.อ.", "พล.ท.", "พล.ต.", "พ.อ.", "พ.ท.", "พ.ต.", "ร.อ.", "ร.ท.", "ร.ต.", "จ.ส.อ.", "ส.อ.", "พ.ต.อ.", "พ.ต.ท.", "พ.ต.ต.",
    "ร.ต.อ.", "ร.ต.ท.", "ร.ต.ต.", "พล.ต.อ.", "พล.ต.ท.", "พล.ต.ต.", "ด.ต.", "ส.ต.อ.", "ว่าที่ ร.ต.", "ว่าที่ร้อยตรี", "นายแพทย์", "แพทย์หญิง",
)  # fmt: skip
_THAI = "ก-ฮฤฦฯะ-ฺเ-๎"
_NAME = rf"^[ก-ฮฤฦเ-ไ][{_THAI} .\-]*$"
_TITLE = rf"^[ก-ฮฤฦเ-ไ][{_THAI} .()\-]*$"
_TITLE_FIRST = "^(?:" + "|".join(t.replace(".", r"\.") for t in TITLES) + ") "


def bad_name(text: pl.Expr) -> pl.Expr:
    """Say where a name is over 100 characters or has something besides Thai letters, spaces, dots and dashes."""
    return ~text.str.contains(_NAME) | (text.str.len_chars() > LONGEST_NAME)


def has_title(text: pl.Expr) -> pl.Expr:
    """Say where a first name begins with a title and a space."""
    return text.str.contains(_TITLE_FIRST)


def bad_title(text: pl.Expr) -> pl.Expr:
    """Say where a title is over 30 characters or is not words in Thai."""
    return ~text.str.contains(_TITLE) | (text.str.len_chars() > LONGEST_TITLE)
