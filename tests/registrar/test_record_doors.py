"""Batches, single records and questions over real sockets."""

from collections.abc import AsyncIterator

import pytest

from registrar import Account, Config, Fault, Party, Registry, Rule, Window
from tests.registrar.wire import NDJSON, RECORDS, ManualClock, config, door, line, lines, record


async def test_a_batch_is_answered_line_by_line() -> None:
    """Accepted with a receipt, duplicate with the same, rejected with code, field and both messages."""
    rules = (Rule(field="first_name", equals="x", code="odd"),)
    async with door(config(rules=rules)) as it:
        token = await it.log_in()
        first = await it.batch(token, line("a") + line("b", record(2, first_name="x")))
        again = await it.batch(token, line("a"))
    assert (first.status, first.headers["Content-Type"]) == (200, "application/x-ndjson")
    accepted, rejected = first.lines
    assert (accepted["key"], accepted["status"]) == ("a", "accepted")
    assert {"code": "odd", "field": "first_name"}.items() <= rejected.items()
    assert {"message_th", "message_en"} <= set(rejected)
    assert again.lines == [{"key": "a", "status": "duplicate", "receipt": accepted["receipt"]}]


async def test_a_batch_over_the_limit_is_refused_whole_and_reported() -> None:
    """429 too-fast with the scope and Retry-After; nothing of it is recorded, all of it has arrived."""
    clock = ManualClock()
    async with door(config(account_rate=10, account_burst=10), clock) as it:
        token = await it.log_in()
        answer = await it.batch(token, lines(11))
        report = await it.report()
        clock.move(10_000)
        await it.control(reset=True)
        fits = await it.batch(token, lines(10))
        clean = await it.report()
    assert (answer.status, answer.json["code"], answer.json["scope"]) == (429, "too-fast", "account")
    assert answer.json["retry_after"] == pytest.approx(0.1)
    assert report["outcomes"] == {"too_fast": 11}
    assert report["effects"]["natural_keys"] == 0
    assert report["parties"]["P001"]["accounts"]["P001-01"]["bucket"]["offending"] == 1
    assert (
        "account P001-01: 1 record(s) too many, 1.000 over the limit at worst" in report["verdict"]["faults"]
    )
    assert [one["status"] for one in fits.lines] == ["accepted"] * 10
    assert clean["verdict"]["ok"]


async def test_a_chunked_body_that_comes_whole_is_a_batch_too() -> None:
    """Without a length, but with its end: refused as a whole with a status, as a batch is."""

    async def body() -> AsyncIterator[bytes]:
        yield lines(11)

    async with door(config(account_rate=10), ManualClock()) as it:
        answer = await it.ask("POST", RECORDS, await it.log_in(), data=body(), headers=NDJSON)
    assert (answer.status, answer.json["code"]) == (429, "too-fast")


@pytest.mark.parametrize("scope", ["party", "registry"])
async def test_party_and_registry_have_buckets_of_their_own(scope: str) -> None:
    """Two accounts within their limits may be too fast together."""
    accounts = (Account(id="P001-01"), Account(id="P001-02"))
    party = Party(accounts=accounts, rate=15 if scope == "party" else None)
    parties, rate = {"P001": party}, 15 if scope == "registry" else None
    async with door(config(parties=parties, rate=rate, account_rate=10), ManualClock()) as it:
        assert (await it.batch(await it.log_in("P001-01"), lines(10))).status == 200
        answer = await it.batch(await it.log_in("P001-02"), lines(10, 100))
    assert (answer.status, answer.json["scope"]) == (429, scope)


async def test_a_watching_registrar_takes_what_is_too_fast_and_reports_it() -> None:
    """In watch mode nothing is refused, and one record too many is still in the report."""
    async with door(config(account_rate=10, mode="watch"), ManualClock()) as it:
        answer = await it.batch(await it.log_in(), lines(11))
        report = await it.report()
    assert len(answer.lines) == 11
    assert report["parties"]["P001"]["accounts"]["P001-01"]["bucket"]["max_excess"] == 1.0
    assert not report["verdict"]["ok"]


