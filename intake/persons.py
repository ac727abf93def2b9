"""Who stands in a table: blind hashes in files of their own, so that neither memory nor disk ever learns a person from them.

Finds the same person twice, the same member number for two persons, and persons whose record in another job is not settled.
Works partition by partition; memory does not follow the number of rows.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from intake.faults import quoted
from intake.frames import Others, TableChunk
from intake.marks import Marks
from intake.rows import POSITION
from intake.spill import Spill
from intake.tail import TAIL, Tail
from ledger.boxes import CONTENT_BYTES, INDEX_BYTES, PERSON_BYTES

#: rows of one partition, about
PARTITION_ROWS = 200_000
#: most rows that a message names
NAMED_ROWS = 5
#: a person's number that stands in one block of AES as it is
_ONE_BLOCK = rf"^[ -~]{{0,{PERSON_BYTES - 1}}}$"
_SETTLED = frozenset(b"arx")
#: what is read of a partition to tell its faults, and to find who waits
_TOLD = ["hi", "lo", "operation", POSITION, "row", "sheet", "good"]
_SENT = ["hi", "lo", "content", POSITION, "good"]
#: a sheet by its number, between signs that no name holds
_SHEET = "\x1e{}\x1f"


class Persons:
    """The persons of one table. `left` counts the rows that are still to be sent."""

    def __init__(
        self, scratch: Path, blind_key: bytes, registry: str, party: str, rows: int = PARTITION_ROWS
    ) -> None:
        """Keep hashes under `scratch`; `rows` is how many rows the table has."""
        self.left = 0
        self._key = blind_key
        # a key of its own for each registry and party
        self._person = blake2b(
            f"{registry}|{party}|".encode(), digest_size=32, key=blind_key, person=b"person"
        ).digest()
        self._parts = 1 + rows // PARTITION_ROWS
        self._spill = Spill(scratch)
        self._index = scratch / "index"
        self._index_read = 0
        self._sheets: list[str] = []
        self._apart = Marks(rows)
        self._others = 0
        # never leaves this process: it only tells equal numbers from others
        self._seed = int.from_bytes(os.urandom(8))

    def add(self, good: pl.DataFrame, bodies: list[bytes], chunk: TableChunk, rows: pl.Series) -> None:
        """Take the good rows of one chunk with their bodies (`rows`: the row numbers of all its rows)."""
        persons = self._persons(good["person"])
        contents = self._contents(bodies)
        with self._index.open("ab") as out:
            out.write(b"".join([person + content for person, content in zip(persons, contents, strict=True)]))
        self.left += good.height
        self._scatter(_hashes(persons, contents), good, chunk, rows, is_good=True)

    def add_named(self, named: pl.DataFrame, chunk: TableChunk, rows: pl.Series) -> None:
        """Take the rows of one chunk that have faults and yet name a person: whoever stands twice is told all the same."""
        if named.height:
            hashes = _hashes(self._persons(named["person"]), [bytes(CONTENT_BYTES)] * named.height)
            self._scatter(hashes, named, chunk, rows, is_good=False)

    def _scatter(
        self, hashes: pl.DataFrame, told: pl.DataFrame, chunk: TableChunk, rows: pl.Series, *, is_good: bool
    ) -> None:
        if chunk.sheet not in self._sheets:
            self._sheets.append(chunk.sheet)
        noted = hashes.with_columns(
            told[POSITION].cast(pl.UInt32),
            told["operation"].cast(pl.String),
            rows.gather(told[POSITION] - chunk.first).cast(pl.UInt32).alias("row"),
            pl.lit(self._sheets.index(chunk.sheet), dtype=pl.UInt16).alias("sheet"),
            told["member_no"].hash(self._seed).alias("member"),
            pl.lit(is_good).alias("good"),
        )
        self._spill.scatter("persons", noted, "hi", self._parts)
        numbered = noted if is_good else noted.filter(told["member_no"].is_not_null())
        numbered = numbered.select("member", "hi", "lo", POSITION, "row", "sheet")
        self._spill.scatter("members", numbered, "member", self._parts)

    def duplicates(self) -> Iterator[tuple[pl.DataFrame, dict[int, tuple[int, str]], frozenset[int]]]:
        """Yield faults (`_position`, `code`, `field`, `detail`) with their rows' places, and which of the rows had faults before.

        Call once, after the last row.
        """
        for part in range(self._parts):
            self._share_numbers(part)
        for part in range(self._parts):
            rows = self._spill.read("persons", part, _TOLD)
            if rows is None:
                continue
            faults = self._faults(rows, part)
            if faults.height:
                hit = rows.join(faults.select(POSITION).unique(), on=POSITION, how="semi")
                places = zip(
                    hit[POSITION].to_list(), hit["row"].to_list(), hit["sheet"].to_list(), strict=True
                )
                again = frozenset(hit.filter(~pl.col("good"))[POSITION].to_list())
                yield faults, {at: (row, self._sheets[sheet]) for at, row, sheet in places}, again
                self._leave_out(hit.filter("good").select(POSITION), part)

    def add_others(self, others: Others) -> None:
        """Take one slice's blind index of another job; settled lines do not count."""
        lines = len(others.index) // INDEX_BYTES
        starts = range(0, lines * INDEX_BYTES, INDEX_BYTES)
        frame = _hashes(
            [others.index[at : at + PERSON_BYTES] for at in starts],
            [others.index[at + PERSON_BYTES : at + INDEX_BYTES] for at in starts],
        ).with_columns(
            pl.lit(others.number, dtype=pl.UInt32).alias("number"),
            pl.int_range(0, lines, dtype=pl.UInt32, eager=True).alias("line"),
            pl.int_range(self._others, self._others + lines, dtype=pl.UInt32, eager=True).alias("order"),
        )
        self._others += lines
        live = pl.Series([state not in _SETTLED for state in others.states[:lines]], dtype=pl.Boolean)
        self._spill.scatter("others", frame.filter(live), "hi", self._parts)

    def tail(self) -> Tail:
        """Return the rows that must wait for others: persons with several rows here, or with an unsettled record elsewhere."""
        tail = Tail(self._spill)
        for part in range(self._parts):
            rows = self._spill.read("persons", part, _SENT)
            if rows is not None:
                bad = self._spill.read("bad", part)
                good = rows.filter("good")
                good = good if bad is None else good.join(bad, on=POSITION, how="anti")
                found = _waiting(good, self._spill.read("others", part))
                self._apart.add(found[POSITION])
                tail.add(found)
        return tail

    def index(self, count: int) -> bytes:
        """Return the blind index of the next so many good rows, those that do not go the plain way included."""
        with self._index.open("rb") as held:
            held.seek(self._index_read)
            found = held.read(count * INDEX_BYTES)
        self._index_read += len(found)
        return found

    def apart(self, first: int, last: int) -> frozenset[int]:
        """Return those of the rows from `first` to `last` that do not go the plain way."""
        return self._apart.within(first, last)

    def _persons(self, names: pl.Series) -> list[bytes]:
        """Return AES(k, x) ⊕ x of each name's block x: a keyed hash that nobody turns back, a whole column at one call."""
        fits = names.str.contains(_ONE_BLOCK)
        if not fits.all():
            names = pl.Series(
                [name if fit else self._short(name) for name, fit in zip(names, fits, strict=True)],
                dtype=pl.String,
            )
        blocks = names.str.pad_end(PERSON_BYTES, "\0").str.join("").item().encode()
        hidden = Cipher(AES(self._person), ECB()).encryptor().update(blocks)  # noqa: S305 - each block is hashed by itself; none is a message
        mixed = int.from_bytes(hidden, "little") ^ int.from_bytes(blocks, "little")
        digests = mixed.to_bytes(len(blocks), "little")
        return [digests[at : at + PERSON_BYTES] for at in range(0, len(digests), PERSON_BYTES)]

    def _short(self, name: str) -> str:
        """Return a block's worth of letters for a name that fits none; one that fits ends in a zero byte and equals no such."""
        digest = blake2b(name.encode(), digest_size=12, key=self._person, person=b"name").digest()
        return urlsafe_b64encode(digest).decode()

    def _contents(self, bodies: list[bytes]) -> list[bytes]:
        keyed = blake2b(digest_size=CONTENT_BYTES, key=self._key, person=b"content")
        keyed.update(b"|")  # else the key's own block would be hashed anew for every body
        fresh = keyed.copy
        out = []
        for body in bodies:
            digest = fresh()
            digest.update(body)
            out.append(digest.digest())
        return out

    def _faults(self, rows: pl.DataFrame, part: int) -> pl.DataFrame:
        """Return the faults of one partition's rows in the order of the rows."""
        twice = _named(rows, ["hi", "lo", "operation"], pl.len() > 1, self._label())
        found = [_fault(twice, "duplicate-person", "national_id")]
        shared = self._spill.read("shared", part)
        if shared is not None:
            found.append(_fault(shared, "duplicate-member-no", "member_no"))
        return self._in_words(pl.concat(found).sort(POSITION, maintain_order=True))

    def _leave_out(self, bad: pl.DataFrame, part: int) -> None:
        """Note rows of one partition that are not sent after all."""
        self._spill.append("bad", part, bad)
        self._apart.add(bad[POSITION])
        self.left -= bad.height

    def _share_numbers(self, part: int) -> None:
        """Note the rows of one partition whose number two persons have, where the persons' rows lie."""
        rows = self._spill.read("members", part)
        if rows is not None:
            shared = _named(rows, ["member"], pl.struct("hi", "lo").n_unique() > 1, self._label())
            self._spill.scatter("shared", shared, "hi", self._parts)

    def _label(self) -> pl.Expr:
        row = pl.col("row").cast(pl.String)
        return row if len(self._sheets) < 2 else pl.format(_SHEET + " {}", pl.col("sheet"), row)

    def _in_words(self, faults: pl.DataFrame) -> pl.DataFrame:
        """Return faults with the sheets' names; on disk they are numbers, since a sheet may be named after a person."""
        if len(self._sheets) < 2:
            return faults
        names = {_SHEET.format(number): quoted(name) for number, name in enumerate(self._sheets)}
        return faults.with_columns(pl.col("detail").str.replace_many(names))


