"""Addresses against the official places."""

import geothai
import polars as pl
import pytest

from profiles.party_members.address import read_area, read_moo
from profiles.party_members.gazetteer import gazetteer

BANGRAK = ("บางรัก", "บางรัก", "กรุงเทพมหานคร")


def area(
    tambon: str | None, amphoe: str | None, province: str | None, postcode: str | None
) -> dict[str, str | None]:
    """What is read of one address."""
    frame = pl.DataFrame(
        {"tambon": [tambon], "amphoe": [amphoe], "province": [province], "postcode": [postcode]},
        schema=dict.fromkeys(("tambon", "amphoe", "province", "postcode"), pl.String),
    )
    return read_area(frame).row(0, named=True)


def places(found: dict[str, str | None]) -> tuple[str | None, ...]:
    """The official names in an answer."""
    return tuple(found[f"official_{level}"] for level in ("tambon", "amphoe", "province"))


@pytest.mark.parametrize(
    "written",
    [
        BANGRAK, ("แขวงบางรัก", "เขตบางรัก", "กทม."), ("แขวง บางรัก", "เขต บางรัก", "กรุงเทพฯ"), ("บางรัก", "เขตบางรัก", "กทม"),
        ("บาง รัก", "บาง รัก", "จังหวัดกรุงเทพมหานคร"), ("ต.บางรัก", "อ.บางรัก", "จ.กรุงเทพมหานคร"), ("ต. บางรัก", "อ. บางรัก", "กรุงเทพ"),
    ],
)  # fmt: skip
def test_prefixes_do_not_matter_on_either_side(written: tuple[str, str, str]) -> None:
    """However the levels are named, the official names are found, and no problem."""
    found = area(*written, "10500")
    assert places(found) == BANGRAK
    assert (found["area_problem"], found["postcode_problem"]) == (None, None)


def test_the_capital_district_may_be_called_mueang() -> None:
    """อ.เมือง is the district of that name in the province, and is sent by its whole name."""
    assert places(area("ต.ศรีภูมิ", "อ.เมือง", "จ.เชียงใหม่", "50200")) == ("ศรีภูมิ", "เมืองเชียงใหม่", "เชียงใหม่")


@pytest.mark.parametrize("name", ["จ.ป.ร.", "ต.จ.ป.ร.", "ตำบลจ.ป.ร."])
def test_a_name_that_begins_like_a_prefix_is_kept_whole(name: str) -> None:
    """The sub-district จ.ป.ร. loses nothing."""
    assert places(area(name, "กระบุรี", "ระนอง", "85110"))[0] == "จ.ป.ร."


def test_every_official_place_is_found_by_its_own_name_with_each_of_its_postcodes() -> None:
    """All 7,436 sub-districts, as the table names them, pass with every postcode of theirs."""
    rows = [
        (s.name_th, d.name_th, p.name_th, code)
        for p in geothai.provinces()
        for d in geothai.districts(p.code)
        for s in geothai.subdistricts(d.code)
        for code in s.postal_codes
    ]
    found = read_area(pl.DataFrame(rows, schema=["tambon", "amphoe", "province", "postcode"], orient="row"))
    assert found.select("area_problem", "postcode_problem").null_count().row(0) == (len(rows), len(rows))
    assert len({tuple(row[:3]) for row in found.iter_rows()}) == 7436


@pytest.mark.parametrize(
    "wrong",
    [
        ("บางรัก", "บางรัก", "เชียงใหม่"),
        ("สุเทพ", "บางรัก", "กรุงเทพมหานคร"),
        ("บางรัก", "เมือง", "กรุงเทพมหานคร"),
        ("ไม่มี", "บางรัก", "กทม."),
    ],
)
def test_names_that_do_not_belong_together_are_refused(wrong: tuple[str, str, str]) -> None:
    """The three levels must exist together."""
    found = area(*wrong, "10500")
    assert (found["area_problem"], found["area_detail"], found["postcode_problem"]) == (
        "area-mismatch",
        None,
        None,
    )


def test_an_abolished_name_tells_its_successors() -> None:
    """แขวงบางนา became two sub-districts: both are named, as people write them."""
    found = area("แขวงบางนา", "เขตบางนา", "กทม.", "10260")
    assert found["area_problem"] == "area-abolished"
    assert found["area_detail"] == "แขวงบางนาเหนือ เขตบางนา กรุงเทพมหานคร, แขวงบางนาใต้ เขตบางนา กรุงเทพมหานคร"


@pytest.mark.parametrize(
    ("written", "now"),
    [
        ("อรัญประเทศ อรัญประเทศ ปราจีนบุรี", "ต.อรัญประเทศ อ.อรัญประเทศ จ.สระแก้ว"),
        ("ศาลาลำดวน สระแก้ว ปราจีนบุรี", "ต.ศาลาลำดวน อ.เมืองสระแก้ว จ.สระแก้ว"),
        ("ชานุมาน ชานุมาน อุบลราชธานี", "ต.ชานุมาน อ.ชานุมาน จ.อำนาจเจริญ"),
        ("นางเลิ้ง ป้อมปราบศัตรูพ่าย กทม.", None),
    ],
)
def test_a_place_that_went_to_a_new_province_is_told_where_it_is_now(written: str, now: str | None) -> None:
    """No list says so: the two names stand together once only. Where they stand nowhere, nothing is guessed."""
    tambon, amphoe, province = written.split()
    found = area(tambon, amphoe, province, None)
    assert (found["area_problem"], found["area_detail"] or None) == ("area-abolished", now)


def test_no_abolished_name_hides_a_place_in_use() -> None:
    """Where a name was given up and is used again, the place in use wins."""
    keys = ["tambon_key", "amphoe_key", "province_key"]
    tables = gazetteer()
    assert tables.abolished.join(tables.areas, on=keys).height == 0
    assert tables.abolished.height > 1400


@pytest.mark.parametrize(
    ("postcode", "problem"),
    [
        ("10300", None), ("10303", "postcode-of-district"), ("50200", "postcode-mismatch"), ("1030", "bad-postcode"),
        ("1030A", "bad-postcode"), ("010300", "bad-postcode"), (None, None),
    ],
)  # fmt: skip
def test_a_postcode_is_the_tambons_or_at_least_the_districts(
    postcode: str | None, problem: str | None
) -> None:
    """The tambon's own postcode fits, one of the same district is worth a warning, any other is refused."""
    assert area("ดุสิต", "ดุสิต", "กรุงเทพมหานคร", postcode)["postcode_problem"] == problem


def test_any_of_a_tambons_postcodes_fits() -> None:
    """สวนจิตรลดา has two postcodes, and both are right."""
    for code in ("10300", "10303"):
        assert area("สวนจิตรลดา", "ดุสิต", "กทม.", code)["postcode_problem"] is None


def test_a_blank_level_is_another_rules_matter() -> None:
    """Where a level is blank nothing more is said of the place."""
    assert area("ดุสิต", None, "กทม.", "10300")["area_problem"] is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", "3"), ("03", "3"), ("ม.3", "3"), ("หมู่ที่ 12", "12"), ("หมู่ 3", "3"), ("สาม", None), ("3/1", None)],
)
def test_a_village_number_is_digits(text: str, number: str | None) -> None:
    """The number is taken out of its words; other texts are no number."""
    assert read_moo(pl.Series("moo", [text])).to_list() == [number]
