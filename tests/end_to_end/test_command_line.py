"""The gate from outside, by nothing but its commands: up, submit, results, hold, stop, and everything as it was."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.gate import Gate
from benchmarks.town import TownPlan, party, town, write_members
from profiles.party_members.fields import FIELDS
from profiles.party_members.made_up import made_up_members
from tests.end_to_end.verdicts import assert_limits_held

ROWS, MORE = 120, 40
PLAN = TownPlan([2], [ROWS], 400, 100, 200, 50)


def file_with_faults(folder: Path) -> Path:
    """Write a file in which every tenth or so has no surname."""
    path = folder / "faults.csv"
    made_up_members(ROWS, 0, faults={"no-surname": 0.1}).write_csv(path)
    return path


def corrected(rejected: Path) -> Path:
    """Return the `rejected` file with surnames in it, as a clerk would save it."""
    with rejected.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    path = rejected.with_name("corrected.csv")
    with path.open("w", encoding="utf-8-sig", newline="") as sink:
        writer = csv.DictWriter(sink, rows[0])
        writer.writeheader()
        writer.writerows(row | {FIELDS["last_name"].headers[0]: "ใจดี"} for row in rows)
    return path


async def memory(gate: Gate) -> dict[str, Any]:
    """Return what must be as it was after a new start."""
    return {
        "jobs": (await gate.command("jobs", "--json")).json,
        "history": (await gate.command("policy", "history", "--json")).json,
        "notices": (await gate.command("notices", "--json")).json,
    }


async def test_a_file_goes_in_comes_back_and_is_corrected(place: Path) -> None:
    """`submit --wait` ends with 3, results add up and bear their digests, the corrected file is a child and ends with 0."""
    async with town(PLAN, place) as running:
        gate, file = running.gate, file_with_faults(place)
        said = await gate.command(
            "submit", str(file), "--party", party(0), "--max-invalid", "50", "--wait", "--json"
        )
        assert said.code == 3, said.err
        told = said.json
        assert told["state"] == "finished"
        assert told["rows"] == ROWS == told["invalid"] + sum(told["records"].values())
        assert told["invalid"] > 0

        out = place / "results"
        said = await gate.command("job", "results", told["job"], "--out", str(out), "--json")
        assert said.code == 0, said.err
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
        assert sum(manifest["counts"].values()) == manifest["rows"] == ROWS
        for each in manifest["files"]:
            assert hashlib.sha256((out / each["name"]).read_bytes()).hexdigest() == each["sha256"]

        said = await gate.command(
            "submit", str(corrected(out / "rejected.csv")), "--party", party(0), "--wait", "--json"
        )
        assert said.code == 0, said.err + said.out
        child = said.json
        assert child["parent"] == told["job"]
        assert child["records"]["accepted"] == child["rows"] == told["invalid"]

        report = await running.report()
        assert_limits_held(report)
        assert report["effects"]["exactly_one"] == ROWS


async def test_up_says_ready_ends_cleanly_and_starts_again_with_everything_as_it_was(place: Path) -> None:
    """A hold stays, a job that waited behind it goes on after release."""
    async with town(PLAN, place) as running:
        gate = running.gate
        file = write_members(place, "held", MORE, 2)
        assert (await gate.command("hold", "--party", party(0), "--reason", "a drill")).code == 0
        job = (await gate.command("submit", str(file), "--party", party(0), "--json")).json["job"]
        [held] = await running.until(
            [await running.parts.ledger.job(job)], lambda each: each.state.value == "queued"
        )
        before = await memory(gate)

        url = gate.url
        assert await gate.stop() == 0
        assert gate.printed.decode().splitlines() == [f"ready {url}"]

        await gate.start()
        assert await memory(gate) == before
        assert await running.arrivals() == 0
        assert (await gate.command("release", "--party", party(0))).code == 0
        [done] = await running.until_done([held])
        assert done.records.accepted == MORE
        assert await gate.stop() == 0
        assert_limits_held(await running.report())