def _hashes(persons: list[bytes], contents: list[bytes]) -> pl.DataFrame:
    person = pl.Series("person", persons, dtype=pl.Binary)
    content = pl.Series("content", contents, dtype=pl.Binary)
    return pl.DataFrame(
        {
            "hi": person.bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64),
            "lo": person.bin.slice(8, 8).bin.reinterpret(dtype=pl.UInt64),
            "content": content.bin.reinterpret(dtype=pl.UInt64),
        }
    )


def _named(rows: pl.DataFrame, keys: list[str], when: pl.Expr, label: pl.Expr) -> pl.DataFrame:
    """Return the rows whose group fits `when`, with the group's row numbers as `detail`."""
    # few rows share what is unlike in most: to look at one column first takes less memory and time
    near = rows.filter(pl.col(keys[0]).is_duplicated())
    hit = near.filter(when.over(keys)).with_columns(label.alias("label"))
    named = hit.group_by(keys).agg(
        pl.col("label").sort_by(POSITION).head(NAMED_ROWS).str.join(", ").alias("detail")
    )
    return hit.join(named, on=keys).select(POSITION, "hi", "detail")


def _fault(rows: pl.DataFrame, code: str, field: str) -> pl.DataFrame:
    return rows.select(POSITION, pl.lit(code).alias("code"), pl.lit(field).alias("field"), "detail")


