"""Settings: one frozen value, checked before anything starts; each has a name, a default, a unit and a line of help.

Every setting can come from the environment as PRATUNAM_<NAME>; limits of registries stand in the policy file, never here.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path

from domain.errors import BadSetting

_PREFIX = "PRATUNAM_"
#: names that belong to other programs of ours or to the tests, not to the settings
_NOT_OURS = frozenset({"PRATUNAM_TEST", "PRATUNAM_HYPOTHESIS"})


#: what a number may be where nothing else is said
_ANY = (0, 2**31)
_WORDS = {"log_level": ("debug", "info", "warning", "error"), "log_format": ("text", "json")}
_REDIS = ("redis://", "rediss://", "unix://")


def _told(unit: str, help_text: str, span: tuple[int, int] = _ANY) -> dict[str, object]:
    return {"unit": unit, "help": help_text, "span": span}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one installation."""

    home: Path = field(
        default=Path("~/.local/share/pratunam"),
        metadata=_told("path", "where the state of this machine lives"),
    )
    master_key_file: Path | None = field(
        default=None,
        metadata=_told("path", "the master key, mode 0400, outside the home; made beside it by up and demo"),
    )
    redis_url: str = field(
        default="",
        metadata=_told(
            "url", "a Redis or Valkey of your own (no persistence, noeviction); empty: an embedded one"
        ),
    )
    ledger_url: str = field(
        default="",
        metadata=_told(
            "url",
            "a PostgreSQL database for ledger, spool and keys, without a password; empty: SQLite in the home",
        ),
    )
    ledger_password_file: Path | None = field(
        default=None, metadata=_told("path", "the password of the ledger's database")
    )
    host: str = field(default="127.0.0.1", metadata=_told("address", "where metrics and /healthz listen"))
    port: int = field(default=0, metadata=_told("port", "their port; 0 takes a free one", (0, 65_535)))
    worker_processes: int = field(
        default=1, metadata=_told("processes", "worker processes that `up` starts", (1, 256))
    )
    worker_sessions: int = field(
        default=64, metadata=_told("sessions", "sessions that one worker process runs at once", (1, 10_000))
    )
    check_memory_mb: int = field(
        default=3072, metadata=_told("MB", "address space that the check of one file may take", (1, 2**20))
    )
    check_cpu_s: int = field(
        default=1800, metadata=_told("s", "processor time that the check of one file may take", (1, 10**6))
    )
    submits_at_once: int = field(
        default=4,
        metadata=_told(
            "files", "files that this machine takes in at once; others wait for a place", (1, 256)
        ),
    )
    submit_wait_s: int = field(
        default=60,
        metadata=_told(
            "s", "how long a submission waits for a place before it is told to come back", (0, 86_400)
        ),
    )
    party_open_jobs: int = field(
        default=1000,
        metadata=_told("jobs", "jobs of one party that may be open at once in a registry", (1, 10**6)),
    )
    log_level: str = field(default="info", metadata=_told("level", "debug, info, warning or error"))
    log_format: str = field(default="text", metadata=_told("text|json", "how log lines look"))
    webhook_key_file: Path | None = field(
        default=None, metadata=_told("path", "the key that signs webhook notices")
    )
    smtp_from: str = field(
        default="pratunam@localhost", metadata=_told("address", "the sender of notices by mail")
    )

    @property
    def master_key_path(self) -> Path:
        """Return where the master key lies: as set, else beside the home."""
        return self.master_key_file or self.home.with_name(self.home.name + ".key")

    @property
    def run_folder(self) -> Path:
        """Return the folder of sockets and of the file that says what is running."""
        return self.home / "run"


def read_settings(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read settings from the environment, `home` first; raises BadSetting with a suggestion for a name nobody knows."""
    known = {f"{_PREFIX}{entry.name.upper()}": entry for entry in fields(Settings)}
    values: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith(_PREFIX) or name in _NOT_OURS:
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            raise BadSetting(
                f"There is no setting {name}.",
                message_th=f"ไม่มีค่าตั้งชื่อ {name}",
                remedy_en=f"Did you mean {near[0]}?" if near else "docs/command-line.md lists them.",
                remedy_th=f"หมายถึง {near[0]} หรือไม่" if near else "ดูรายการใน docs/command-line.md",
            )
        values[known[name].name] = _read(name, known[name], text)
    if home is not None:
        values["home"] = home
    return _checked(replace(Settings(), **values))  # type: ignore[arg-type]  # each was read by its field's kind


def _read(name: str, entry: "Field[object]", text: str) -> object:
    default = entry.default
    if isinstance(default, int):
        return _number(name, text, default, entry.metadata["span"])
    if isinstance(default, Path) or entry.name.endswith("_file"):
        return _path(name, text) if text else None if default is None else default
    if entry.name in _WORDS and text not in _WORDS[entry.name]:
        words = ", ".join(_WORDS[entry.name])
        raise _wrong(name, f"is one of {words}", f"ต้องเป็นหนึ่งใน {words}", f"{name}={default}")
    if entry.name == "redis_url" and text and not text.startswith(_REDIS):
        words = ", ".join(_REDIS)
        raise _wrong(name, f"begins with {words}", f"ต้องขึ้นต้นด้วย {words}", f"{name}=redis://127.0.0.1:6379/0")
    return text


def _number(name: str, text: str, default: int, span: tuple[int, int]) -> int:
    if not text.isascii() or not text.isdigit():
        raise _wrong(name, "is a whole number", "ต้องเป็นจำนวนเต็ม", f"{name}={default}")
    least, most = span
    if len(text) > len(str(most)) or not least <= int(text) <= most:
        span_en, span_th = f"from {least} to {most}", f"ตั้งแต่ {least} ถึง {most}"
        raise _wrong(name, f"is a whole number {span_en}", f"ต้องเป็นจำนวนเต็ม {span_th}", f"{name}={default}")
    return int(text)


def _path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # a ~ of nobody
        raise _wrong(name, "is a path that there is", "ต้องเป็นที่อยู่ที่มีอยู่จริง", f"{name}=/srv/pratunam") from None


def _wrong(name: str, rule_en: str, rule_th: str, example: str) -> BadSetting:
    return BadSetting(
        f"{name} {rule_en}.",
        message_th=f"{name} {rule_th}",
        remedy_en=f"For example {example}",
        remedy_th=f"ตัวอย่าง {example}",
    )


def _checked(settings: Settings) -> Settings:
    home = settings.home.expanduser().absolute()
    settings = replace(settings, home=home)
    if home == settings.master_key_path.parent or home in settings.master_key_path.parents:
        raise BadSetting(
            "The master key must lie outside the home, or a copy of the home opens itself.",
            message_th="กุญแจหลักต้องอยู่นอกโฟลเดอร์ระบบ มิฉะนั้นสำเนาของระบบจะเปิดอ่านได้เอง",
            remedy_en="Move it, and set PRATUNAM_MASTER_KEY_FILE.",
            remedy_th="ย้ายแฟ้มกุญแจออก แล้วกำหนด PRATUNAM_MASTER_KEY_FILE",
        )
    return settings
