"""Configuration: from TOML to frozen values, with the place of what is wrong."""

from pathlib import Path

import pytest

from registrar import ConfigError, config_from, default_config, load_config

SAMPLE = """
mode = "watch"
clock_offset_s = -30
[registries.party-members]
rate = 800
burst_s = 0.25
account_rate = 20
membership = { members_only = ["RENEW"] }
rules = [{ field = "last_name", ends_with = "x", code = "odd-name" }]
[[registries.party-members.windows]]
daily_from = "08:30"
daily_to = "16:30"
[registries.party-members.parties.P001]
accounts = [{ id = "P001-01", secret = "s" }, { id = "P001-02", rate = 5 }]
[[faults]]
kind = "latency"
factor = 10
"""


def test_a_file_becomes_values(tmp_path: Path) -> None:
    """Everything in the file is found in the values, the rest has defaults."""
    path = tmp_path / "registrar.toml"
    path.write_text(SAMPLE, encoding="utf-8")
    config = load_config(path)
    registry = config.registries["party-members"]
    assert (config.mode, config.clock_offset_s, registry.burst_s) == ("watch", -30, 0.25)
    assert [account.id for account in registry.parties["P001"].accounts] == ["P001-01", "P001-02"]
    assert registry.windows is not None
    assert registry.windows[0].daily_to == "16:30"
    assert registry.membership is not None
    assert registry.membership.members_only == ("RENEW",)
    assert config.faults[0].factor == 10


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"registries": {"r": {"rat": 5}}}, "registries.r: unknown name 'rat'"),
        ({"registries": {"r": {"windows": [{"form_at": 1}]}}}, r"windows\[0\]: unknown name 'form_at'"),
        ({"registries": {"r": {"membership": {"joins": ["ADD"], "x": 1}}}}, "unknown name 'x'"),
        ({"registries": {"r": {"parties": {"P": {"accounts": [{"id": "a", "b": 1}]}}}}}, "unknown name 'b'"),
        ({"registries": {"r": {"rate": "fast"}}}, r"\$.registries"),
        ({}, "registries"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(raw: dict[str, object], place: str) -> None:
    """An unknown name or a wrong type is an error that says where it stands."""
    with pytest.raises(ConfigError, match=place):
        config_from(raw)


def test_a_file_that_is_not_toml_is_an_error_with_its_line(tmp_path: Path) -> None:
    """What can't be read is said with the file's name and line."""
    path = tmp_path / "broken.toml"
    path.write_text("a = = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.toml.*line 1"):
        load_config(path)
    with pytest.raises(ConfigError, match="nowhere"):
        load_config(tmp_path / "nowhere.toml")


def test_without_a_file_whoever_comes_is_enrolled() -> None:
    """The default registry takes unknown accounts under sample limits."""
    assert default_config().registries["party-members"].enrol
