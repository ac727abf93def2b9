"""Lines become sealed slices with their keys, and faults sealed batches; the only place where a record gets its idempotency key."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.jobs import InvalidDraft, SliceDraft
from intake.frames import FoundRow, Lines
from ledger.boxes import Fault, FaultBox, RowFaults, SliceKeys, seal_faults, seal_lines
from ledger.sealing import Sealer

#: letters of base64url that a slice's HMAC gives its keys: 132 bits
KEY_LETTERS = 22


@dataclass(frozen=True, slots=True)
class Seal:
    """What one job's slices are sealed with; `attempt` names the sealing, so that no two ever share a key."""

    sealer: Sealer
    registry_key: bytes
    party: str
    job: str
    digest: str
    attempt: str
    #: a key may have two effects: records that are joined are asked about before they are sent
    asks_first: bool = False

    def key_stem(self, seq: int) -> str:
        """Return what the keys of one slice have in common (party-members.md, Keys and order)."""
        words = f"{self.party}|{self.digest}|{seq}|{self.attempt}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self.registry_key, words, "sha256"))[
            :KEY_LETTERS
        ].decode()

    def slices(
        self,
        first_seq: int,
        batch: Sequence[Lines],
        joined: Mapping[tuple[int, int], str],
        names: Sequence[str],
    ) -> list[SliceDraft]:
        """Seal slices from `first_seq` on; `joined` gives the keys of joined records, `names` the ids of other jobs' slices."""
        return [self._slice(first_seq + at, lines, joined, names) for at, lines in enumerate(batch)]

    def faults(self, seq: int, rows: Sequence[FoundRow]) -> InvalidDraft:
        """Seal one batch of invalid rows."""
        box = FaultBox(
            tuple(
                RowFaults(
                    row.position,
                    row.row,
                    row.sheet,
                    tuple(Fault(one.code, one.field, one.message_en, one.message_th) for one in row.faults),
                )
                for row in rows
            )
        )
        # a row counts once, however often something is told of it
        fresh = sum(not row.again for row in rows)
        return InvalidDraft(seq, fresh, seal_faults(box, self.sealer, self.party, self.job, seq))

    def _slice(
        self, seq: int, lines: Lines, joined: Mapping[tuple[int, int], str], names: Sequence[str]
    ) -> SliceDraft:
        # nobody gets a second key before the first is settled
        others = {join.at: joined[join.number, join.line] for join in lines.joins}
        keys = SliceKeys(self.key_stem(seq), others)
        return SliceDraft(
            seq=seq,
            lines=lines.count,
            box=seal_lines(keys, lines.packed, lines.after, self.sealer, (self.party, self.job, seq)),
            index=lines.index,
            waits_for=tuple(names[number] for number in lines.waits),
            joined=tuple(join.at for join in lines.joins) if self.asks_first else (),
        )
