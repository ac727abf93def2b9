"""Made-up members."""

import polars as pl
import pytest

from profiles.party_members.fields import FIELDS
from profiles.party_members.made_up import made_up_endings, made_up_members
from profiles.party_members.made_up_faults import KINDS, every_kind, expected_faults
from profiles.profile import CheckContext, Checked
from tests.profiles.party_members.sample import MEMBERS, TODAY


def checked(frame: pl.DataFrame, test_ids: bool = True) -> Checked:
    """The check of a whole made-up file."""
    match = MEMBERS.match_header(frame.columns)
    assert (match.unknown, match.duplicate, match.missing) == ((), (), ())
    named = frame.rename({column: name for name, column in match.matched.items()})
    return MEMBERS.check(named.with_row_index("_position"), CheckContext(TODAY, test_ids=test_ids))


def test_made_up_members_are_all_good_unless_asked_otherwise() -> None:
    """Twenty thousand of them pass without a fault or a warning, under the template's Thai headers."""
    frame = made_up_members(20_000, 3)
    done = checked(frame)
    assert (done.good.height, done.faults.height, done.warnings.height) == (20_000, 0, 0)
    assert set(frame.columns) <= {f.headers[0] for f in FIELDS.values()}
    assert frame.width >= 22


def test_each_kind_of_bad_row_has_exactly_the_faults_it_was_made_for() -> None:
    """In a file with every kind the check finds what was planted, all of it and nothing else."""
    shares = every_kind(0.25)
    done = checked(made_up_members(20_000, 4, faults=shares))
    planted = expected_faults(20_000, 4, shares)
    by = ["_position", "code", "field"]
    assert done.faults.select(by).sort(by).rows() == planted.select(by).sort(by).rows()
    assert set(planted["kind"]) == set(KINDS)
    assert len(KINDS) >= 12
    assert done.good.height == 20_000 - planted["_position"].n_unique()


def test_they_are_nobodys_ids() -> None:
    """Every ID begins with 0 or 9: a registry without test IDs refuses them all."""
    for seed in (4, 5):
        frame = made_up_members(500, seed)
        assert set(frame["เลขประจำตัวประชาชน"].str.head(1)) <= {"0", "9"}
        assert checked(frame, test_ids=False).good.height == 0


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    """Files can be made again, go on where another ended, and never share a person between seeds."""
    whole, first, second = (
        made_up_members(300, 9),
        made_up_members(100, 9),
        made_up_members(200, 9, start=100),
    )
    assert whole.equals(pl.concat([first, second]))
    ids = pl.concat([made_up_members(5000, seed)["เลขประจำตัวประชาชน"] for seed in range(8)])
    assert ids.n_unique() == 40_000


@pytest.mark.parametrize("operation", ["RESIGN", "TERMINATE"])
def test_endings_are_of_the_same_people(operation: str) -> None:
    """A file of endings passes and names the people of the file that took them in."""
    done = checked(made_up_endings(50, 6, start=10, operation=operation))
    assert done.faults.height == 0
    assert set(done.good["operation"]) == {operation}
    assert done.good["person"].to_list() == checked(made_up_members(50, 6, start=10)).good["person"].to_list()