def _waiting(rows: pl.DataFrame, others: pl.DataFrame | None) -> pl.DataFrame:
    """Return the tail of one partition as `TAIL` says."""
    person = ["hi", "lo"]
    near = rows.filter(pl.col("hi").is_duplicated())
    several = near.filter(pl.len().over(person) > 1).select(person).unique()
    if others is None:
        others = pl.DataFrame(
            schema={
                "hi": pl.UInt64,
                "lo": pl.UInt64,
                "content": pl.UInt64,
                "number": pl.UInt32,
                "line": pl.UInt32,
                "order": pl.UInt32,
            }
        )
    met = others.join(rows.select(person).unique(), on=person, how="semi")
    waits = met.group_by(person).agg(pl.col("number").unique().sort().alias("waits"))
    same = (
        met.sort("order")
        .group_by([*person, "content"], maintain_order=True)
        .agg(pl.col("number", "line").last())
    )
    units = pl.concat([several, met.select(person)]).unique()
    tail = rows.join(units, on=person, how="semi").join(waits, on=person, how="left")
    tail = tail.join(same, on=[*person, "content"], how="left")
    return tail.select(
        POSITION,
        *person,
        "content",
        pl.col(POSITION).min().over(person).alias("unit"),
        pl.col("waits").fill_null([]).cast(pl.List(pl.UInt32)),
        pl.col("number").alias("join_number"),
        pl.col("line").alias("join_line"),
    ).cast(TAIL)  # type: ignore[arg-type]  # polars' stubs want a narrower mapping
