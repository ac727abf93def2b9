"""What the registrar's own report must say of any run, whatever happened in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.jobs import Job
from domain.states import JobState


def assert_limits_held(report: Mapping[str, Any]) -> None:
    """No bucket over, no session too many, no arrival outside a window, no effect twice, in any scope."""
    scopes = [("registry", report)]
    for party, seen in report["parties"].items():
        scopes.append((party, seen))
        scopes += seen["accounts"].items()
    for name, seen in scopes:
        assert seen["bucket"]["over"] == 0, (name, seen["bucket"])
        assert seen["sessions"]["over"] == 0, (name, seen["sessions"])
    assert report["outside"]["count"] == 0, report["outside"]
    assert report["effects"]["more"] == 0


def assert_all_in_effect(report: Mapping[str, Any], jobs: Sequence[Job]) -> None:
    """Every record of these jobs was accepted, and is in effect exactly once."""
    for job in jobs:
        assert job.state is JobState.FINISHED
        assert job.records.accepted == job.records.total == job.rows
    assert report["effects"]["exactly_one"] == sum(job.rows for job in jobs)