async def test_a_record_one_millisecond_late_is_refused_and_reported() -> None:
    """Inside, it is taken; 1 ms after the end, 403 window-closed, and the report says how late."""
    clock = ManualClock(wall_ms=10_000)
    async with door(config(windows=(Window(from_at=0, to_at=20_000),)), clock) as it:
        token = await it.log_in()
        clock.move(9_999)
        inside = await it.batch(token, lines(1))
        before = await it.report()
        clock.move(2)
        late = await it.batch(token, lines(3))
        report = await it.report()
    assert (inside.status, late.status, late.json["code"]) == (200, 403, "window-closed")
    assert before["outside"]["count"] == 0
    assert report["outside"] == {"count": 3, "latest_ms": 1.0, "earliest_ms": None}
    assert "registry party-members: 3 record(s) arrived outside their window" in report["verdict"]["faults"]


async def test_a_wrong_clock_is_the_clock_of_the_window() -> None:
    """A registrar 30 s ahead closes 30 s early."""
    clock = ManualClock(wall_ms=0, offset_s=30)
    async with door(config(windows=(Window(from_at=0, to_at=40_000),)), clock) as it:
        token = await it.log_in()
        clock.move(10_000)
        assert (await it.batch(token, lines(1))).json["code"] == "window-closed"


async def test_a_bad_line_refuses_the_batch_and_is_numbered() -> None:
    """400 malformed with the line; nothing of the batch is recorded."""
    async with door() as it:
        token = await it.log_in()
        for bad in (b"{\n", b'{"key":"a b","record":{}}\n', b'{"key":"a"}\n', b"\xff\n"):
            answer = await it.batch(token, line("a") + line("b") + bad)
            assert (answer.status, answer.json["code"], answer.json["line"]) == (400, "malformed", 3)
        report = await it.report()
    assert report["effects"]["natural_keys"] == 0


async def test_what_is_too_large_or_of_another_type_is_refused() -> None:
    """413 for a body or a line over the registry's limit, 415 for another content type."""
    async with door(config(max_body_bytes=1000, max_line_bytes=300)) as it:
        token = await it.log_in()
        assert (await it.batch(token, b" " * 1001)).status == 413
        assert (await it.batch(token, line("a", record(1, x="y" * 300)))).json == {
            "type": "urn:registrar:problem:too-large",
            "title": "The request is too large",
            "status": 413,
            "detail": "The request is too large",
            "code": "too-large",
            "line": 1,
        }
        wrong = {"Content-Type": "application/json"}
        assert (await it.batch(token, line("a"), headers=wrong)).status == 415
        assert (await it.put(token, "k", record(1, x="y" * 300))).status == 413


async def test_without_a_bearer_nothing_is_taken() -> None:
    """401 session-ended; the strangers' lines are counted."""
    async with door() as it:
        assert (await it.ask("POST", RECORDS, data=lines(2), headers=NDJSON)).json["code"] == "session-ended"
        assert (await it.ask("GET", f"{RECORDS}/k")).status == 401
        report = await it.report()
    assert (report["whole"]["strangers"], report["arrivals"]) == (2, 0)


async def test_a_single_record_says_by_its_status_what_became_of_it() -> None:
    """201, 200, 422 and 503, each with the record's line as the body."""
    faults = (Fault(kind="busy", after=4, count=1, retry_after_s=1.5),)
    async with door(config(required=("national_id",), faults=faults)) as it:
        token = await it.log_in()
        answers = [
            await it.put(token, "a", record(1)),
            await it.put(token, "a", record(1)),
            await it.put(token, "a", record(2)),
            await it.put(token, "b", {"national_id": ""}),
            await it.put(token, "c", record(3)),
            await it.put(token, "c", record(3)),
        ]
        report = await it.report()
    assert [answer.status for answer in answers] == [201, 200, 422, 422, 503, 201]
    assert answers[2].json["code"] == "key-reused"
    assert (answers[4].json["status"], answers[4].headers["Retry-After"]) == ("retry", "2")
    assert report["outcomes"] == {"accepted": 2, "duplicate": 1, "rejected": 2, "retry": 1}
    assert report["rejected_by_code"] == {"key-reused": 1, "field-missing": 1}
    assert report["pushbacks"] == {"busy": 1}


