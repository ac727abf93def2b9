"""The official places as tables: sub-districts with their postcodes, and those abolished with their successors.

Source: geothai (DOPA's codes, Thailand Post's postcodes). Built once a process; holds names of places only.
"""

import re
from dataclasses import dataclass
from functools import cache

import geothai
import polars as pl
from geothai.abolished import abolished_areas
from geothai.types import District, Province

from profiles.party_members.wording import plain

CAPITAL = "เมือง"
BANGKOK = ("กทม", "กรุงเทพ", "กรุงเทพฯ", "กรุงเทพมหานคร")
AYUTTHAYA = ("อยุธยา", "พระนครศรีอยุธยา")
PREFIX = r"^(?:จังหวัด|กิ่งอำเภอ|อำเภอ|เขต|ตำบล|แขวง)|^(?:กิ่ง ?อ|จ|อ|ต|ข)\. *"
MARKS = r"[ .'\-]"


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Tables by the keys of `place_key`.

    `areas`: tambon_key, amphoe_key, province_key → area (row number), tambon, amphoe, province (official names), postcodes.
    `postcodes`: area, postcode → fits (true: the tambon's own; false: another tambon's of the same amphoe).
    `abolished`: the three keys → detail, the successors' names (may be empty).
    """

    areas: pl.DataFrame
    postcodes: pl.DataFrame
    abolished: pl.DataFrame


@cache
def place_key(name: str) -> str:
    """Return a place's name as it is compared: no prefix of its level, no space, dot or dash."""
    return re.sub(MARKS, "", re.sub(PREFIX, "", plain(name)))


@cache
def bare_name(name: str) -> str:
    """Return a place's official name as it is sent: the table says เขต before Bangkok's districts, and no other prefix."""
    return re.sub("^เขต", "", plain(name))


@cache
def gazetteer() -> Gazetteer:
    """Return the tables; the first call builds them (some tens of milliseconds)."""
    areas, postcodes = [], []
    for province in geothai.provinces():
        for district in geothai.districts(province.code):
            tambons = geothai.subdistricts(district.code)
            of_district = sorted({p for t in tambons for p in t.postal_codes})
            for tambon in tambons:
                row = int(tambon.code)
                names = (bare_name(tambon.name_th), bare_name(district.name_th), bare_name(province.name_th))
                areas += [(*keys, row, *names) for keys in _spellings(tambon.name_th, district, province)]
                postcodes += [(row, p, p in tambon.postal_codes) for p in of_district]
    columns = [*_KEYS, "area", "official_tambon", "official_amphoe", "official_province"]
    return Gazetteer(
        pl.DataFrame(areas, schema=columns, orient="row").with_columns(pl.col("area").cast(pl.Int32)),
        pl.DataFrame(postcodes, schema=["area", "postcode", "fits"], orient="row").with_columns(
            pl.col("area").cast(pl.Int32)
        ),
        _abolished({(a[0], a[1], a[2]): a[3] for a in areas}),
    )


_KEYS = ("tambon_key", "amphoe_key", "province_key")


def _spellings(tambon: str, district: District, province: Province) -> set[tuple[str, str, str]]:
    """Return the ways in which people name one sub-district, as keys."""
    tambons = {place_key(part) for part in (tambon, *re.split(r"[()]", tambon)) if part.strip()}
    tambons.add(re.sub(MARKS, "", tambon))  # จ.ป.ร. begins with no prefix
    amphoes = {place_key(district.name_th)} | (
        {CAPITAL} if district.name_th.startswith(CAPITAL) and _is_capital(district) else set()
    )
    return {(t, a, p) for t in tambons for a in amphoes for p in _province_keys(province.name_th)}


def _is_capital(district: District) -> bool:
    """Say whether a district is its province's capital district."""
    return district.code.endswith("01")


@cache
def _province_keys(name: str) -> frozenset[str]:
    """Return the ways in which people name one province, as keys."""
    for names in (BANGKOK, AYUTTHAYA):
        if name in names:
            return frozenset(place_key(n) for n in names)
    return frozenset({place_key(name)})


def _one_of_a_kind(in_use: dict[tuple[str, str, str], int]) -> dict[tuple[str, str], str]:
    """Return the codes of the places whose two lower names, as keys, stand together in one province only."""
    found: dict[tuple[str, str], set[int]] = {}
    for (tambon, amphoe, _), code in in_use.items():
        if amphoe != CAPITAL:
            found.setdefault((tambon, amphoe.removeprefix(CAPITAL)), set()).add(code)
    return {names: str(*codes) for names, codes in found.items() if len(codes) == 1}


def _abolished(in_use: dict[tuple[str, str, str], int]) -> pl.DataFrame:
    """Return the abolished sub-districts, and those of abolished districts, that no place in use is called by today.

    `in_use`: the three keys → area. Where no successor is listed, a new province may have taken over the one place of these names.
    """
    elsewhere = _one_of_a_kind(in_use)
    areas = abolished_areas()
    gone = {a.code: a for a in areas if a.level == "district"}
    rows: dict[tuple[str, str, str], str] = {}
    for area in areas:
        province = geothai.province(area.code[:2])
        if area.level != "subdistrict" or province is None:
            continue
        district = geothai.district(area.code[:4])
        amphoes = {gone[area.code[:4]].name_th} if area.code[:4] in gone else set()
        amphoes |= {district.name_th} if district else set()
        if district and district.name_th.startswith(CAPITAL) and _is_capital(district):
            amphoes.add(CAPITAL)
        for amphoe in amphoes:
            for p in _province_keys(province.name_th):
                key = (place_key(area.name_th), place_key(amphoe), p)
                if key not in in_use and (area.successors or key not in rows):
                    moved = elsewhere.get((key[0], key[1].removeprefix(CAPITAL)))
                    successors = area.successors or ([moved] if moved else [])
                    rows[key] = ", ".join(filter(None, map(_full_name, successors)))
    return pl.DataFrame(
        [(*key, detail) for key, detail in rows.items()], schema=[*_KEYS, "detail"], orient="row"
    )


def _full_name(code: str) -> str:
    """Return a place in use as people write it: ต.บางรัก อ.… จ.…; empty when the code is of none."""
    capital = code.startswith("10")
    of_tambon, of_amphoe, of_province = ("แขวง", "เขต", "") if capital else ("ต.", "อ.", "จ.")
    district, province = geothai.district(code[:4]), geothai.province(code[:2])
    if district is None or province is None:
        return ""
    above = f"{of_amphoe}{bare_name(district.name_th)} {of_province}{province.name_th}"
    tambon = geothai.subdistrict(code)
    return f"{of_tambon}{bare_name(tambon.name_th)} {above}" if tambon else above
