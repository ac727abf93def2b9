"""An XLSX as a package, looked at before anything big reads it: sizes as they really are, what is inside, which sheets it has.

Everything stays in memory under a cap; entries are never written out, and sizes that the archive claims are not believed.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from domain.errors import BadFile
from intake.faults import SAVE_AS_EN, SAVE_AS_TH, bad_file, named
from intake.inflate import READ_BYTES, inflate
from intake.measure import Measured, ahead, bomb, entities
from intake.sheet_scan import Scan, scan_sheet, scanned

MOST_ENTRIES = 200
#: bytes of the package, and of all entries together once unpacked
MOST_PACKED = 64 << 20
MOST_UNPACKED = 768 << 20
#: where programs keep worksheets
SHEETS = "xl/worksheets/"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REL_ID = re.compile(r"\{[^}]*relationships\}id")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet: its name, where it lies in the package, and whether people see it."""

    name: str
    path: str
    visible: bool


def _is_sheet(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.startswith(SHEETS) and entry.filename.endswith(".xml")


ReadEarly = Callable[["Workbook", Sheet, Iterator[bytes], Scan], None]


class Workbook:
    """A package whose entries have all been counted and measured; raises BadFile for what cannot be taken."""

    def __init__(self, data: bytes, read_early: ReadEarly | None = None) -> None:
        """Check the package as a whole; `read_early` is handed the only visible sheet block by block while it is scanned."""
        self.data = data
        self._read_early = read_early
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
            raise _damaged() from None
        entries = self._zip.infolist()
        if len(entries) > MOST_ENTRIES:
            raise bomb(f"{len(entries):,} parts", f" {len(entries):,} ส่วน")
        self._check_layout(entries)
        self.names = frozenset(entry.filename for entry in entries)
        self._check_kind()
        self._scans: dict[str, Scan | BadFile] = {}
        self.sheets: tuple[Sheet, ...] = ()
        self.counts_from_1904 = False
        left = MOST_UNPACKED
        # what a sheet refers to has been measured before the sheet is
        for entry in sorted(entries, key=_is_sheet):
            if _is_sheet(entry) and not self.sheets:
                self.sheets = self._sheets()
            left -= self._measure(entry, left)
        self.sheets = self.sheets or self._sheets()
        self.links = any(name.startswith("xl/externalLinks/") for name in self.names)

    def scan(self, path: str) -> Scan:
        """Return what a scan of a sheet finds; raises BadFile when it is beyond the limits of rows and columns."""
        if path not in self._scans:
            self._scans[path] = scan_sheet(self.stream(path))
        found = self._scans.pop(path)
        if isinstance(found, Scan):
            return found
        try:
            raise found
        finally:
            del found  # else it and this frame would hold each other, and all that is open, for a while

    def whole(self, path: str) -> bytes:
        """Return an entry's bytes."""
        return b"".join(self.stream(path))

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield an entry's bytes piece by piece."""
        try:
            with self._zip.open(path) as held:
                entry = self._zip.getinfo(path)
                if entry.compress_type == zipfile.ZIP_DEFLATED:
                    yield from inflate(self.data, entry)
                    return
                while piece := held.read(READ_BYTES):
                    yield piece
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ):
            raise _damaged() from None

    def _check_layout(self, entries: list[zipfile.ZipInfo]) -> None:
        end = 0
        for entry in sorted(entries, key=lambda one: one.header_offset):
            if entry.flag_bits & 1:
                raise _protected()
            if entry.header_offset < end:
                raise bomb("parts that overlap", "ส่วนที่ซ้อนทับกัน")
            end = entry.header_offset + entry.compress_size

    def _check_kind(self) -> None:
        types = self._read("[Content_Types].xml", 1 << 20) if "[Content_Types].xml" in self.names else b""
        if "xl/vbaProject.bin" in self.names or b"macroEnabled" in types:
            raise bad_file(
                "This workbook holds macros (.xlsm).",
                "สมุดงานนี้มีมาโคร (.xlsm)",
                "Save it as an Excel workbook without macros (.xlsx), or as CSV UTF-8, and submit that.",
                "บันทึกเป็นสมุดงาน Excel ที่ไม่มีมาโคร (.xlsx) หรือ CSV UTF-8 แล้วส่งไฟล์นั้น",
            )
        if "xl/workbook.xml" not in self.names and self.names & {"content.xml", "xl/workbook.bin"}:
            raise bad_file(
                "This is a sheet in another format (OpenDocument .ods or binary .xlsb), not CSV or XLSX.",
                "ไฟล์นี้เป็นแผ่นงานรูปแบบอื่น (OpenDocument .ods หรือ .xlsb) ไม่ใช่ CSV หรือ XLSX",
                SAVE_AS_EN,
                SAVE_AS_TH,
            )
        if "xl/workbook.xml" not in self.names:
            raise bad_file(
                "This is a compressed file, but no Excel workbook (.xlsx).",
                "ไฟล์นี้เป็นไฟล์บีบอัด แต่ไม่ใช่สมุดงาน Excel (.xlsx)",
                "Unpack it and submit the CSV or XLSX inside. " + SAVE_AS_EN,
                "แตกไฟล์แล้วส่ง CSV หรือ XLSX ที่อยู่ข้างใน " + SAVE_AS_TH,
            )

    def _measure(self, entry: zipfile.ZipInfo, left: int) -> int:
        """Unpack an entry to nowhere; return its true size. A sheet is scanned on the way: it is large, and unpacked only once."""
        measured = Measured(entry, ahead(self.stream(entry.filename)), left)
        if _is_sheet(entry):
            try:
                self._scans[entry.filename] = self._look_through(entry.filename, measured.pieces)
            except BadFile as fault:
                if measured.is_refused:
                    raise
                # the package as a whole has the first word
                self._scans[entry.filename] = fault.with_traceback(None)
        for _ in measured.pieces:
            pass
        return measured.size

    def _look_through(self, path: str, pieces: Iterator[bytes]) -> Scan:
        scan = Scan()
        blocks = scanned(pieces, scan)
        visible = [sheet for sheet in self.sheets if sheet.visible]
        if self._read_early and len(visible) == 1 and visible[0].path == path:
            self._read_early(self, visible[0], blocks, scan)
        for _ in blocks:
            pass
        return scan

    def _read(self, path: str, most: int) -> bytes:
        out = b""
        for piece in self.stream(path):
            out += piece
            if len(out) > most:
                raise bomb("an index of sheets that is far too long", "รายการแผ่นงานที่ยาวผิดปกติ")
        return out

    def _sheets(self) -> tuple[Sheet, ...]:
        book = _xml(self._read("xl/workbook.xml", 4 << 20))
        rels: Iterable[Element] = (
            _xml(self._read("xl/_rels/workbook.xml.rels", 4 << 20))
            if "xl/_rels/workbook.xml.rels" in self.names
            else []
        )
        targets = {
            one.get("Id", ""): posixpath.normpath(posixpath.join("xl", one.get("Target", ""))).lstrip("/")
            for one in rels
            if one.get("Type", "").endswith("/worksheet")
        }
        found = []
        for namespace in (_MAIN, _STRICT):
            for one in book.iter(f"{namespace}workbookPr"):
                self.counts_from_1904 |= one.get("date1904", "") in {"1", "true"}
            for one in book.iter(f"{namespace}sheet"):
                key = next((value for name, value in one.attrib.items() if _REL_ID.fullmatch(name)), "")
                if targets.get(key) in self.names:
                    found.append(
                        Sheet(one.get("name", ""), targets[key], one.get("state", "visible") == "visible")
                    )
        if not found:
            raise _damaged()
        return tuple(found)


