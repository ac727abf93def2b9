"""Workbooks as LibreOffice Calc 7.4 writes them, part by part: taken from what it made of a corrected `rejected` file.

Unlike those of other writers: every attribute is spelt out (`hidden="false"`), shared strings keep their space, number formats are
its own from 164 on, parts are streamed (sizes follow the data), and the content types come last.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

Cell = str | int | dt.date
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats"
_XF = '<xf numFmtId="{}" fontId="0" fillId="0" borderId="0" xfId="0" applyFont="false" applyAlignment="false" applyProtection="false"/>'
_FORMATS = ("General", "mm/dd/yy", "@")
_GENERAL, _DATE, _TEXT = range(3)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="3">'
    + "".join(f'<numFmt numFmtId="{164 + at}" formatCode="{code}"/>' for at, code in enumerate(_FORMATS))
    + '</numFmts><fonts count="1"><font><sz val="10"/><name val="DejaVu Sans"/><family val="2"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border diagonalUp="false" diagonalDown="false"><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1">{_XF.format(164)}</cellStyleXfs><cellXfs count="3">'
    + "".join(_XF.format(164 + at) for at in range(3))
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class _Stream(io.BytesIO):
    """Takes bytes and cannot go back, so that sizes are written behind the data, as Calc does."""

    def tell(self) -> int:
        """Say that there is no place to go back to."""
        raise OSError


def as_calc(name: str, rows: Sequence[Sequence[Cell]], *, as_text: bool) -> bytes:
    """Return one sheet as Calc writes it; `as_text`: its columns were formatted as text, as those of our own workbooks are."""
    strings: dict[str, int] = {}
    lines = "".join(_row(at, row, strings, _TEXT if as_text else _GENERAL) for at, row in enumerate(rows, 1))
    widest = max(map(len, rows))
    sheet = (
        f'{_XML}<worksheet xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheetPr filterMode="false"/>'
        f'<dimension ref="A1:{_letters(widest)}{len(rows)}"/><sheetViews><sheetView showFormulas="false" tabSelected="true" '
        'view="normal" topLeftCell="A1" workbookViewId="0"><selection pane="topLeft" activeCell="A1" sqref="A1"/></sheetView>'
        '</sheetViews><sheetFormatPr defaultColWidth="8.53" defaultRowHeight="15" zeroHeight="false" outlineLevelRow="0">'
        '</sheetFormatPr><cols><col collapsed="false" customWidth="true" hidden="false" outlineLevel="0" '
        f'max="{widest}" min="1" style="{_TEXT if as_text else _GENERAL}" width="9.14"/></cols><sheetData>{lines}</sheetData>'
        '<pageMargins left="0.7875" right="0.7875" top="1.05" bottom="1.05" header="0.7875" footer="0.7875"/>'
        '<headerFooter differentFirst="false"><oddHeader>&amp;C&amp;12&amp;A</oddHeader></headerFooter></worksheet>'
    )
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    shared = f'{_XML}<sst xmlns="{_MAIN}" count="{len(strings)}" uniqueCount="{len(strings)}">{texts}</sst>'
    book = (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><fileVersion appName="Calc"/>'
        '<workbookPr backupFile="false" showObjects="all" date1904="false"/><workbookProtection/><bookViews>'
        '<workbookView showHorizontalScroll="true" firstSheet="0" activeTab="0"/></bookViews><sheets>'
        f'<sheet name="{escape(name)}" sheetId="1" state="visible" r:id="rId2"/></sheets>'
        '<calcPr iterateCount="100" refMode="A1" iterate="false" iterateDelta="0.0001"/></workbook>'
    )
    return _packed(sheet, shared, book)


def _row(at: int, cells: Sequence[Cell], strings: dict[str, int], style: int) -> str:
    written = "".join(
        _cell(f"{_letters(column)}{at}", cell, strings, style)
        for column, cell in enumerate(cells, 1)
        if cell != ""
    )
    return (
        f'<row r="{at}" customFormat="false" ht="15" hidden="false" customHeight="false" outlineLevel="0" collapsed="false">'
        f"{written}</row>"
    )


def _cell(place: str, cell: Cell, strings: dict[str, int], style: int) -> str:
    if isinstance(cell, str):
        return f'<c r="{place}" s="{style}" t="s"><v>{strings.setdefault(cell, len(strings))}</v></c>'
    if isinstance(cell, dt.date):
        return f'<c r="{place}" s="{_DATE}" t="n"><v>{(cell - dt.date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{place}" s="{_GENERAL}" t="n"><v>{cell}</v></c>'


def _letters(column: int) -> str:
    return (chr(64 + (column - 1) // 26) if column > 26 else "") + chr(65 + (column - 1) % 26)


def _packed(sheet: str, shared: str, book: str) -> bytes:
    def related(*targets: tuple[str, str]) -> str:
        listed = "".join(
            f'<Relationship Id="rId{at}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
            for at, (kind, target) in enumerate(targets, 1)
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="{_PACKAGE}/relationships">{listed}\n</Relationships>'

    kinds = {
        "workbook": "sheet.main",
        "styles": "styles",
        "worksheets/sheet1": "worksheet",
        "sharedStrings": "sharedStrings",
    }
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{_TYPES}-officedocument.spreadsheetml.{kind}+xml"/>'
        for part, kind in kinds.items()
    )
    parts = {
        "_rels/.rels": related(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book,
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": sheet,
        "xl/_rels/workbook.xml.rels": related(
            ("styles", "styles.xml"),
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "sharedStrings.xml"),
        ),
        "xl/sharedStrings.xml": shared,
        "[Content_Types].xml": f'<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="{_TYPES}-package.relationships+xml"/>{overrides}\n</Types>',
    }
    out = _Stream()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, text in parts.items():
            packed.writestr(path, text)
    return out.getvalue()