async def test_a_single_record_may_be_refused_as_a_problem() -> None:
    """Too fast, a key that is none, a body that is none, a type that is none."""
    async with door(config(account_rate=1), ManualClock()) as it:
        token = await it.log_in()
        assert (await it.put(token, "k" * 65, record())).status == 400
        assert (await it.ask("PUT", f"{RECORDS}/k", token, data=b"x")).status == 415
        json = {"Content-Type": "application/json"}
        assert (await it.ask("PUT", f"{RECORDS}/k", token, data=b"x", headers=json)).status == 400
        assert (await it.put(token, "k", record())).status == 201
        assert (await it.put(token, "k", record())).json["code"] == "too-fast"


async def test_asking_answers_with_the_records_line() -> None:
    """200 with its line for the same party, 404 for others and for what never came; it costs a permit."""
    async with door(config(account_rate=3), ManualClock()) as it:
        token, other = await it.log_in("P001-01"), await it.log_in("P002-01")
        told = await it.put(token, "k", record())
        assert (await it.ask("GET", f"{RECORDS}/k", token)).json == told.json
        assert (await it.ask("GET", f"{RECORDS}/k", other)).status == 404
        assert (await it.ask("GET", f"{RECORDS}/none", token)).json["code"] == "not-found"
        assert (await it.ask("GET", f"{RECORDS}/k", token)).json["code"] == "too-fast"
        report = await it.report()
    assert report["outcomes"] == {"accepted": 1, "asked": 3, "too_fast": 1}


async def test_asking_is_for_open_hours_and_may_not_be_offered() -> None:
    """403 outside the window; a registry without asking says so."""
    clock = ManualClock(wall_ms=0)
    async with door(config(windows=(Window(from_at=0, to_at=5),)), clock) as it:
        token = await it.log_in()
        clock.move(5)
        assert (await it.ask("GET", f"{RECORDS}/k", token)).json["code"] == "window-closed"
    async with door(config(asking=False)) as it:
        assert (await it.ask("GET", f"{RECORDS}/k", await it.log_in())).json["code"] == "not-offered"


async def test_a_doubled_effect_is_reported() -> None:
    """Where keys promise nothing, the same record twice is two effects, and the verdict says so."""
    async with door(config(idempotent=False)) as it:
        token = await it.log_in()
        for _ in range(2):
            await it.batch(token, line("k"))
        report = await it.report()
        effects = (await it.ask("GET", "/effects")).json
    assert (report["effects"]["more"], len(report["effects"]["doubled"])) == (1, 1)
    assert (
        "registry party-members: 1 natural key(s) took effect more than once" in report["verdict"]["faults"]
    )
    assert effects == {"party-members": {"P001": {report["effects"]["doubled"][0]: 2}}}


async def test_a_session_belongs_to_one_registry() -> None:
    """A session of one registry is refused by another."""
    two = {
        "a": Registry(parties={"P": Party(accounts=(Account(id="a1"),))}),
        "b": Registry(parties={"P": Party(accounts=(Account(id="b1"),))}),
    }
    async with door(Config(registries=two)) as it:
        token = await it.log_in("a1")
        path = "/v1/registries/{}/records"
        fine = await it.ask("POST", path.format("a"), token, data=line("k"), headers=NDJSON)
        other = await it.ask("POST", path.format("b"), token, data=line("k"), headers=NDJSON)
    assert (fine.status, other.status, other.json["code"]) == (200, 403, "wrong-registry")
