"""Secrets come from where the file says, and stay out of everything that is kept or shown."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadPolicy
from domain.policy import AccountRules, PartyRules, Policy
from domain.states import AccountKind
from pratunam.policy.secrets import REDACTED, fetch_secrets, redacted


def policy(*refs: str) -> Policy:
    """A policy whose accounts A0, A1, … have these secrets."""
    accounts = tuple(AccountRules(f"A{n}", "r", AccountKind.BASE, ref) for n, ref in enumerate(refs))
    return Policy({}, {"P": PartyRules("P", accounts=accounts)})


def toml_string(text: str) -> str:
    """The text as a basic string of TOML."""
    escapes = {'"': '\\"', "\\": "\\\\"}
    return (
        '"'
        + "".join(escapes.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in text)
        + '"'
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_plain_secret_stays_in_a_document(secret: str) -> None:
    """However it is quoted or escaped, its value is gone, or the document is refused."""
    document = f"a = 1\nsecret = {toml_string('plain:' + secret)}\nb = 2\n"
    assert tomllib.loads(redacted(document)) == {"a": 1, "secret": REDACTED, "b": 2}


@pytest.mark.parametrize(
    "line",
    [
        'secret = "pl\\u0061in:hush"',
        'secret = """\nplain:hush"""',
        "secret = '''\nplain:hush'''",
        'x = [{ s = "\\u0070lain:hush" }]',
    ],
)
def test_a_secret_that_hides_is_refused(line: str) -> None:
    """An escape in the word itself, or a string over several lines, is not half kept; the message never quotes it."""
    with pytest.raises(BadPolicy) as caught:
        redacted(line)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "line", ["s = 'plain:hush'", 's = """plain:hush"""', '# s = "plain:hush"', "s = {a='plain:hush'}"]
)
def test_other_ways_to_write_a_secret_are_found(line: str) -> None:
    """Literal strings, long strings on one line, comments and inline tables."""
    assert "hush" not in redacted(line)


def test_secrets_are_fetched_from_their_sources(tmp_path: Path) -> None:
    """env, file and plain; a file's last newline does not count; one that is no text holds none."""
    (tmp_path / "s").write_text("from file\n", "utf-8")
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff")
    with pytest.raises(BadPolicy, match="picture"):
        fetch_secrets(policy(f"file:{tmp_path / 'picture'}"), {})
    found = fetch_secrets(policy("env:E", f"file:{tmp_path / 's'}", "plain:p:q"), {"E": "from env"})
    assert found == {("r", "A0"): "from env", ("r", "A1"): "from file", ("r", "A2"): "p:q"}


def test_every_missing_secret_is_named_at_once() -> None:
    """Account and source, never a secret."""
    with pytest.raises(BadPolicy) as caught:
        fetch_secrets(policy("env:GONE", "file:/no/such", REDACTED, "plain:hush"), {})
    for word in ("A0 (env:GONE)", "A1 (file:/no/such)", "A2", "nothing was changed"):
        assert word in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_known_account_keeps_its_sealed_secret() -> None:
    """Where the source is away, an account that has a secret already needs none."""
    assert fetch_secrets(policy("env:GONE", REDACTED), {}, known=frozenset({("r", "A0"), ("r", "A1")})) == {}
