"""What the report says, beside the verdicts that the other tests show."""

from tests.registrar.wire import ManualClock, config, door, lines


async def test_arrivals_stand_in_bins_of_a_tenth_of_a_second() -> None:
    """Bins count from the first arrival's; empty ones stand between; every scope has its own."""
    clock = ManualClock()
    async with door(config(), clock) as it:
        token, other = await it.log_in("P001-01"), await it.log_in("P002-01")
        clock.move(1_050)
        await it.batch(token, lines(3))
        clock.move(49)
        await it.batch(other, lines(1, 10))
        clock.move(201)
        await it.batch(token, lines(2, 20))
        report = await it.report("")
        short = await it.report()
        coarse = await it.report("bins=1000")
    assert report["bins"] == {"first": 10, "width_ms": 100, "counts": [4, 0, 0, 2]}
    assert report["parties"]["P002"]["accounts"]["P002-01"]["bins"]["counts"] == [1]
    assert "bins" not in short
    assert coarse["bins"]["counts"] == [6]


async def test_counts_add_up_over_accounts_parties_and_all() -> None:
    """What accounts saw is what their party saw, and parties make the registry."""
    clock = ManualClock(wall_ms=5_000)
    async with door(config(), clock) as it:
        for start, account in enumerate(("P001-01", "P001-02", "P002-01")):
            await it.batch(await it.log_in(account), lines(start + 1, start * 10))
            clock.move(10)
        report = await it.report()
    party = report["parties"]["P001"]
    assert [one["arrivals"] for one in party["accounts"].values()] == [1, 2]
    assert (party["arrivals"], report["arrivals"]) == (3, 6)
    assert (report["first_at"], report["last_at"], party["last_at"]) == (5_000, 5_020, 5_010)
    assert (report["sessions"]["most"], party["sessions"]["most"]) == (3, 2)
    assert report["effects"] == {"natural_keys": 6, "exactly_one": 6, "more": 0, "doubled": []}
    assert report["whole"]["verdict"] == {"ok": True, "faults": []}


async def test_a_width_that_is_none_is_refused() -> None:
    """The width is a number of milliseconds."""
    async with door() as it:
        for text in ("-1", "x", "๑"):
            assert (await it.ask("GET", f"/report?bins={text}")).status == 400


async def test_no_personal_data_stands_in_report_or_effects() -> None:
    """Neither names nor national IDs are in what the registrar shows."""
    async with door() as it:
        token = await it.log_in()
        await it.batch(token, lines(5))
        shown = (await it.ask("GET", "/report")).body + (await it.ask("GET", "/effects")).body
    assert "ตัวอย่าง".encode() not in shown
    assert b"0000000000001" not in shown
