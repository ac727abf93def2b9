"""Who plays in the demo: parties of uneven size, their accounts, the formats of their files. Made up, all of it."""

from dataclasses import dataclass

REGISTRY = "party-members"
#: records a second: of one account, and of the whole registry; bursts are worth less than half a second
ACCOUNT_RATE, ACCOUNT_BURST = 80, 25
REGISTRY_RATE, REGISTRY_BURST = 1800, 500
SESSIONS = 60
#: share of rows with a fault, spread over at least twelve kinds
BAD_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Player:
    """One party of the demo: accounts granted (base + added), rows of its file, and how the file is written."""

    party: str
    name: str
    name_en: str
    base: int
    added: int
    rows: int
    encoding: str
    delimiter: str
    intermission: bool = False

    @property
    def suffix(self) -> str:
        """Return the file's ending."""
        return "xlsx" if self.encoding == "xlsx" else "csv"

    def account(self, number: int) -> str:
        """Return the id of an account, numbered from 1: base ones first."""
        return f"{self.party}-{number:02d}"


PLAYERS = (
    Player("P001", "พรรคสายน้ำ", "River Party", 3, 6, 25_000, "utf-8", ","),
    Player("P002", "พรรคร่มไม้", "Shade Tree Party", 2, 2, 7_000, "utf-8-sig", ","),
    Player("P003", "พรรคทุ่งรวงทอง", "Golden Field Party", 2, 1, 5_500, "cp874", ","),
    Player("P004", "พรรคประภาคาร", "Lighthouse Party", 2, 1, 5_000, "utf-16", "\t"),
    Player("P005", "พรรคสะพานใหม่", "New Bridge Party", 2, 1, 4_500, "xlsx", ""),
    Player("P006", "พรรคตะวันฉาย", "Sunbeam Party", 2, 0, 3_500, "utf-8", ";"),
    Player("P007", "พรรคขุนเขา", "Mountain Party", 2, 0, 3_000, "utf-8", "\t", intermission=True),
    Player("P008", "พรรคเรือนไทย", "Thai House Party", 1, 1, 2_800, "xlsx", ""),
    Player("P009", "พรรคดาวเหนือ", "North Star Party", 1, 1, 2_500, "cp874", ";"),
    Player("P010", "พรรคลมทะเล", "Sea Breeze Party", 1, 0, 1_500, "utf-8-sig", ";"),
    Player("P011", "พรรคเมล็ดพันธุ์", "Seed Party", 1, 0, 1_200, "utf-16", ","),
    Player("P012", "พรรคหิ่งห้อย", "Firefly Party", 1, 0, 800, "xlsx", ""),
    Player("P013", "พรรคสวนครัว", "Kitchen Garden Party", 1, 0, 400, "utf-8", ","),
    Player("P014", "พรรคก้าวแรก", "First Step Party", 1, 0, 100, "utf-8-sig", ","),
)