def choose_sheets(
    sheets: tuple[Sheet, ...], filled: tuple[Sheet, ...], wanted: str | None
) -> tuple[Sheet, ...]:
    """Return the sheets to read: the one that is named, all visible ones, or the only one; `filled` are visible and not empty."""
    names = [sheet.name for sheet in filled]
    if wanted == "all":
        return filled
    if wanted is not None:
        hit = [sheet for sheet in sheets if sheet.name.strip().casefold() == wanted.strip().casefold()]
        if not hit:
            raise bad_file(
                f"There is no sheet of that name; there are: {named(names)}.",
                f"ไม่มีแผ่นงานชื่อนั้น มีแผ่นงาน: {named(names)}",
                "Say --sheet with one of these names, or --sheet all.",
                "ระบุ --sheet ด้วยชื่อใดชื่อหนึ่ง หรือ --sheet all",
            )
        if not hit[0].visible:
            raise bad_file(
                "That sheet is hidden.",
                "แผ่นงานนั้นถูกซ่อนไว้",
                "Unhide it and save the file.",
                "ยกเลิกการซ่อนแล้วบันทึกไฟล์",
            )
        return tuple(hit[:1])
    if len(filled) > 1:
        raise bad_file(
            f"The workbook has several sheets: {named(names)}.",
            f"สมุดงานมีหลายแผ่นงาน: {named(names)}",
            "Say --sheet NAME for one of them, or --sheet all.",
            "ระบุ --sheet ชื่อแผ่นงาน หรือ --sheet all",
        )
    return filled


def _xml(data: bytes) -> Element:
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise entities() from None
    except ParseError:
        raise _damaged() from None
    return root


def _damaged() -> BadFile:
    return bad_file(
        "The workbook is damaged or was not copied whole.",
        "สมุดงานเสียหายหรือคัดลอกมาไม่ครบ",
        "Open it in the spreadsheet program, save it again, and submit that file.",
        "เปิดในโปรแกรมตาราง บันทึกใหม่ แล้วส่งไฟล์นั้น",
    )


def _protected() -> BadFile:
    return bad_file("The workbook is protected by a password.", "สมุดงานตั้งรหัสผ่านไว้", SAVE_AS_EN, SAVE_AS_TH)
